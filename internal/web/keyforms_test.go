package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
)

// submitted is what a browser would send of the form that sends to a path:
// hidden and other fields, boxes that are ticked, and texts.
func (a answer) submitted(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile(`<input [^>]*>`).FindAllString(a.body, -1) {
		part := func(name string) string {
			found := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(m)
			if found == nil {
				return ""
			}
			return unescaped(found[1])
		}
		box := part("type") == "checkbox" || part("type") == "radio"
		if part("name") == "" || box && !strings.Contains(m, " checked") {
			continue
		}
		out = append(out, part("name"), part("value"))
	}
	return out
}

// TestRestrictionFormLosesNothing saves restrictions as their form shows them.
func TestRestrictionFormLosesNothing(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for i, r := range []access.Restriction{
		{Scopes: []string{"docs:read"}},  // needed by nobody: its routes are open
		{Scopes: []string{"audit:read"}}, // no route of this instance needs it
		{Resources: map[string][]string{"memberships": {"4"}, "policies": {"1"}}},
	} {
		k, _ := w.made(apikey.Draft{Name: fmt.Sprint("narrow ", i)})
		raw, err := json.Marshal(r)
		w.must(err)
		_, err = w.db.Exec(t.Context(), "UPDATE api_key SET restriction = ?2 WHERE id = ?1", k.ID, string(raw))
		w.must(err)
		form := b.get(page(k.ID, "/restriction")).wants(t, 200).submitted(t)
		a := b.post(page(k.ID, "/restriction"), append(form, "do", "save")...)
		if got := w.any(k.ID); !got.Restriction.Equal(r) || a.status >= 500 {
			t.Errorf("%+v was saved as %+v (%d)", r, got.Restriction, a.status)
		}
	}
}

// TestEditTakesTheEndThatIsThere opens the form of keys that end before or
// after the days that a new end may be.
func TestEditTakesTheEndThatIsThere(t *testing.T) {
	w := ready(t)
	b := w.admin()
	soon, _ := w.made(apikey.Draft{Name: "soon", ExpiresAt: in(time.Minute), Tags: []string{"a,b", "c"}})
	late, _ := w.made(apikey.Draft{Name: "late", ExpiresAt: in(500 * 24 * time.Hour), Tags: []string{"a,b", "c"}})
	_, _, err := w.keys.SetPolicy(t.Context(), boss(), apikey.Instance, apikey.Policy{MaxDays: 90}, apikey.Existing{})
	w.must(err)
	for _, k := range []apikey.Key{soon, late} {
		a := b.get(page(k.ID, "/edit")).wants(t, 200, "The policy allows a date up to "+time.Now().Add(90*24*time.Hour).UTC().Format(time.DateOnly))
		m := regexp.MustCompile(`name="expires_at"[^>]* value="([^"]+)" min="([^"]+)" max="([^"]+)"`).FindStringSubmatch(a.body)
		if m == nil || m[1] < m[2] || m[1] > m[3] {
			t.Errorf("no browser would send %v", m)
		}
		b.post(page(k.ID, "/edit"), "name", k.Name, "group_id", "1", "had", "yes", "tags", "a,b, c", "ends", "date", "expires_at", k.ExpiresAt.Format(time.DateOnly), "description", "new").
			leads(t, fmt.Sprintf("%s#key-%d", keysPath, k.ID))
		if got := w.any(k.ID); got.Description != "new" || !got.ExpiresAt.Equal(*k.ExpiresAt) || len(got.Tags) != 2 {
			t.Errorf("after an edit: %+v", got)
		}
	}
}

