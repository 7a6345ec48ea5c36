package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/usage"
	"latchkey/internal/web"
)

// made makes a key from a draft, in All Users unless it says otherwise.
func (w *world) made(d apikey.Draft) (apikey.Key, string) {
	w.t.Helper()
	if d.Groups == nil {
		d.Groups = []int64{access.AllUsers}
	}
	k, text, err := w.keys.Make(w.t.Context(), boss(), d)
	w.must(err)
	return k, text.Reveal()
}

// human makes a person without a password.
func (w *world) human(email string) people.User {
	w.t.Helper()
	u, err := w.people.Create(w.t.Context(), boss(), people.NewUser{Email: email, Groups: []int64{access.AllUsers}})
	w.must(err)
	return u
}

func (w *world) any(id int64) apikey.Key {
	w.t.Helper()
	k, err := w.keys.GetAny(w.t.Context(), boss(), id)
	w.must(err)
	return k
}

func page(id int64, rest ...string) string {
	path := fmt.Sprintf("%s/%d", keysPath, id)
	for _, r := range rest {
		path += r
	}
	return path
}

func in(d time.Duration) opt.Value[time.Time] { return opt.Of(time.Now().UTC().Add(d)) }

// TestKeyStates lists keys in all states, by its filters and its notices.
func TestKeyStates(t *testing.T) {
	w := ready(t)
	ctx, b := t.Context(), w.admin()
	w.made(apikey.Draft{Name: "plain one"})
	w.made(apikey.Draft{Name: "ending one", ExpiresAt: in(20 * time.Hour), Tags: []string{"finance"}})
	w.made(apikey.Draft{Name: "later one", ExpiresAt: in(20 * 24 * time.Hour)})
	off, _ := w.made(apikey.Draft{Name: "off one"})
	_, err := w.keys.Disable(ctx, boss(), off.ID, "moving house", nil)
	w.must(err)
	gone, _ := w.made(apikey.Draft{Name: "gone one"})
	w.must(w.keys.Delete(ctx, boss(), gone.ID))
	owner := w.human("bo@example.com")
	w.made(apikey.Draft{Name: "orphan one", OwnerID: owner.ID})
	w.must(w.people.Deactivate(ctx, boss(), owner.ID))
	turning, _ := w.made(apikey.Draft{Name: "turning one"})
	_, _, err = w.keys.Rotate(ctx, boss(), turning.ID, apikey.Overlap{SilentDays: 3})
	w.must(err)

	b.get(keysPath).wants(t, 200, "1 key ends within 1 day, 2 within 30 days.", "1 key waits for a new owner", "moving house",
		">ends in 19 hours<", ">ends in 19 days<", ">rotating<", ">needs an owner<", ">disabled<").lacks(t, "gone one")
	for filter, want := range map[string][]string{
		"state=active":             {"plain one", "later one", "orphan one"},
		"state=disabled":           {"off one"},
		"state=expiring":           {"ending one", "later one"},
		"state=expiring&within=1":  {"ending one"},
		"state=review":             {"orphan one"},
		"state=deleted":            {"gone one", ">deleted<"},
		"state=expired":            {"No API key is like this"},
		"state=personal":           {"No personal keys"},
		"tag=finance":              {"ending one", "Tag: finance"},
		"state=expiring&q=later":   {"later one"},
		"state=nonsense&tag=&q=in": {"plain one"},
	} {
		b.get(keysPath+"?"+filter).wants(t, 200, want...)
	}
	b.get(keysPath+"?state=disabled").lacks(t, "plain one</a>", "gone one")
	b.get(keysPath+"?state=expiring&within=1").lacks(t, "later one</a>")
	b.get(page(gone.ID)).wants(t, 200, "This key was deleted").lacks(t, "/rotate", "/edit", "Retire now")
	b.get(page(gone.ID, "/edit")).wants(t, 404)
}

// TestAlarmNotice says that a retired secret was tried.
func TestAlarmNotice(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, old := w.made(apikey.Draft{Name: "leaky"})
	_, _, err := w.keys.Regenerate(t.Context(), boss(), k.ID)
	w.must(err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.keys.Watch(ctx, w.verifier); close(done) }()
	if w.works(old) {
		t.Fatal("the old text works")
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		alarms, err := w.keys.RecentAlarms(t.Context(), boss(), time.Now().Add(-time.Hour))
		w.must(err)
		if len(alarms) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no alarm")
		}
	}
	stop()
	<-done
	b.get(keysPath).wants(t, 200, "A retired secret of “leaky” was tried just now", page(k.ID)+"#secrets")
	b.get(keysPath+"?state=alarm").wants(t, 200, "leaky</a>", "A retired secret was tried")
	b.get(page(k.ID)).wants(t, 200, ">retired<", "tried <time")
}

