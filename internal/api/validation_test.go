package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	posint   = "value must be an integer greater than zero."
	nonblank = "value must be a non-blank string."
)

func TestValidationTexts(t *testing.T) {
	one := func(field, text string, specific ...string) string {
		list, _ := json.Marshal(specific)
		s := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(list))
		return fmt.Sprintf(`{"errors":{"%s":"%s"},"specific-errors":{"%s":%s}}`, field, text, field, s)
	}
	key := func(members string) string { return `{"group_id":1,"name":"a",` + members + `}` }
	tests := []struct{ name, method, target, body, want string }{
		{"missing", "POST", "/api/fake", `{"group_id":1}`, one("name", nonblank, "missing required key, received: nil")},
		{"null", "POST", "/api/fake", key(`"name":null`), one("name", nonblank, "should be a string, received: nil", "non-blank string, received: nil")},
		{"empty", "POST", "/api/fake", key(`"name":""`), one("name", nonblank, `should be at least 1 character, received: ""`, `non-blank string, received: ""`)},
		{"blank", "POST", "/api/fake", key(`"name":"   "`), one("name", nonblank, `non-blank string, received: "   "`)},
		{"number", "POST", "/api/fake", key(`"name":5`), one("name", nonblank, "should be a string, received: 5", "non-blank string, received: 5")},
		{"long", "POST", "/api/fake", key(`"name":"` + strings.Repeat("a", 255) + `"`),
			one("name", nonblank, `should be at most 254 characters, received: "`+strings.Repeat("a", 255)+`"`)},
		{"U+0000", "POST", "/api/fake", key(`"name":"a\u0000"`), `{"errors":{"name":"value must be a non-blank string."},"specific-errors":{"name":["should be text without null characters, received: \"a\u0000\""]}}`},
		{"group null", "POST", "/api/fake", key(`"group_id":null`), one("group_id", posint, posint+", received: nil")},
		{"group text", "POST", "/api/fake", key(`"group_id":"abc"`), one("group_id", posint, posint+`, received: "abc"`)},
		{"group 0", "POST", "/api/fake", key(`"group_id":0`), one("group_id", posint, posint+`, received: 0`)},
		{"group true", "POST", "/api/fake", key(`"group_id":true`), one("group_id", posint, posint+`, received: true`)},
		{"group map", "POST", "/api/fake", key(`"group_id":{"b":[1,"x",null],"a":{}}`), one("group_id", posint, posint+`, received: {:a {}, :b [1 "x" nil]}`)},
		{"group escapes", "POST", "/api/fake", key(`"group_id":"a\"\\\n\t<"`), one("group_id", posint, posint+`, received: "a\"\\\n\t<"`)},
		{"bool", "POST", "/api/fake", key(`"is_on":"yes"`), one("is_on", "nullable value must be a boolean.", `should be a boolean, received: "yes"`)},
		{"list type", "POST", "/api/fake", key(`"ids":5`),
			one("ids", "nullable sequence of map where {:id -> <value must be an integer greater than zero.>}", "invalid type, received: 5")},
		{"list item", "POST", "/api/fake", key(`"ids":[{"id":1},{"id":0}]`),
			`{"errors":{"ids":"nullable sequence of map where {:id -> <value must be an integer greater than zero.>}"},` +
				`"specific-errors":{"ids":[null,{"id":["value must be an integer greater than zero., received: 0"]}]}}`},
		{"two fields", "POST", "/api/fake", `{}`,
			`{"errors":{"group_id":"` + posint + `","name":"` + nonblank + `"},"specific-errors":{"group_id":["missing required key, received: nil"],"name":["missing required key, received: nil"]}}`},
		{"no object", "POST", "/api/fake", `[1]`, one("_error", "Value must be a map.", "invalid type, received: [1]")},
		{"length", "PUT", "/api/fake/1", `{"name":""}`, one("name", "nullable string with length between 1 and 254 inclusive", `should be between 1 and 254 characters, received: ""`)},
		{"length type", "PUT", "/api/fake/1", `{"name":[]}`, one("name", "nullable string with length between 1 and 254 inclusive", `should be a string, received: []`)},
		{"map", "PUT", "/api/fake/1", `{"map":"x"}`, one("map", "nullable Value must be a map.", `invalid type, received: "x"`)},
		{"query bool", "GET", "/api/fake?on=1", "", one("on", "nullable value must be a valid boolean string ('true' or 'false').",
			`value must be a valid boolean string ('true' or 'false')., received: "1"`)},
		{"query enum", "GET", "/api/fake?include=schemas", "", one("include", "nullable enum of tables, tables.fields", `should be either "tables" or "tables.fields", received: "schemas"`)},
		{"query list", "GET", "/api/fake?models=card,dashboard", "",
			`{"errors":{"models":"nullable sequence of enum of card, dashboard, table"},"specific-errors":{"models":[["should be either \"card\", \"dashboard\" or \"table\", received: \"card,dashboard\""]]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := newWorld(t).call(tt.method, tt.target, tt.body, "X-API-Key", adminKey)
			if rec.Code != 400 || rec.Body.String() != tt.want {
				t.Errorf("got %d\n%s\nwant\n%s", rec.Code, rec.Body, tt.want)
			}
		})
	}
}

func TestNestedValidation(t *testing.T) {
	const prefs = "map where {:site_name -> <value must be a non-blank string.>, :site_locale (optional) -> " +
		"<nullable String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'.>}"
	good := map[string]string{
		"token": `"right"`, "user": `{"email":"ada@example.test","password":"anythingUP12"}`, "prefs": `{"site_name":"Acme"}`,
	}
	lacking := `{"errors":{"prefs":"` + prefs + `"},"specific-errors":{"prefs":["missing required key, received: nil"]}}`
	tests := []struct{ name, field, value, want string }{
		{"good", "", "", `"done"`},
		{"no prefs", "prefs", "", lacking},
		{"empty prefs", "prefs", `{}`, lacking},
		{"no site name", "prefs", `{"site_locale":"en"}`, lacking},
		{"prefs null", "prefs", `null`, `{"errors":{"prefs":"` + prefs + `"},"specific-errors":{"prefs":["invalid type, received: nil"]}}`},
		{"prefs text", "prefs", `"x"`, `{"errors":{"prefs":"` + prefs + `"},"specific-errors":{"prefs":["invalid type, received: \"x\""]}}`},
		{"blank site name", "prefs", `{"site_name":" "}`, `{"errors":{"prefs":{"site_name":"` + nonblank + `"}},"specific-errors":{"prefs":{"site_name":["non-blank string, received: \" \""]}}}`},
		{"bad locale", "prefs", `{"site_name":"a","site_locale":"eng-USA"}`,
			`{"errors":{"prefs":{"site_locale":"nullable String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'."}},` +
				`"specific-errors":{"prefs":{"site_locale":["valid locale, received: \"eng-USA\""]}}}`},
		{"bad email", "user", `{"email":"anything","password":"anythingUP12"}`,
			`{"errors":{"user":{"email":"value must be a valid email address."}},"specific-errors":{"user":{"email":["valid email address, received: \"anything\""]}}}`},
		{"no email", "user", `{"password":"anythingUP12"}`,
			`{"errors":{"user":{"email":"value must be a valid email address."}},"specific-errors":{"user":{"email":["missing required key, received: nil"]}}}`},
		{"weak password is not repeated", "user", `{"email":"ada@example.test","password":"pass"}`,
			`{"errors":{"user":{"password":"password is too common."}},"specific-errors":{"user":{"password":["valid password that is not too common, received: \"***\""]}}}`},
		{"null password", "user", `{"email":"ada@example.test","password":null}`,
			`{"errors":{"user":{"password":"password is too common."}},"specific-errors":{"user":{"password":["valid password that is not too common, received: nil"]}}}`},
		{"wrong token is not repeated", "token", `"foobar"`,
			`{"errors":{"token":"Token does not match the setup token."},"specific-errors":{"token":["setup token, received: \"***\""]}}`},
		{"no token", "token", "",
			`{"errors":{"token":"Token does not match the setup token."},"specific-errors":{"token":["missing required key, received: nil"]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var members []string
			for _, field := range []string{"token", "user", "prefs"} {
				value := good[field]
				if field == tt.field {
					value = tt.value
				}
				if value != "" {
					members = append(members, `"`+field+`":`+value)
				}
			}
			rec := newWorld(t).call("POST", "/api/setup", "{"+strings.Join(members, ",")+"}")
			if rec.Body.String() != tt.want {
				t.Errorf("got %d\n%s\nwant\n%s", rec.Code, rec.Body, tt.want)
			}
		})
	}
}

