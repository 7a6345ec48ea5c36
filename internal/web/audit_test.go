package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/audit"
)

const auditPath = "/admin/audit"

func TestAuditLog(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k := w.key("nightly-export", access.AllUsers)
	w.must(w.keys.Delete(t.Context(), boss(), k.ID))
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	a := b.get(auditPath).wants(t, 200, "Made an API key", "api-key.create", "nightly-export", "Deleted an API key",
		"Signed in", "session.create", "command line", fmt.Sprintf("/admin/people/groups/%d", g.ID), "latchkey audit verify --head ")
	head, err := w.trail.Head(t.Context())
	w.must(err)
	a.wants(t, 200, head.String(), fmt.Sprintf("%d entries in a chain", head.ID), "for ever")
	if first, last := strings.Index(a.body, "api-key.delete</code>"), strings.Index(a.body, "api-key.create</code>"); first > last {
		t.Error("the newest entry is not first")
	}

	for _, tt := range []struct{ query, shows, lacks string }{
		{fmt.Sprintf("?key=%d", k.ID), "api-key.delete</code>", "group.create</code>"},
		{"?action=group.", "group.create</code>", "api-key.create</code>"},
		{"?action=api-key.create", "api-key.create</code>", "api-key.delete</code>"},
		{"?kind=group", "group.create</code>", "api-key.create</code>"},
		{"?who=person", "session.create</code>", "group.create</code>"},
		{"?q=ANALYSTS", "group.create</code>", "api-key.create</code>"},
		{"?from=2000-01-01&to=2090-01-01", "group.create</code>", "No entry fits"},
		{"?to=2000-01-01", "No entry fits these filters", "group.create</code>"},
		{fmt.Sprintf("?kind=group&id=%d", g.ID), "Only: Group Analysts", "api-key.create</code>"},
	} {
		b.get(auditPath+tt.query).wants(t, 200, tt.shows).lacks(t, tt.lacks)
	}
	b.get(auditPath+"?from=soon").wants(t, 400, "Choose a date", `id="error-from"`)
	b.get(auditPath+"?from=2026-02-01&to=2026-01-01").wants(t, 400, "This day is before the first one.")
	b.get(auditPath+"?key=x").wants(t, 400, "whole number")
	b.get(auditPath+"?key=4711").wants(t, 400, "There never was a key with this number.")
	b.get(auditPath+"?action=nothing.known&q=%00%ff&before=99999999999999999999").wants(t, 200, "nothing.known")
}

// steps writes entries that mean nothing.
func (w *world) steps(n int) {
	w.t.Helper()
	for i := range n {
		w.must(w.trail.Append(w.t.Context(), audit.System(), audit.Entry{Action: "test.step", ObjectKind: "test", ObjectName: fmt.Sprintf("step %03d", i)}))
	}
}

func TestAuditPages(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.steps(120)
	next := regexp.MustCompile(`href="([^"]+)" rel="(next|prev)"`)
	follow := func(a answer, rel string) answer {
		t.Helper()
		for _, m := range next.FindAllStringSubmatch(a.body, -1) {
			if m[2] == rel {
				return b.get(strings.ReplaceAll(m[1], "&amp;", "&")).wants(t, 200)
			}
		}
		t.Fatalf("no %s\n%s", rel, a.body)
		return a
	}
	first := b.get(auditPath+"?action=test.").wants(t, 200, "step 119", "step 070", "120 entries").lacks(t, "step 069", `rel="prev"`)
	second := follow(first, "next").wants(t, 200, "step 069", "step 020").lacks(t, "step 070", "step 019")
	last := follow(second, "next").wants(t, 200, "step 019", "step 000").lacks(t, "step 020", `rel="next"`)
	follow(last, "prev").wants(t, 200, "step 069", "step 020", `rel="next"`, `rel="prev"`).lacks(t, "step 070", "step 019")
	follow(second, "prev").wants(t, 200, "step 119", "step 070").lacks(t, "step 069", `rel="prev"`)
	b.get(auditPath+"?action=test.&before=1").wants(t, 200, "There are no older entries")
}

func TestAuditEntry(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k := w.key("nightly-export", access.Administrators)
	_, err := w.keys.SetRestriction(t.Context(), boss(), k.ID, access.Restriction{ReadOnly: true, Scopes: []string{"people:read", "groups:read"}})
	w.must(err)
	head, err := w.trail.Head(t.Context())
	w.must(err)
	b.get(fmt.Sprintf("%s/%d?key=%d", auditPath, head.ID, k.ID)).wants(t, 200, "Restricted an API key", "api-key.restrict", "Restriction › scopes",
		"groups:read, people:read", "Restriction › read only", "yes", hex.EncodeToString(head.Hash), fmt.Sprintf("/admin/audit?key=%d#entry-%d", k.ID, head.ID))
	_, err = w.groups.Create(t.Context(), boss(), "Old name")
	w.must(err)
	_, err = w.groups.Rename(t.Context(), boss(), 3, "New name")
	w.must(err)
	b.get(fmt.Sprintf("%s/%d", auditPath, head.ID+2)).wants(t, 200, "Renamed a group", "Old name", "New name", ">Name<")
	b.get(auditPath+"/4711").wants(t, 404)
	b.get(auditPath+"/x").wants(t, 404)
}