// TestNobodyUndoesWhatTheyDidNotSee sends forms that were opened before
// somebody else changed the key.
func TestNobodyUndoesWhatTheyDidNotSee(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, _ := w.made(apikey.Draft{Name: "shared", Description: "old"})
	for _, what := range []string{"/edit", "/restriction"} {
		form := append(b.get(page(k.ID, what)).submitted(t), "do", "save", "name", "shared", "group_id", "1")
		_, err := w.keys.SetRestriction(t.Context(), boss(), k.ID, access.Restriction{ReadOnly: true})
		w.must(err)
		_, err = w.keys.Update(t.Context(), boss(), k.ID, apikey.Change{Name: opt.Of("shared " + what)})
		w.must(err)
		a := b.post(page(k.ID, what), form...).wants(t, http.StatusConflict, "The key was changed after you opened this form, by command line.")
		if got := w.any(k.ID); !got.Restriction.ReadOnly || got.Name != "shared "+what {
			t.Errorf("%s: the change was taken back: %+v", what, got)
		}
		// Whoever has read that, and sends it again, means it.
		if a = b.post(page(k.ID, what), append(a.submitted(t), "do", "save", "group_id", "1")...); a.status != http.StatusSeeOther {
			t.Errorf("%s: sent again: %d", what, a.status)
		}
	}

	trial := func(r access.Restriction) {
		t.Helper()
		_, err := w.keys.SetTrial(t.Context(), boss(), k.ID, r)
		w.must(err)
	}
	trial(access.Restriction{ReadOnly: true, Scopes: []string{"people:read"}})
	form := b.get(page(k.ID, "/trial/enforce")).submitted(t)
	trial(access.Restriction{ReadOnly: true, Scopes: []string{"groups:read"}})
	b.post(page(k.ID, "/trial/enforce"), form...).wants(t, http.StatusConflict, "What is on trial was changed")
	form = b.get(page(k.ID, "/trial/enforce")).submitted(t)
	b.post(page(k.ID, "/trial/enforce"), form...).leads(t, page(k.ID, "?tab=rights"))
}

// TestPolicyEndsNothingSoonerThanShown takes the first day away after a look.
func TestPolicyEndsNothingSoonerThanShown(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.key("nightly", access.AllUsers)
	from := time.Now().Add(200 * 24 * time.Hour).UTC()
	a := b.post(policiesPath+"/0", "max_days", "30", "do", "preview", "existing", "cap", "from", from.Format(time.DateOnly)).wants(t, 200, from.Format("2 Jan 2006"))
	looks := []string{"max_days", "30", "existing", "cap", "do", "set", "looked", looked(t, a)}
	b.post(policiesPath+"/0", append(looks, "looked_from", from.Format(time.DateOnly))...).wants(t, 200, "nothing was switched on")
	if !strings.Contains(a.body, `name="looked_from" value="`+from.Format(time.DateOnly)+`"`) {
		t.Error("the preview does not say for which day it holds")
	}
}

// TestAuditEntryKeepsItsPage opens an entry of an older page and goes back.
func TestAuditEntryKeepsItsPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.steps(120)
	a := b.get(auditPath+"?action=test.&before=65").wants(t, 200)
	m := regexp.MustCompile(`class="name"><a href="([^"]+)"`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatal("no entry")
	}
	to, err := url.Parse(unescaped(m[1]))
	w.must(err)
	if to.Query().Get("before") != "65" || to.Query().Get("action") != "test." {
		t.Errorf("the entry leads to %s", to)
	}
	b.get(to.String()).wants(t, 200, `data-leave="/admin/audit?action=test.&before=65#entry-64"`)
}

// TestAlarmsHavePages lists more alarms than a page holds.
func TestAlarmsHavePages(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for i := range 53 {
		w.made(apikey.Draft{Name: fmt.Sprintf("leaky %02d.", i)})
	}
	_, err := w.db.Exec(t.Context(), "UPDATE api_key_secret SET tried_at = ?1", time.Now())
	w.must(err)
	first := b.get(keysPath+"?state=alarm").wants(t, 200)
	second := b.get(keysPath+"?page=2&state=alarm").wants(t, 200)
	if n, m := strings.Count(first.body, `data-testid="api-key-row-`), strings.Count(second.body, `data-testid="api-key-row-`); n != 50 || m != 3 {
		t.Errorf("%d and %d keys, want 50 and 3", n, m)
	}
	b.get(keysPath+"?page=3&state=alarm").wants(t, 200, "There is nothing on this page")
}