func TestSecretsAreNeverRepeated(t *testing.T) {
	const mark = "hunter22"
	bodies := []string{
		`{"token":{"hunter22":1},"user":["hunter22"],"prefs":{}}`,
		`{"token":["hunter22"],"user":{"password":["hunter22"],"email":""},"prefs":{}}`,
		`{"user":"hunter22"}`, `["hunter22"]`, `"hunter22"`, `{"token":"hunter22"}`, `{"token":"hunter22\u0000"}`,
	}
	for _, body := range bodies {
		w := newWorld(t)
		rec := w.call("POST", "/api/setup", body)
		if rec.Code != 400 || strings.Contains(rec.Body.String(), mark) || strings.Contains(w.log.String(), mark) {
			t.Errorf("%s: got %d %s", body, rec.Code, rec.Body)
		}
	}
	rec := newWorld(t).call("POST", "/api/session", `{"username":"a","password":{"hunter22":["hunter22"]}}`)
	if rec.Code != 400 || strings.Contains(rec.Body.String(), mark) {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	values := map[string]string{
		"text": `"` + strings.Repeat("ä", 1500) + `"`,
		"list": "[" + strings.Repeat("1,", 1500) + "1]",
		"deep": strings.Repeat("[", 1200) + strings.Repeat("]", 1200),
		"map":  `{"` + strings.Repeat("k", 1500) + `":1,"z":[{"a":1}]}`,
		"maps": strings.Repeat(`{"abc":`, 400) + "1" + strings.Repeat("}", 400),
	}
	for name, v := range values {
		rec := newWorld(t).call("POST", "/api/fake", `{"name":"a","group_id":`+v+`}`, "X-API-Key", adminKey)
		if rec.Code != 400 || rec.Body.Len() > 2500 || !strings.Contains(rec.Body.String(), `..."`) {
			t.Errorf("%s: got %d, %d bytes", name, rec.Code, rec.Body.Len())
		}
	}
}

// TestTypeConfusion sends every type of JSON for every field of the routes
// that ask for no credentials (the class of CVE-2026-72898).
func TestTypeConfusion(t *testing.T) {
	values := []string{`null`, `true`, `0`, `-1`, `1.5`, `1e999`, `99999999999999999999`, `""`, `"x"`, `"a\u0000"`, `"\ud800"`, `[]`, `[1]`, `["x"]`, `[[]]`, `{}`,
		`{"a":1}`, `{"id":{"$gt":""}}`, strings.Repeat("[", 300) + strings.Repeat("]", 300)}
	bodies := map[string][]string{
		"/api/session": {`{"username":%s,"password":"x"}`, `{"username":"x","password":%s}`, `{"username":"x","password":"x","remember":%s}`, `%s`},
		"/api/setup": {`{"token":%s}`, `{"token":"right","user":%s}`, `{"token":"right","user":{"email":%s}}`, `{"token":"right","user":{"password":%s}}`,
			`{"token":"right","user":{"first_name":%s}}`, `{"prefs":%s}`, `{"prefs":{"site_name":%s}}`, `{"prefs":{"site_name":"a","site_locale":%s}}`, `%s`},
	}
	for target, templates := range bodies {
		for _, tmpl := range templates {
			for _, v := range values {
				w := newWorld(t)
				body := fmt.Sprintf(tmpl, v)
				if rec := w.call("POST", target, body); rec.Code != 200 && rec.Code != 400 && rec.Code != 401 {
					t.Errorf("%s %s: got %d %s", target, body, rec.Code, rec.Body)
				}
			}
		}
	}
}

func FuzzRequests(f *testing.F) {
	f.Add("POST", "/api/session", "application/json", `{"username":{"a":[]},"password":1}`)
	f.Add("POST", "/api/setup", "application/json", `{"token":"right","user":{},"prefs":[]}`)
	f.Add("POST", "/api/fake", "application/x-www-form-urlencoded", `name=a&group_id[]=5&ids=%5B%7B%7D%5D`)
	f.Add("GET", "/api/fake?on=true&models=card&limit=%00", "", "")
	f.Add("PUT", "/api/fake/1", "application/json", `{"map":{"a":"\u0000"}}`)
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, method, target, media, body string) {
		// Only what net/http lets through reaches the handler.
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.0\r\n\r\n")))
		if err != nil || r.Method != method || r.RequestURI != target || !strings.HasPrefix(r.URL.Path, "/") || r.URL.Host != "" {
			return
		}
		if strings.Contains(target, "/fake/fail") || strings.Contains(target, "/fake/panic") || strings.Contains(target, "/fake/broken") {
			return
		}
		rec := w.call(method, target, body, "X-API-Key", adminKey, "Content-Type", media)
		if rec.Code >= 500 {
			t.Errorf("%s %s %s: got %d %s", method, target, body, rec.Code, rec.Body)
		}
	})
}