func TestCreateKeyWithOptions(t *testing.T) {
	w := ready(t)
	b := w.admin()
	owner := w.human("bo@example.com")
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	end := time.Now().UTC().Add(40 * 24 * time.Hour).Format(time.DateOnly)
	b.get(keysPath+"/new").wants(t, 200, "More options", "Restrictions", "It never ends, unless", `value="people:read"`, "GET /api/user")
	form := func(pairs ...string) answer {
		return b.post(keysPath+"/new", append([]string{
			"token", b.token(keysPath + "/new"), "name", "full", "group_id", "1", "more_groups", fmt.Sprint(g.ID), "description", "For the night.",
			"owner", "BO@example.com", "tags", "b, a,", "ends", "date", "expires_at", end, "read_only", "yes", "scope", "people:read",
		}, pairs...)...)
	}
	form("successor", "nobody@example.com").wants(t, 400, "No active person has this e-mail address.", "<details class=\"more\" open>", "For the night.")
	form("successor", "bo@example.com").wants(t, 400, "The successor must be somebody else than the owner.")
	form("addresses", "nowhere", "rate_requests", "5").wants(t, 400, "Please look at what is marked", "Must be a whole number.")
	form("addresses", "nowhere").wants(t, 400, `"nowhere" is neither an address nor a network`, `id="error-addresses"`)
	form("resource-people", "777").wants(t, 400, "There is nothing of the kind people with the id 777.")
	form("hours_from", "08:00", "hours_to", "08:00").wants(t, 400, "From and to are the same")
	form("addresses", "10.0.0.0/8\n2001:db8::1", "rate_requests", "5", "rate_seconds", "60").wants(t, 200, "can't show it to you again")
	k := w.onlyKey()
	want := access.Restriction{ReadOnly: true, Scopes: []string{"people:read"}, Addresses: []string{"10.0.0.0/8", "2001:db8::1"}, RateLimit: &access.RateLimit{Requests: 5, Seconds: 60}}
	if !k.Restriction.Equal(want) || k.Owner.ID != owner.ID || k.Description != "For the night." || fmt.Sprint(k.Tags) != "[a b]" || k.Group.Name != "Analysts" || k.ExpiresAt.Format(time.DateOnly) != end {
		t.Errorf("made %+v", k)
	}
}

func TestKeyEndFollowsThePolicy(t *testing.T) {
	w := ready(t)
	b := w.admin()
	_, _, err := w.keys.SetPolicy(t.Context(), boss(), apikey.Instance, apikey.Policy{DefaultDays: 30, MaxDays: 90}, apikey.Existing{})
	w.must(err)
	b.get(keysPath+"/new").wants(t, 200, "It ends after 30 days, on").lacks(t, `value="never"`)
	far := time.Now().UTC().Add(100 * 24 * time.Hour).Format(time.DateOnly)
	form := []string{"name", "kept", "group_id", "1", "ends", "date", "expires_at", far}
	b.post(keysPath+"/new", append(form, "token", b.token(keysPath+"/new"))...).wants(t, 400, "The policy lets keys live for at most 90 days", `id="error-expires_at"`)
	b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", "kept", "group_id", "1", "ends", "policy").wants(t, 200)
	if left := time.Until(*w.onlyKey().ExpiresAt); left < 29*24*time.Hour || left > 30*24*time.Hour {
		t.Errorf("it ends in %v", left)
	}
}

