package v1_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/access"
)

// lines sends a body of another media type.
func (h *house) send(who, target, media, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	headers = append([]string{"Content-Type", media}, headers...)
	if text := h.texts[who]; text != "" {
		headers = append(headers, "X-API-Key", text)
	} else {
		headers = append(headers, personHeader, who)
	}
	return h.call("POST", h.path(target), h.path(body), headers...)
}

const mediaLines = "application/x-ndjson"

func TestBulk(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "root", "POST", "/v1/bulk", `{"operations":[
		{"op":"create_group","name":"New","ref":"g"},
		{"op":"create_person","email":"di@example.com","first_name":"Di","group_ids":["$g",{Writers}],"ref":"di"},
		{"op":"add_membership","group_id":{Analysts},"user_id":"$di"},
		{"op":"remove_membership","group_id":{Analysts},"user_id":{bo}}]}`).
		are("mode", `"atomic"`, "committed", "true", "succeeded", "4", "failed", "0", "not_run", "0", "total", "4",
			"results.0.op", `"create_group"`, "results.3.status", `"ok"`, "results.3.index", "3")
	h.ok(200, "root", "POST", "/v1/bulk", `{"mode":"each","operations":[{"op":"create_group","name":"new"},{"op":"create_group","name":"Newer"}]}`).
		are("committed", "true", "succeeded", "1", "results.0.status", `"failed"`, "results.0.code", `"invalid"`, "results.1.status", `"ok"`)
	h.ok(200, "root", "POST", "/v1/bulk", `{"dry_run":true,"operations":[{"op":"create_group","name":"Dry"}]}`).
		are("committed", "false", "dry_run", "true", "succeeded", "1")

	rec := h.as("root", "POST", "/v1/bulk", `{"operations":[{"op":"create_group","name":"Gone"},{"op":"create_group","name":"New"}]}`)
	if p := problem(t, rec); p.Status != 400 || p.Operation == nil || *p.Operation != 1 || !strings.Contains(p.Detail, "operation 1 (create_group) failed: A group with that name already exists.") {
		t.Errorf("%+v", p)
	}
	h.makeKey("narrow", access.Administrators, access.Restriction{Scopes: []string{"people:write"}})
	h.refused(403, "scope", "narrow", "POST", "/v1/bulk", `{"operations":[{"op":"create_group","name":"x"}]}`)
	h.refused(403, "group", "bo", "POST", "/v1/bulk", `{"operations":[{"op":"create_group","name":"x"}]}`)
	h.refused(401, "unauthenticated", "", "POST", "/v1/bulk", `{"operations":[]}`)
}

func TestBulkInput(t *testing.T) {
	h := newHouse(t)
	for body, fields := range map[string][]string{
		`{}`:                                     {"operations missing"},
		`{"operations":[]}`:                      {"operations refused"},
		`{"operations":{}}`:                      {"operations type"},
		`{"operations":[{"op":"burn"}]}`:         {"operations.0.op refused"},
		`{"operations":[{"op":"create_group"}]}`: {"operations.0.name refused"},
		`{"operations":[{"op":"create_group","name":"x","level":"view"}]}`:     {"operations.0.level refused"},
		`{"operations":[{"op":"create_group","name":"x","size":5}]}`:           {"operations.0.size unknown"},
		`{"operations":[{"op":"add_membership","group_id":0,"user_id":"x"}]}`:  {"operations.0.group_id refused", "operations.0.user_id type"},
		`{"operations":[{"op":"add_membership","group_id":"$g","user_id":7}]}`: {"operations.0.group_id refused"},
		`{"operations":[{"op":"create_group","name":"x","ref":"a b"}]}`:        {"operations.0.ref refused"},
		`{"operations":[{"op":"create_group","name":"x"}],"mode":"both"}`:      {"mode refused"},
		`{"operations":[{"op":"create_person","email":"x"}]}`:                  {"operations.0.email refused"},
		`{"operations":[{"op":"archive","kind":"person","id":1}]}`:             {"operations.0.kind refused"},
	} {
		h.refused(400, "invalid", "root", "POST", "/v1/bulk", body, fields...)
	}
	one := `{"op":"create_group","name":"x"},`
	h.refused(400, "too-many-steps", "root", "POST", "/v1/bulk", `{"operations":[`+strings.TrimSuffix(strings.Repeat(one, 10_001), ",")+`]}`, "operations too-many-steps")
	rec := h.send("root", "/v1/bulk", mediaLines, "{\"op\":\"create_group\",\"name\":\"a\"}\n{\"op\":\n")
	if p := problem(t, rec); p.Code != "malformed-json" || !strings.HasPrefix(p.Detail, "Line 2 of the body is not JSON.") {
		t.Errorf("%+v", p)
	}
	for _, media := range []string{"text/csv", "text/plain", "application/x-www-form-urlencoded"} {
		if p := problem(t, h.send("root", "/v1/bulk", media, "a")); p.Code != "unsupported-media-type" || !strings.Contains(p.Detail, "application/json or "+mediaLines) {
			t.Errorf("%s: %+v", media, p)
		}
	}
	for _, key := range []string{"", "é", strings.Repeat("k", 256)} {
		rec := h.send("root", "/v1/bulk", "application/json", `{"operations":[`+strings.TrimSuffix(one, ",")+`]}`, "Idempotency-Key", key)
		if p := problem(t, rec); p.Code != "idempotency-key" {
			t.Errorf("key %q: %+v", key, p)
		}
	}
}

