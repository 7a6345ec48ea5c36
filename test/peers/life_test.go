package peers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func expiry(t *testing.T) {
	h := start(t)
	k := h.make([]int64{2}, body{"expires_at": in(1500 * time.Millisecond)})
	h.works(k, true)
	soon(t, "the key ends", func() bool { return h.call(k, "GET", "/api/user/current", nil).Status == 401 })
	if got := h.get(k.ID).State; got != "expired" {
		t.Errorf("an ended key is %s", got)
	}
	h.Admin(200, nil, "PUT", "/v1/policies/0", body{"default_days": 90, "max_days": 365})
	usual := h.make([]int64{2}, nil)
	if usual.ExpiresAt == nil || time.Until(*usual.ExpiresAt).Round(day) != 90*day {
		t.Errorf("without an end of its own, a key ends %v", usual.ExpiresAt)
	}
	h.problem(h.asAdmin("POST", "/v1/keys", body{"name": "eternal", "expires_at": nil}), 400, "policy-max-days")
	h.Admin(200, nil, "PUT", "/v1/policies/0", body{"default_days": 90})
	if never := h.make([]int64{2}, body{"expires_at": nil}); never.ExpiresAt != nil {
		t.Errorf("a key that may live for ever ends %v", never.ExpiresAt)
	}
}

func maxLifetime(t *testing.T) {
	h := start(t)
	sales := h.Group("Sales")
	old := h.make([]int64{sales}, body{"name": "old"})
	policy := fmt.Sprintf("/v1/policies/%d", sales)
	var seen struct {
		Total int
		Data  []struct {
			Key     struct{ ID int64 }
			Problem string
		}
	}
	h.Admin(200, &seen, "POST", policy+"/preview", body{"max_days": 30}) // before it is switched on
	if seen.Total != 1 || seen.Data[0].Key.ID != old.ID || seen.Data[0].Problem != "policy-max-days" {
		t.Errorf("the preview shows %+v", seen)
	}
	h.Admin(200, nil, "PUT", policy, body{"max_days": 30})

	// Every way of making a key keeps to it.
	tooLong := body{"name": "x", "group_ids": []int64{sales}, "expires_at": in(31 * day)}
	h.problem(h.asAdmin("POST", "/v1/keys", tooLong), 400, "policy-max-days")
	h.make([]int64{2}, body{"expires_at": in(31 * day)}) // another group
	id, _ := h.Key("through the dialect", sales)
	if end := h.get(id).ExpiresAt; end == nil || time.Until(*end) > 30*day {
		t.Errorf("a key made under /api ends %v", end)
	}
	if code, _, stderr := h.Run("", "key", "create", "--name", "y", "--group", "Sales", "--expires", "31d"); code != 1 || !strings.Contains(stderr, "at most 30 days") {
		t.Errorf("the command line: %d %s", code, stderr)
	}
	file := filepath.Join(t.TempDir(), "seed.yml")
	for _, c := range []struct{ name, end string }{{"seeded for long", "    expires_in_days: 31\n"}, {"seeded", ""}} {
		_, text, _ := h.Run("", "key", "generate")
		_, hash, _ := h.Run(text, "seed", "hash")
		seed := fmt.Sprintf("version: 1\nkeys:\n  - name: %s\n    groups: [Sales]\n    hash: %s\n%s", c.name, strings.TrimSpace(hash), c.end)
		if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := h.Run("", "seed", "apply", file)
		if refused := code == 1 && strings.Contains(stderr, "at most 30 days"); refused != (c.end != "") || !refused && code != 0 {
			t.Errorf("%s: %d %s", c.name, code, stderr)
		}
	}
	h.Admin(200, &seen, "POST", policy+"/preview", body{"max_days": 30})
	if seen.Total != 1 {
		t.Errorf("a seed made a key that lives longer: %+v", seen)
	}
	h.problem(h.asAdmin("PATCH", fmt.Sprintf("/v1/keys/%d", old.ID), body{"expires_at": in(40 * day)}), 400, "policy-max-days")
	h.Admin(200, nil, "PUT", policy, body{"max_days": 30, "existing": body{"cap": true}})
	if end := h.get(old.ID).ExpiresAt; end == nil || time.Until(*end) > 30*day {
		t.Errorf("an older key is not capped: %v", end)
	}
}