func TestEditKeyOptions(t *testing.T) {
	w := ready(t)
	b := w.admin()
	owner := w.human("bo@example.com")
	k, _ := w.made(apikey.Draft{Name: "before", OwnerID: owner.ID, Tags: []string{"a"}, Description: "old", ExpiresAt: in(50*24*time.Hour + time.Minute)})
	path := page(k.ID, "/edit?over=rights")
	b.get(path).wants(t, 200, `value="bo@example.com"`, ">old</textarea>", k.ExpiresAt.Format(time.DateOnly), "What it may do")
	full := []string{"name", "after", "group_id", "2", "had", "yes", "description", "new", "tags", "x, y", "ends", "date", "expires_at", k.ExpiresAt.Format(time.DateOnly)}
	b.post(path, append(full, "owner", "bo@example.com")...).leads(t, page(k.ID, "?tab=rights"))
	got := w.any(k.ID)
	if got.Name != "after" || got.Group.ID != 2 || got.Description != "new" || fmt.Sprint(got.Tags) != "[x y]" || got.Owner.ID != owner.ID || !got.ExpiresAt.Equal(*k.ExpiresAt) {
		t.Errorf("after an edit: %+v", got)
	}
	w.must(w.people.Deactivate(t.Context(), boss(), owner.ID))
	b.post(path, append(full, "owner", "bo@example.com")...).leads(t, page(k.ID, "?tab=rights")) // who was there may stay
	b.post(path, append(full, "owner", "")...).leads(t, page(k.ID, "?tab=rights"))
	b.post(path, "name", "after", "group_id", "2", "had", "yes", "ends", "never").leads(t, page(k.ID, "?tab=rights"))
	if got := w.any(k.ID); got.Owner.ID != 0 || got.ExpiresAt != nil || len(got.Tags) != 0 {
		t.Errorf("after emptying: %+v", got)
	}
	b.post(path, "name", "after", "group_id", "2", "had", "yes", "ends", "date", "expires_at", "2001-01-01").wants(t, 400, "The end must be in the future.")
}

func TestRotateOnItsPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, old := w.made(apikey.Draft{Name: "turning"})
	path := page(k.ID, "/rotate?over=about")
	try := func(pairs ...string) answer {
		return b.post(path, append(pairs, "token", b.token(path))...)
	}
	try("overlap", "date", "overlap_until", "soon").wants(t, 400, "Choose a date.", `id="error-overlap_until"`)
	try("overlap", "date", "overlap_until", "2001-01-01").wants(t, 400, "The end of the overlap must be in the future.")
	try("overlap", "silent", "silent_days", "x").wants(t, 400, "Must be a whole number of days.")
	next := shownKey(t, try("overlap", "silent", "silent_days", "3").wants(t, 200, "The old one ends when it was not used for 3 days.", page(k.ID)+`">Done`))
	if !w.works(old) || !w.works(next) {
		t.Error("both secrets must work")
	}
	try("overlap", "silent", "silent_days", "3").wants(t, http.StatusConflict, "This key has two live secrets already")
	secrets, err := w.keys.Secrets(t.Context(), boss(), k.ID)
	w.must(err)
	b.get(page(k.ID)).wants(t, 200, "retires after 3 days without use", ">live<")
	retire := page(k.ID, fmt.Sprintf("/secrets/%d/retire", secrets[1].ID))
	b.get(retire).wants(t, 200, "Retire this secret?").lacks(t, "It is the only one that works")
	b.post(retire).leads(t, page(k.ID)+"#secrets")
	if w.works(old) || !w.works(next) {
		t.Error("only the new secret must work")
	}
	b.get(page(k.ID, fmt.Sprintf("/secrets/%d/retire", secrets[0].ID))).wants(t, 200, "It is the only one that works")
	b.get(page(k.ID, "/secrets/999/retire")).wants(t, 404)
	final := shownKey(t, try("overlap", "now").wants(t, 200, "The old one has stopped working."))
	if w.works(next) || !w.works(final) {
		t.Error("rotating at once ends the old secret")
	}
}

func TestDisableOnItsPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, text := w.made(apikey.Draft{Name: "resting"})
	path := page(k.ID, "/disable?over=usage")
	b.get(path).wants(t, 200, "It was never used.")
	b.post(path, "reason", " ").wants(t, 400, "Say why", `id="error-reason"`)
	b.post(path, "reason", "why", "until", "2001-01-01").wants(t, 400, "The end must be in the future.", `id="error-until"`)
	b.post(path, "reason", "why", "until", "soon").wants(t, 400, "Choose a date, or leave it empty.")
	b.post(path, "reason", "a holiday").leads(t, page(k.ID, "?tab=usage"))
	b.get(page(k.ID)).wants(t, 200, "a holiday", "by Ada Admin", page(k.ID, "/enable"))
	if w.works(text) {
		t.Error("a disabled key works")
	}
	b.get(page(k.ID, "/enable")).wants(t, 200, "Enable resting?", "a holiday")
	b.post(page(k.ID, "/enable")).leads(t, keysPath+fmt.Sprintf("#key-%d", k.ID))
	if !w.works(text) {
		t.Error("an enabled key does not work")
	}
}

