package web_test

import (
	"fmt"
	"html"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

const ownKeysPath = "/account/api-keys"

func unescaped(s string) string { return html.UnescapeString(s) }

// allowPersonal lets everybody make keys for themselves.
func (w *world) allowPersonal(p apikey.Policy) {
	p.AllowPersonal = true
	_, _, err := w.keys.SetPolicy(w.t.Context(), boss(), apikey.Instance, p, apikey.Existing{})
	w.must(err)
}

func TestPersonalKeysNeedAPolicy(t *testing.T) {
	w := ready(t)
	b := w.admin()
	b.get("/account/profile").wants(t, 200).lacks(t, ownKeysPath)
	b.get(ownKeysPath).wants(t, 200, "The policy does not allow you personal keys").lacks(t, "Make a key")
	b.get(ownKeysPath+"/new").leads(t, ownKeysPath)
	b.post(ownKeysPath+"/new", "token", "x", "name", "mine").wants(t, 403, "Personal keys are not allowed for you")
	w.allowPersonal(apikey.Policy{MaxDays: 90})
	b.get("/account/profile").wants(t, 200, ownKeysPath)
	b.get(ownKeysPath).wants(t, 200, "You have no keys", "no key lives longer than 90 days", "It stops when you are deactivated")
	token := b.token(ownKeysPath + "/new")
	shownKey(t, b.post(ownKeysPath+"/new", "token", token, "name", "mine"))
	w.must(w.keys.RemovePolicy(t.Context(), boss(), apikey.Instance))
	b.get("/account/profile").wants(t, 200, ownKeysPath) // it has some
	b.get(ownKeysPath).wants(t, 200, "mine", "so the ones below do not work")
}

func TestPersonalKeyLife(t *testing.T) {
	w := ready(t)
	w.allowPersonal(apikey.Policy{MaxDays: 90, MaxOverlapDays: 7})
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	b := w.person("bo@example.com")
	u, err := w.people.ByEmail(t.Context(), boss(), "bo@example.com")
	w.must(err)
	_, err = w.groups.AddMember(t.Context(), boss(), g.ID, u.ID)
	w.must(err)
	b.get(ownKeysPath+"/new").wants(t, 200, "Analysts", "people:read", "it ends after 90 days").lacks(t, ">Administrators<")
	b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", " ").wants(t, 400, `id="error-name"`)
	late := time.Now().Add(400 * 24 * time.Hour).Format(time.DateOnly)
	b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", "mine", "expires_at", late).wants(t, 400, "at most 90 days", `id="error-expires_at"`)
	b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", "mine", "groups", "2").wants(t, 400, "You are not a member of the group")
	b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", "mine", "scopes", "nothing:read").wants(t, 400, "nothing:read")
	text := shownKey(t, b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", "mine",
		"groups", fmt.Sprint(g.ID), "read_only", "yes", "scopes", "people:read"))
	if !w.works(text) {
		t.Fatal("the key does not work")
	}
	b.get(ownKeysPath).wants(t, 200, "mine", "Analysts, All Users", "only reads, people:read").lacks(t, text)
	keys, _, err := w.keys.List(t.Context(), boss(), apikey.Filter{Kind: apikey.KindPersonal})
	w.must(err)
	one := fmt.Sprintf("%s/%d", ownKeysPath, keys[0].ID)

	b.post(one+"/rotate", "token", b.token(one+"/rotate"), "overlap_until", late).wants(t, 400, "at most 7 days", `id="error-overlap_until"`)
	soon := time.Now().Add(3 * 24 * time.Hour).UTC().Format(time.DateOnly)
	second := shownKey(t, b.post(one+"/rotate", "token", b.token(one+"/rotate"), "overlap_until", soon))
	if !w.works(text) || !w.works(second) {
		t.Error("the two texts do not overlap")
	}
	b.post(one+"/rotate", "token", b.token(one+"/rotate"), "overlap_until", soon).wants(t, 409, "two live secrets already")

	// Others cannot reach it, and it ends with the person.
	w.admin().get(one+"/end").wants(t, 404)
	w.must(w.people.Deactivate(t.Context(), boss(), u.ID))
	if w.works(second) {
		t.Error("the key of a deactivated person works")
	}
	_, err = w.people.Reactivate(t.Context(), boss(), u.ID)
	w.must(err)
	b = w.signIn("bo@example.com", adaPassword)
	b.get(one+"/end").wants(t, 200, "End “mine”?")
	b.post(one+"/end").leads(t, ownKeysPath)
	b.get(ownKeysPath).wants(t, 200, "The key was ended.", "You have no keys")
	if w.works(second) {
		t.Error("the key works after its end")
	}
	b.post(one+"/end").wants(t, 404)
}

func TestPersonalKeysWithoutAGroup(t *testing.T) {
	w := ready(t)
	w.allowPersonal(apikey.Policy{})
	b := w.admin()
	b.get(ownKeysPath+"/new").wants(t, 200, "Administrators", "it never ends")
	shownKey(t, b.post(ownKeysPath+"/new", "token", b.token(ownKeysPath+"/new"), "name", "small"))
	keys, _, err := w.keys.List(t.Context(), boss(), apikey.Filter{Kind: apikey.KindPersonal})
	w.must(err)
	if keys[0].Group.ID != access.AllUsers {
		t.Errorf("a key without a group is in %v", keys[0].Group)
	}
}
