package web_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

const policiesPath = "/admin/settings/authentication/key-policies"

var lookedField = regexp.MustCompile(`name="looked" value="([^"]+)"`)

// looked returns what names the rules of a preview.
func looked(t *testing.T, a answer) string {
	t.Helper()
	m := lookedField.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("the page previews nothing\n%s", a.body)
	}
	return unescaped(m[1])
}

func TestPolicyIsPreviewedAndSwitchedOn(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k := w.key("nightly-export", access.AllUsers)
	b.get(policiesPath).wants(t, 200, "All keys of this instance", "no rules", "Policy for a group").lacks(t, "Remove the policy:")
	rules := []string{"max_days", "90", "default_days", "30", "rate_requests", "100", "rate_seconds", "60", "self_rotate", "yes"}
	a := b.post(policiesPath+"/0", append(rules, "do", "preview")...).wants(t, 200, "1 key does not fulfil this", "nightly-export", "Lives too long",
		"It never ends.", "Switch on", `value="leave" checked`, time.Now().Add(90*24*time.Hour).UTC().Format("2 Jan 2006"))
	if all, err := w.keys.Policies(t.Context(), boss()); err != nil || len(all) != 0 {
		t.Fatalf("the preview switched something on: %v %v", all, err)
	}
	rules = append(rules, "do", "set", "looked", looked(t, a))

	// Rules that nobody has looked at are not switched on.
	b.post(policiesPath+"/0", append([]string{"max_days", "9"}, rules[2:]...)...).wants(t, 400).lacks(t, "The policy is in force")
	b.post(policiesPath+"/0", append([]string{"max_days", "60"}, rules[2:]...)...).wants(t, 200, "nothing was switched on", `value="60"`)

	b.post(policiesPath+"/0", append(rules, "existing", "leave")...).leads(t, policiesPath+"#policy-0")
	b.get(policiesPath).wants(t, 200, "The policy is in force.", "no key lives longer than 90 days", "at most 100 requests in 60 seconds", "keys may rotate themselves", "by Ada Admin")
	if got, err := w.keys.Get(t.Context(), boss(), k.ID); err != nil || got.ExpiresAt != nil {
		t.Errorf("the key ends at %v (%v), and was to be left", got.ExpiresAt, err)
	}
	b.get(policiesPath+"/0").wants(t, 200, `value="90"`, `value="30"`, `name="self_rotate" value="yes" checked`)

	from := time.Now().Add(200 * 24 * time.Hour).UTC().Format(time.DateOnly)
	b.post(policiesPath+"/0", append(rules, "existing", "cap", "from", "2001-01-01")...).wants(t, 400, "must not be in the past", `id="error-from"`)
	b.post(policiesPath+"/0", append(rules, "existing", "cap", "from", from)...).leads(t, policiesPath+"#policy-0")
	if got, err := w.keys.Get(t.Context(), boss(), k.ID); err != nil || got.ExpiresAt == nil || got.ExpiresAt.Format(time.DateOnly) != from {
		t.Errorf("the key ends at %v (%v), want %s", got.ExpiresAt, err, from)
	}
	b.get(policiesPath+"/0/remove").wants(t, 200, "These rules stop to hold", "no key lives longer")
	b.post(policiesPath+"/0/remove").leads(t, policiesPath)
	b.get(policiesPath).wants(t, 200, "The policy was removed.", "no rules")
	b.post(policiesPath+"/0/remove").leads(t, policiesPath)
}

func TestPolicyFaultsStandAtTheirFields(t *testing.T) {
	w := ready(t)
	b := w.admin()
	tests := []struct {
		pairs       []string
		field, text string
	}{
		{[]string{"max_days", "many"}, "max_days", "Type a whole number"},
		{[]string{"max_days", "99999"}, "max_days", "Choose 0 to 3650 days"},
		{[]string{"default_days", "9", "max_days", "3"}, "default_days", "The default must not be longer"},
		{[]string{"max_overlap_days", "-1"}, "max_overlap_days", "Choose 0 to 3650 days"},
		{[]string{"rate_requests", "5"}, "rate_seconds", "In how many seconds?"},
		{[]string{"rate_seconds", "5"}, "rate_requests", "How many requests?"},
		{[]string{"rate_requests", "5", "rate_seconds", "100000"}, "rate_requests", "Choose 1 to 1000000 requests"},
	}
	for _, tt := range tests {
		b.post(policiesPath+"/0", append(tt.pairs, "do", "preview")...).wants(t, 400, tt.text, `id="error-`+tt.field+`"`).lacks(t, "Switch on")
	}
	b.get(policiesPath+"/4711").wants(t, 404)
	b.get(policiesPath+"/x").wants(t, 404)
}

func TestPolicyOfAGroup(t *testing.T) {
	w := ready(t)
	b := w.admin()
	g, err := w.groups.Create(t.Context(), boss(), "Robots")
	w.must(err)
	b.get(policiesPath+"/new").wants(t, 200, "Robots", "the strictest limit counts")
	b.post(policiesPath+"/new").wants(t, 400, "Choose a group.")
	path := fmt.Sprintf("%s/%d", policiesPath, g.ID)
	b.post(policiesPath+"/new", "group_id", fmt.Sprint(g.ID)).leads(t, path)
	b.get(path).wants(t, 200, "Policy for the keys of “Robots”")
	a := b.post(path, "allow_personal", "yes", "do", "preview").wants(t, 200, "No key is affected")
	b.post(path, "allow_personal", "yes", "do", "set", "looked", looked(t, a)).leads(t, fmt.Sprintf("%s#policy-%d", policiesPath, g.ID))
	b.get(policiesPath).wants(t, 200, "Robots", "people make personal keys")
}

func TestPolicyThatWouldEndTheLastAdministrator(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.key("root", access.Administrators)
	ada, err := w.people.ByEmail(t.Context(), boss(), adaEmail)
	w.must(err)
	// Somebody takes her rights away while her form is on its way.
	w.as = &access.Principal{Kind: access.Person, UserID: ada.ID, Name: "Ada Admin", Groups: []int64{access.AllUsers, access.Administrators}}
	_, err = w.db.Exec(t.Context(), "DELETE FROM membership WHERE group_id = ?1 AND user_id = ?2", access.Administrators, ada.ID)
	w.must(err)
	rules := []string{"max_days", "30"}
	a := b.post(policiesPath+"/0", append(rules, "do", "preview")...).wants(t, 200, "This would end the last key of an administrator", `value="cap" disabled`)
	b.post(policiesPath+"/0", append(rules, "do", "set", "existing", "cap", "looked", looked(t, a))...).
		wants(t, 409, "This would end the last key of an administrator", "leave the keys that are there as they are")
	if all, err := w.keys.Policies(t.Context(), boss()); err != nil || len(all) != 0 {
		t.Errorf("policies %v (%v)", all, err)
	}
	b.post(policiesPath+"/0", append(rules, "do", "set", "existing", "leave", "looked", looked(t, a))...).leads(t, policiesPath+"#policy-0")
	if v, err := w.keys.PolicyOf(t.Context(), boss(), apikey.Instance); err != nil || v.MaxDays != 30 {
		t.Errorf("policy %v (%v)", v, err)
	}
}