func expiryWarnings(t *testing.T) {
	data := t.TempDir()
	token := "0123456789abcdef-metrics"
	h := startIn(t, data, "LATCHKEY_METRICS_TOKEN="+token)
	h.Setup()
	late := h.make([]int64{2}, body{"expires_at": in(40 * day)})
	ends := map[string]key{}
	for name, d := range map[string]time.Duration{"month": 20 * day, "week": 5 * day, "day": 12 * time.Hour} {
		ends[name] = h.make([]int64{2}, body{"name": "ends-in-a-" + name, "expires_at": in(d)})
	}
	for name, k := range ends {
		if h.call(k, "GET", "/api/user/current", nil).Header.Get("Latchkey-Key-Expires") == "" {
			t.Errorf("a key that ends in a %s is not told", name)
		}
	}
	if got := h.call(late, "GET", "/api/user/current", nil).Header.Get("Latchkey-Key-Expires"); got != "" {
		t.Errorf("a key that ends in 40 days is told %q", got)
	}
	if page := h.page("/admin/settings/authentication/api-keys?state=expiring"); !strings.Contains(page, "ends-in-a-day") {
		t.Error("the page does not show the key that ends soon")
	}
	h.Stop()
	h = startIn(t, data, "LATCHKEY_METRICS_TOKEN="+token) // the housekeeping runs at the start
	for name, days := range map[string]string{"month": "days=20", "week": "days=5", "day": "days=1"} {
		soon(t, "the log warns of "+name, func() bool {
			_, rest, found := strings.Cut(h.Log(), "ends-in-a-"+name)
			line, _, _ := strings.Cut(rest, "\n")
			return found && strings.Contains(line, days)
		})
	}
	all := h.Do("GET", "/metrics", nil, "Authorization", "Bearer "+token).Body
	for _, want := range []string{`{within="1d"} 1`, `{within="7d"} 2`, `{within="30d"} 3`} {
		if !strings.Contains(all, "latchkey_keys_expiring"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func rotation(t *testing.T) {
	h := start(t)
	old := h.admins(nil)
	h.works(old, true)
	fresh := key{Name: "the new text"}
	h.on(old, 200, &fresh, "POST", "/rotate", body{"overlap_days": 7, "silent_days": 2})
	if fresh.ID != old.ID || fresh.Key == old.Key {
		t.Errorf("rotation made key %d of key %d", fresh.ID, old.ID)
	}
	h.works(fresh, true)
	if a := h.call(old, "GET", "/api/user/current", nil); a.Status != 200 || a.Header.Get("Latchkey-Secret-Retires") == "" {
		t.Errorf("the old text is answered %d and told %q", a.Status, a.Header.Get("Latchkey-Secret-Retires"))
	}
	newest, oldest := h.secrets(old)
	if newest.State != "live" || oldest.State != "retiring" || oldest.SilentDays != 2 || oldest.RetireAt == nil {
		t.Errorf("the secrets are %+v and %+v", newest, oldest)
	}
	soon(t, "each secret has its last use", func() bool {
		newest, oldest = h.secrets(old)
		return newest.LastUsed != nil && oldest.LastUsed != nil
	})
	h.on(old, 204, nil, "POST", fmt.Sprintf("/secrets/%d/retire", oldest.ID), nil)
	h.works(old, false)
	h.works(fresh, true)
	soon(t, "the use of the retired secret is noticed", func() bool {
		_, oldest = h.secrets(old)
		return oldest.TriedAt != nil
	})
	h.on(old, 200, nil, "POST", "/rotate", body{}) // and without overlap
	h.works(fresh, false)
}

// secret is a secret of a key.
type secret struct {
	ID         int64
	State      string
	SilentDays int        `json:"silent_days"`
	RetireAt   *time.Time `json:"retire_at"`
	TriedAt    *time.Time `json:"tried_at"`
	LastUsed   *use       `json:"last_used"`
}

// secrets returns the newest and the oldest secret of a key.
func (h *house) secrets(k key) (newest, oldest secret) {
	h.t.Helper()
	var all struct{ Data []secret }
	h.on(k, 200, &all, "GET", "/secrets", nil)
	if len(all.Data) != 2 {
		h.t.Fatalf("the key has the secrets %+v", all.Data)
	}
	a, b := all.Data[0], all.Data[1]
	if a.ID < b.ID {
		a, b = b, a
	}
	return a, b
}

func revoke(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	h.works(k, true) // warm
	h.on(k, 204, nil, "DELETE", "", nil)
	h.works(k, false)
	gone := h.get(k.ID) // its history stays
	if gone.State != "deleted" {
		t.Errorf("a deleted key is %s", gone.State)
	}
	id, text := h.Key("through the dialect", 2)
	k = key{ID: id, Key: text}
	h.works(k, true)
	h.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", id), nil)
	h.works(k, false)
}

func disable(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	h.works(k, true)
	h.on(k, 200, nil, "POST", "/disable", body{"reason": "leaked in a log"})
	h.works(k, false)
	if got := h.get(k.ID); got.State != "disabled" || got.Disabled == nil || got.Disabled.Reason != "leaked in a log" {
		t.Errorf("the key is %s: %+v", got.State, got.Disabled)
	}
	h.on(k, 200, nil, "POST", "/enable", nil)
	h.works(k, true)
	h.on(k, 200, nil, "POST", "/disable", body{"reason": "maintenance", "until": in(1500 * time.Millisecond)})
	h.works(k, false)
	soon(t, "it is enabled again by itself", func() bool { return h.call(k, "GET", "/api/user/current", nil).Status == 200 })
	h.problem(h.asAdmin("POST", fmt.Sprintf("/v1/keys/%d/disable", k.ID), body{}), 400, "invalid") // not without a reason
}

func personalAndService(t *testing.T) {
	h := start(t)
	sales := h.Group("Sales")
	bo, session := h.Person("bo@example.com", sales, 2)
	ask := func(status int, out any, in any) {
		h.Want(status, out, "POST", "/v1/personal-keys", in, "X-Metabase-Session", session)
	}
	ask(403, nil, body{"name": "too early"})
	h.Admin(200, nil, "PUT", "/v1/policies/0", body{"allow_personal": true})
	var mine, less key
	ask(201, &mine, body{"name": "mine", "group_ids": []int64{2}})
	ask(201, &less, body{"name": "less", "group_ids": []int64{sales}})
	ask(400, nil, body{"name": "foreign", "group_ids": []int64{h.Group("Foreign")}})

	var me struct{ ID int64 }
	h.Want(200, &me, "GET", "/api/user/current", nil, "X-API-Key", mine.Key)
	if me.ID != bo {
		t.Errorf("a personal key acts as user %d, not %d", me.ID, bo)
	}
	h.want(h.call(mine, "GET", "/api/api-key", nil), 200, "")
	h.want(h.call(less, "GET", "/api/api-key", nil), 403, "group") // chosen groups only
	h.make([]int64{2}, body{"name": "service"})
	var both struct{ Data []key }
	h.Admin(200, &both, "GET", "/v1/keys?kind=any", nil)
	if len(both.Data) != 3 {
		t.Errorf("the list of both kinds has %+v", both.Data)
	}
	h.on(mine, 204, nil, "DELETE", "", nil) // by the administrator
	h.works(mine, false)
}

func diesWithOwner(t *testing.T) {
	h := start(t)
	h.Admin(200, nil, "PUT", "/v1/policies/0", body{"allow_personal": true})
	bo, session := h.Person("bo@example.com")
	eve, _ := h.Person("eve@example.com")
	var personal key
	h.Want(201, &personal, "POST", "/v1/personal-keys", body{"name": "mine"}, "X-Metabase-Session", session)
	followed := h.make([]int64{2}, body{"owner_id": bo, "successor_id": eve})
	alone := h.make([]int64{2}, body{"owner_id": bo})
	h.works(personal, true)
	h.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", bo), nil)
	h.works(personal, false)
	h.works(followed, true)
	if got := h.get(followed.ID); got.Owner == nil || got.Owner.ID != eve || got.ReviewSince != nil {
		t.Errorf("the key with a successor is %+v", got)
	}
	if got := h.get(alone.ID); got.ReviewSince == nil {
		t.Errorf("the key without a successor is %+v", got)
	}
	var waiting struct{ Data []key }
	h.Admin(200, &waiting, "GET", "/v1/keys?review=true", nil)
	if len(waiting.Data) != 1 || waiting.Data[0].ID != alone.ID {
		t.Errorf("the review list has %+v", waiting.Data)
	}

	// Who leaves the group takes the keys along that act in it.
	ann, session := h.Person("ann@example.com", 2)
	h.Want(201, &personal, "POST", "/v1/personal-keys", body{"name": "hers", "group_ids": []int64{2}}, "X-Metabase-Session", session)
	h.want(h.call(personal, "GET", "/api/api-key", nil), 200, "")
	var all map[string][]struct {
		ID    int64 `json:"membership_id"`
		Group int64 `json:"group_id"`
	}
	h.Admin(200, &all, "GET", "/api/permissions/membership", nil)
	for _, m := range all[fmt.Sprint(ann)] {
		if m.Group == 2 {
			h.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/membership/%d", m.ID), nil)
		}
	}
	if got := h.call(personal, "GET", "/api/api-key", nil).Status; got != 401 {
		t.Errorf("the key of a person who left its group is answered %d", got)
	}
}
