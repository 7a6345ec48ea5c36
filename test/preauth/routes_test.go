package preauth_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// target is one field of one public route, with a valid request around it.
type target struct {
	method string
	path   string
	body   string // JSON, with hole where the value of the field belongs
	query  string // the name of the parameter, when the field is one
	secret bool   // what stands in the field is never shown
	own    bool   // a route of /v1
	public bool   // of those, one that answers everybody
}

// hole is where the value of a field goes; in a path it stands without the
// quotes.
const hole = `"@@@"`

// inPath is the hole of a path.
var inPath = strings.Trim(hole, `"`)

// The marks stand in the valid requests and must never come back; the last one
// stands in values, and must not come back out of a secret field.
const (
	markedPassword = "Marked-Password-4711"
	markedValue    = "Marked-Value-4712"
	markedToken    = "1_3c2d1f1e-0d6e-4f0e-9a43-0c6f5d0f7c11"
)

func (t target) String() string {
	if t.query != "" {
		return t.method + " " + t.path + "?" + t.query
	}
	return t.method + " " + t.path + " " + t.body
}

// targets returns every field of every public route. token is the setup token.
func targets(token string) []target {
	var all []target
	post := func(path string, valid map[string]any, secret ...string) {
		all = append(all, target{method: "POST", path: path, body: hole, secret: len(secret) > 0})
		for _, field := range fields("", valid) {
			t := target{method: "POST", path: path, body: with(valid, field)}
			for _, s := range secret {
				t.secret = t.secret || s == field || strings.HasPrefix(s, field+".")
			}
			all = append(all, t)
		}
	}
	get := func(path string, params ...string) {
		for _, name := range params {
			all = append(all, target{method: "GET", path: path, query: name, secret: name == "token"})
		}
	}
	post("/api/setup", map[string]any{
		"token": token,
		"user":  map[string]any{"email": "eve@example.com", "password": markedPassword, "first_name": "Eve", "last_name": "E"},
		"prefs": map[string]any{"site_name": "Eve", "site_locale": "en"},
	}, "user.password")
	post("/api/session", map[string]any{"username": "ada@example.com", "password": markedPassword, "remember": true}, "password")
	post("/api/session/password-check", map[string]any{"password": markedPassword}, "password")
	post("/api/session/forgot_password", map[string]any{"email": "nobody@example.com"})
	post("/api/session/reset_password", map[string]any{"token": markedToken, "password": markedPassword}, "token", "password")
	post("/api/session/google_auth", map[string]any{"token": markedToken})
	get("/api/session/password_reset_token_valid", "token", "unknown")
	get("/api/session/properties", "limit", "offset", "page", "unknown")
	for _, path := range []string{"/api/health", "/livez", "/readyz", "/api/docs", "/api/docs/style.css", "/api/docs/openapi.json"} {
		get(path, "limit")
	}
	return all
}

// fields returns the dotted names of all fields, objects included.
func fields(prefix string, m map[string]any) []string {
	var all []string
	for name, v := range m {
		all = append(all, prefix+name)
		if inner, ok := v.(map[string]any); ok {
			all = append(all, fields(prefix+name+".", inner)...)
		}
	}
	return all
}

// with returns the body with the hole in the place of one field.
func with(m map[string]any, field string) string {
	b, err := json.Marshal(punch(m, strings.Split(field, ".")))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func punch(m map[string]any, path []string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		inner, _ := v.(map[string]any)
		switch {
		case k != path[0]:
			out[k] = v
		case len(path) == 1:
			out[k] = strings.Trim(hole, `"`)
		default:
			out[k] = punch(inner, path[1:])
		}
	}
	return out
}

// nonsense is what goes into each field, as JSON or what looks like it.
func nonsense() []string {
	text := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	return []string{
		`null`, `true`, `false`,
		`0`, `-1`, `1`, `0.5`, `1e308`, `1e999`, `-0`, `9223372036854775807`, `9223372036854775808`, `1e-400`,
		`""`, `" "`, `"\u0000"`, `"a\u0000b"`, `"\u001f\u007f\u0085"`, `"\ud800"`, `"\u202e"`, text("ünïcödé 日本 🗝"),
		text("line\r\nSet-Cookie: a=b"), text("' OR '1'='1' --"), text(`"; DROP TABLE users; --`), text("$1"), text("?1"), text("%s%n{{.}}${7*7}"),
		text("<script>alert(1)</script>"), text("../../etc/passwd"), text("undefined"), text("[]"), text(`{"$ne":""}`),
		text("ada@example.com"), text(strings.Repeat("x", 300)), text(strings.Repeat("y", 100_000)), text(strings.Repeat("z", 1<<20)),
		`[]`, `[null]`, `[""]`, `["ada@example.com"]`, `[[[[]]]]`, `[1,"a",{}]`, fmt.Sprintf("[%q]", markedValue),
		`{}`, `{"$ne":""}`, `{"$gt":""}`, `{"a":{"b":{"c":[]}}}`, `{"":""}`, `{"id":1,"id":2}`, `{"__proto__":{"admin":true}}`,
		fmt.Sprintf(`{"password":{"$ne":%q}}`, markedValue), fmt.Sprintf(`{"password":%q}`, markedValue),
		strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000),
		strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000),
		strings.Repeat("[", 200_000),
		"\"\xff\xfe\"", `"unfinished`, `{`, `NaN`, `'single'`, ``, "\x00", `1 2`, `//`,
	}
}