// restrictions are of all kinds.
func restrictions() []access.Restriction {
	return []access.Restriction{
		{},
		{ReadOnly: true},
		{Scopes: []string{"groups:write", "people:read"}, Routes: []string{"GET /api/user", "PUT /api/user/{id}"}},
		{Resources: map[string][]string{"people": {"1", "2"}, "settings": {"site-name"}}, Fields: map[string][]string{"people": {"first_name"}}},
		{Addresses: []string{"10.0.0.0/8", "2001:db8::/32"}, RateLimit: &access.RateLimit{Requests: 3, Seconds: 9}, Quota: &access.Quota{Requests: 7, Period: "month"}},
		{Hours: &access.Hours{Days: []string{"mon", "sun"}, From: "22:00", To: "06:00", Zone: "Europe/Berlin"}},
		{Hours: &access.Hours{From: "08:00", To: "24:00"}, ReadOnly: true},
	}
}

// TestRestrictionForm shows restrictions in a form and reads them back.
func TestRestrictionForm(t *testing.T) {
	for _, want := range restrictions() {
		got, err := web.ThroughForm(want)
		if err != nil || !got.Equal(want) {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
}

func TestRestrictOnItsPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, _ := w.made(apikey.Draft{Name: "narrow"})
	path := page(k.ID, "/restriction")
	b.get(page(k.ID, "?tab=rights")).wants(t, 200, "None: it may do all that its groups may.", "Restrict it")
	b.get(path).wants(t, 200, "Restrict narrow", `aria-label="Write people"`, "first_name, last_name", "List people", "Europe/Berlin")
	b.post(path, "do", "save", "field-people", "shoe_size").wants(t, 400, `No route writes the field "shoe_size"`, `value="shoe_size"`)
	b.post(path, "do", "save", "scope", "people:eat").wants(t, 400, `"people:eat" is no scope`)
	b.post(path, "do", "trial").wants(t, 400, "A trial needs a restriction that restricts something.")
	b.post(path, "do", "save", "scope", "people:read", "scope", "people:write", "field-people", "first_name", "quota_requests", "5", "quota_period", "day").
		leads(t, page(k.ID, "?tab=rights"))
	b.get(page(k.ID, "?tab=rights")).wants(t, 200, "Only these kinds: people (read and write).", "Of the fields of people it writes only first_name.",
		"At most 5 requests a day (UTC).", `"quota"`)
	b.get(path).wants(t, 200, `value="people:read" aria-label="Read people" checked`)
	b.post(path, "do", "trial", "scope", "groups:read").wants(t, 400, "The restriction on trial must allow no more than the key's restriction does.")
	b.post(path, "do", "save").leads(t, page(k.ID, "?tab=rights"))
	if got := w.any(k.ID); !got.Restriction.IsZero() {
		t.Errorf("still restricted: %+v", got.Restriction)
	}
}

// use counts requests of a key.
func (w *world) use(k apikey.Key, route string, status int, refusal string, n int) {
	w.t.Helper()
	secrets, err := w.keys.Secrets(w.t.Context(), boss(), k.ID)
	w.must(err)
	for range n {
		w.usage.Record(&usage.Use{
			KeyID: k.ID, SecretID: secrets[0].ID, Route: route, Status: status, Refusal: refusal, Trial: refusal,
			Addr: netip.MustParseAddr("192.0.2.7"), Agent: "nightly/2.1", At: time.Now().UTC(),
		})
	}
}

func TestUsageOnItsPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, _ := w.made(apikey.Draft{Name: "busy"})
	b.get(page(k.ID, "?tab=usage")).wants(t, 200, "0 requests in the last 48 hours", "None yet.", "No request was left out so far.")
	b.get(page(k.ID)).wants(t, 200, "has not been used yet")
	w.use(k, "GET /api/user", 200, "", 1200)
	w.use(k, "PUT /api/user/{id}", 403, "scope", 30)
	w.use(k, "GET /api/user", 500, "", 1)
	for _, span := range []string{"", "&range=days", "&range=nonsense"} {
		b.get(page(k.ID, "?tab=usage"+span)).wants(t, 200, "1,231 requests", "answered 1,200", "refused 30", "failed 1", "another kind or verb",
			`class="chart-ok"`, `class="chart-refused"`, `class="chart-failed"`, "1,200 answered, 30 refused, 1 failed", "192.0.2.7", "nightly/2.1", "left no row here")
	}
	b.get(page(k.ID)).wants(t, 200, "In use", "192.0.2.7")
	b.get(keysPath).wants(t, 200, "just now")
	b.get(page(k.ID, "/delete")).wants(t, 200, "In use", "nightly/2.1 at 192.0.2.7")
	w.must(w.keys.Delete(t.Context(), boss(), k.ID))
	b.get(page(k.ID, "?tab=usage")).wants(t, 200, "1,231 requests", "This key was deleted")
	b.get(page(k.ID, "?tab=least")).wants(t, 200, "About")
}

func TestTrialOnItsPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k, _ := w.made(apikey.Draft{Name: "learning"})
	least := page(k.ID, "?tab=least")
	b.get(least).wants(t, 200, "There is nothing to propose: it made no requests in this time").lacks(t, "Run on trial")
	b.get(page(k.ID, "/trial/enforce")).wants(t, 404)
	b.post(page(k.ID, "/trial/enforce")).wants(t, http.StatusConflict, "This key has no restriction on trial")
	w.use(k, "GET /api/user", 200, "", 5)
	b.get(least).wants(t, 200, "It only reads.", "Only these kinds: people (read).", "Run on trial", "192.0.2.7")
	b.get(page(k.ID, "/restriction?from=suggestion")).wants(t, 200, "filled in with what the key really did", `value="people:read" aria-label="Read people" checked`)
	b.post(page(k.ID, "/trial"), "restriction", "{").wants(t, 400, "Must be a JSON object")
	b.post(page(k.ID, "/trial"), "restriction", `{"read_only": true, "scopes": ["people:read"]}`).leads(t, least)
	b.get(least).wants(t, 200, "On trial", "The key made no requests since then.")
	w.use(k, "PUT /api/user/{id}", 200, access.CodeReadOnly, 2)
	b.get(least).wants(t, 200, "It would have refused 2 requests", "it only reads", "PUT /api/user/{id}")
	b.get(page(k.ID, "/trial/enforce?over=least")).wants(t, 200, "it would have refused 2 requests.")
	b.post(page(k.ID, "/trial/end")).leads(t, least)
	if w.any(k.ID).Trial != nil {
		t.Error("the trial goes on")
	}
	b.post(page(k.ID, "/trial"), "restriction", `{"read_only": true}`).leads(t, least)
	b.post(page(k.ID, "/trial/enforce")).leads(t, page(k.ID, "?tab=rights"))
	if got := w.any(k.ID); !got.Restriction.ReadOnly || got.Trial != nil {
		t.Errorf("after enforcing: %+v", got)
	}
}

// TestPersonalKeyInTheList is a key of a person, which the administrator sees
// and ends.
func TestPersonalKeyInTheList(t *testing.T) {
	w := ready(t)
	b := w.admin()
	_, _, err := w.keys.SetPolicy(t.Context(), boss(), apikey.Instance, apikey.Policy{AllowPersonal: true}, apikey.Existing{})
	w.must(err)
	bo := w.human("bo@example.com")
	k, _, err := w.keys.MakePersonal(t.Context(), &access.Principal{Kind: access.Person, UserID: bo.ID, Groups: []int64{1}}, apikey.Draft{Name: "mine"})
	w.must(err)
	b.get(keysPath).wants(t, 200, "mine</a>", ">personal<")
	b.get(keysPath+"?state=personal").wants(t, 200, "mine</a>")
	b.get(page(k.ID)).wants(t, 200, "personal: it acts as", "bo@example.com")
	b.get(page(k.ID, "?tab=rights")).wants(t, 200, "It may do what bo@example.com may")
	b.get(page(k.ID, "/edit")).wants(t, 200).lacks(t, `name="group_id"`, `name="owner"`)
	b.post(page(k.ID, "/edit"), "name", "theirs", "had", "yes", "ends", "never").leads(t, keysPath+fmt.Sprintf("#key-%d", k.ID))
	if got := w.any(k.ID); got.Name != "theirs" || got.Owner.ID != bo.ID {
		t.Errorf("after an edit: %+v", got)
	}
	b.post(page(k.ID, "/delete")).leads(t, keysPath)
}