func TestBulkLinesAndIdempotency(t *testing.T) {
	h := newHouse(t)
	const body = "{\"op\":\"create_group\",\"name\":\"New\"}\n\n{\"op\":\"create_group\",\"name\":\"new\"}\n"
	var first string
	for i := range 2 {
		rec := h.send("root", "/v1/bulk?mode=each", mediaLines, body, "Idempotency-Key", "job 7")
		if i == 0 {
			first = rec.Body.String()
		}
		if rec.Code != 200 || rec.Body.String() != first || (rec.Header().Get("Idempotency-Replayed") == "true") != (i == 1) {
			t.Errorf("%d: %d %s %v", i, rec.Code, rec.Body, rec.Header())
		}
	}
	rec := h.send("root", "/v1/bulk?mode=each&dry_run=true", mediaLines, body, "Idempotency-Key", "job 7")
	if p := problem(t, rec); p.Code != "idempotency-key-reused" || p.Status != 409 {
		t.Errorf("%+v", p)
	}
	// Whoever else uses the same key makes a call of their own.
	if rec := h.send("ada", "/v1/bulk?mode=each", mediaLines, body, "Idempotency-Key", "job 7"); rec.Code != 200 || rec.Body.String() == first {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	// A failure is replayed as it was.
	var problems [2]string
	for i := range problems {
		rec := h.send("root", "/v1/bulk", mediaLines, body, "Idempotency-Key", "job 8")
		p := problem(t, rec)
		problems[i] = fmt.Sprint(p.Status, p.Code, p.Detail, *p.Operation)
	}
	if problems[0] != problems[1] {
		t.Errorf("%q", problems)
	}
}

// events reads the lines of a stream.
func events(t *testing.T, rec *httptest.ResponseRecorder) []map[string]any {
	t.Helper()
	if rec.Code != 200 || rec.Header().Get("Content-Type") != mediaLines {
		t.Fatalf("%d %s %s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
	var out []map[string]any
	for s := bufio.NewScanner(rec.Body); s.Scan(); {
		var e map[string]any
		check(t, json.Unmarshal(s.Bytes(), &e))
		out = append(out, e)
	}
	return out
}

func TestBulkStream(t *testing.T) {
	h := newHouse(t)
	var b strings.Builder
	for i := range 600 {
		fmt.Fprintf(&b, "{\"op\":\"create_group\",\"name\":\"g%d\"}\n", i)
	}
	b.WriteString("{\"op\":\"create_group\",\"name\":\"g0\"}\n")
	for _, target := range []string{"/v1/bulk?mode=each&dry_run=true", "/v1/bulk?mode=each"} {
		all := events(t, h.send("root", target, mediaLines, b.String(), "Accept", mediaLines))
		results, last := 0, all[len(all)-1]
		for _, e := range all {
			if e["event"] == "result" {
				if e["index"] != float64(results) {
					t.Fatalf("%s: result %d has the index %v", target, results, e["index"])
				}
				results++
			}
		}
		if results != 601 || last["event"] != "summary" || last["succeeded"] != 600.0 || last["failed"] != 1.0 {
			t.Errorf("%s: %d results, at last %v", target, results, last)
		}
	}
	rec := h.send("root", "/v1/bulk", mediaLines, "{\"op\":\"create_group\",\"name\":\"g0\"}", "Accept", mediaLines)
	if p := problem(t, rec); p.Status != 400 || *p.Operation != 0 {
		t.Errorf("%+v", p)
	}
}

func TestImportPeopleOverHTTP(t *testing.T) {
	h := newHouse(t)
	const table = "email;first_name;groups\r\ndi@example.com;Di;Writers\r\nbo@example.com;Bo;\r\nnobody;;\r\n"
	rec := h.send("root", "/v1/people/import?dry_run=true", "text/csv; charset=utf-8", table)
	a := answer{t: t, text: rec.Body.String()}
	check(t, json.Unmarshal(rec.Body.Bytes(), &a.value))
	a.are("mode", `"each"`, "committed", "false", "succeeded", "2", "failed", "1", "results.0.status", `"created"`, "results.0.line", "2",
		"results.0.email", `"di@example.com"`, "results.1.status", `"exists"`, "results.2.code", `"invalid"`, "results.2.errors.0.field", `"email"`)
	rec = h.send("root", "/v1/people/import?mode=atomic", "text/csv", table)
	if p := problem(t, rec); !strings.Contains(p.Detail, "line 4 failed") {
		t.Errorf("%+v", p)
	}
	rec = h.send("ada", "/v1/people/import", mediaLines, `{"email":"di@example.com","groups":[{Writers},"Analysts"]}`)
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"status":"created"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	all := events(t, h.send("root", "/v1/people/import?update=true", mediaLines, `{"email":"di@example.com","first_name":"Di"}`, "Accept", "text/plain, "+mediaLines))
	if all[0]["status"] != "updated" || all[len(all)-1]["succeeded"] != 1.0 {
		t.Errorf("%v", all)
	}
	for want, rec := range map[string]*httptest.ResponseRecorder{
		"malformed-table":        h.send("root", "/v1/people/import", "text/csv", "name\nx"),
		"unsupported-media-type": h.send("root", "/v1/people/import", "application/json", "{}"),
		"group":                  h.send("member", "/v1/people/import", "text/csv", table),
		"invalid":                h.send("root", "/v1/people/import?sort=1", "text/csv", table),
		"too-many-steps":         h.send("root", "/v1/people/import", "text/csv", "email\n"+strings.Repeat("a@example.com\n", 10_001)),
	} {
		if p := problem(t, rec); p.Code != want {
			t.Errorf("got %+v, want %s", p, want)
		}
	}
	if p := problem(t, h.send("root", "/v1/people/import", "text/csv", "")); p.Code != "malformed-table" {
		t.Errorf("%+v", p)
	}
}