func TestAuditExport(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k := w.key("nightly-export", access.AllUsers)
	a := b.get(auditPath+"/export").wants(t, 200)
	if got := a.header.Get("Content-Type") + " " + a.header.Get("Content-Disposition"); got != `application/x-ndjson attachment; filename="audit.ndjson"` {
		t.Errorf("headers %q", got)
	}
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	head, err := w.trail.Head(t.Context())
	w.must(err)
	if int64(len(lines)) != head.ID {
		t.Errorf("%d lines, want %d", len(lines), head.ID)
	}
	var one struct {
		ID     int64
		Action string
	}
	w.must(json.Unmarshal([]byte(lines[0]), &one))
	if one.ID != 1 {
		t.Errorf("the first line is entry %d", one.ID)
	}
	a = b.get(fmt.Sprintf("%s/export?key=%d", auditPath, k.ID)).wants(t, 200, "api-key.create").lacks(t, "session.create")
	if n := strings.Count(a.body, "\n"); n != 1 {
		t.Errorf("%d lines about one key", n)
	}
	b.get(auditPath+"/export?from=soon").leads(t, auditPath+"?from=soon")
	w.person("bo@example.com").get(auditPath+"/export").wants(t, 403)
}

// digest is what a browser sends of a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestSearchByAPastedKey(t *testing.T) {
	w := ready(t)
	b := w.admin()
	_, text, err := w.keys.Create(t.Context(), boss(), "leaked", access.AllUsers)
	w.must(err)
	k := w.onlyKey()
	page := b.get(auditPath).wants(t, 200, "Paste a key to see what it did", "This search needs JavaScript")
	field := regexp.MustCompile(`<input id="pasted-key"[^>]*>`).FindString(page.body)
	if field == "" || strings.Contains(field, " name=") || !strings.Contains(field, " disabled") {
		t.Errorf("without JavaScript the field could send the key: %s", field)
	}
	b.post(auditPath+"/key", "digest", digest(text.Reveal())).wants(t, 200, "This is the key “leaked”", "This text works now",
		fmt.Sprintf(`href="%s/%d"`, keysPath, k.ID), fmt.Sprintf("/admin/audit?key=%d", k.ID)).lacks(t, text.Reveal(), digest(text.Reveal()))
	_, _, err = w.keys.Rotate(t.Context(), boss(), k.ID, apikey.Overlap{})
	w.must(err)
	b.post(auditPath+"/key", "digest", digest(text.Reveal())).wants(t, 200, "This text does not work any more", "Text retired")
	b.post(auditPath+"/key", "digest", digest("lk_never")).wants(t, 404, "No key of this instance has or had this text.", `id="error-digest"`)
	for _, bad := range []string{"", "abc", strings.Repeat("z", 64), text.Reveal()} {
		b.post(auditPath+"/key", "digest", bad).wants(t, 400, "This search works with JavaScript only").lacks(t, text.Reveal())
	}
	b.post(auditPath+"/key").wants(t, 400, "This search works with JavaScript only")
}

func TestAuditRetentionIsASetting(t *testing.T) {
	w := ready(t)
	b := w.admin()
	const general = "/admin/settings/general"
	b.get(general).wants(t, 200, "Days to keep entries of the audit log", `name="audit-retention-days"`, `value="0"`)
	fields := []string{"site-name", "Latchkey", "api-key-prefix", "lk", "audit-retention-days"}
	b.post(general, append(fields, "-1")...).wants(t, 400, `id="error-audit-retention-days"`)
	b.post(general, append(fields, "365")...).leads(t, general)
	if got := w.settings.AuditRetention(); got != 365*24*time.Hour {
		t.Errorf("entries are kept for %v", got)
	}
	b.get(auditPath).wants(t, 200, "for 365 days", general+"#field-audit-retention-days")
}

func TestEvidencePagesAreSafeHTML(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.allowPersonal(apikey.Policy{MaxDays: 30})
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{.}}`
	inline := regexp.MustCompile(`<script>|<img |<style|\sstyle="|\son[a-z]+="[a-z]|javascript:`)
	g, err := w.groups.Create(t.Context(), boss(), evil)
	w.must(err)
	_, _, err = w.keys.SetPolicy(t.Context(), boss(), g.ID, apikey.Policy{MaxDays: 9}, apikey.Existing{})
	w.must(err)
	k := w.key(evil, g.ID)
	shownKey(t, b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", evil))
	own, _, err := w.keys.List(t.Context(), boss(), apikey.Filter{Kind: apikey.KindPersonal})
	w.must(err)
	head, err := w.trail.Head(t.Context())
	w.must(err)
	for _, path := range []string{
		auditPath, fmt.Sprintf("%s?key=%d", auditPath, k.ID), auditPath + "?q=%3Cscript%3Ealert(1)%22", auditPath + "?action=%3Cscript%3E",
		fmt.Sprintf("%s/%d", auditPath, head.ID), explainPath, explainPath + "?find=%3Cscript%3E", fmt.Sprintf("%s?key=%d", explainPath, k.ID),
		policiesPath, policiesPath + "/new", fmt.Sprintf("%s/%d", policiesPath, g.ID), fmt.Sprintf("%s/%d/remove", policiesPath, g.ID),
		ownKeysPath, ownKeysPath + "/new", fmt.Sprintf("%s/%d/rotate", ownKeysPath, own[0].ID), fmt.Sprintf("%s/%d/end", ownKeysPath, own[0].ID),
	} {
		if found := inline.FindString(b.get(path).wants(t, 200).body); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
	}
	for _, a := range []answer{
		b.post(explainPath, "key", fmt.Sprint(k.ID), "method", "PUT", "path", "/api/user/7"+evil, "body", evil),
		b.post(policiesPath+"/0", "do", "preview", "max_days", "5"),
		b.post(policiesPath+"/0", "do", "preview", "max_days", evil, "from", evil),
	} {
		if found := inline.FindString(a.body); found != "" || a.status >= 500 {
			t.Errorf("status %d, the page holds %q", a.status, found)
		}
	}
}
