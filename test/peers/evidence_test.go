package peers_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

func lastUsed(t *testing.T) {
	h := start(t, "LATCHKEY_TRUSTED_PROXIES=127.0.0.1")
	k := h.admins(nil)
	if h.get(k.ID).LastUsed != nil {
		t.Error("a new key was used")
	}
	h.want(h.call(k, "GET", "/api/user/1", nil, "X-Forwarded-For", "192.0.2.7", "User-Agent", "export/2"), 200, "")
	soon(t, "the use is seen", func() bool { return h.get(k.ID).LastUsed != nil })
	last := *h.get(k.ID).LastUsed
	if last.Address != "192.0.2.7" || last.Client != "export/2" || last.Route != "GET /api/user/{id}" || last.At.IsZero() {
		t.Errorf("the last use is %+v", last)
	}
	fresh := key{ID: k.ID}
	h.on(k, 200, &fresh, "POST", "/rotate", body{"overlap_days": 1})
	h.want(h.call(fresh, "GET", "/v1/self", nil, "X-Forwarded-For", "198.51.100.7"), 200, "")
	soon(t, "each secret shows its own last use", func() bool {
		newest, oldest := h.secrets(k)
		return newest.LastUsed != nil && newest.LastUsed.Address == "198.51.100.7" && oldest.LastUsed.Address == "192.0.2.7"
	})
}

func usageLog(t *testing.T) {
	data := t.TempDir()
	h := startIn(t, data)
	h.Setup()
	k := h.make(nil, nil)
	const good, bad = 700, 5 // more than 500 within 10 seconds
	for range good {
		h.call(k, "GET", "/api/user/current", nil)
	}
	for range bad {
		h.call(k, "GET", "/api/user", nil)
	}
	session := h.Session
	h.Stop() // what was not written yet is written now
	h = startIn(t, data)
	h.Session = session
	var used struct {
		Totals struct{ Requests, OK, Refused int64 }
		Routes []struct {
			Route string
			Count int64
		}
		Refusals []struct {
			Code  string
			Count int64
		}
	}
	h.on(k, 200, &used, "GET", "/usage?by=hour", nil)
	if n := used.Totals; n.Requests != good+bad || n.OK != good || n.Refused != bad {
		t.Errorf("the counters have %+v", n)
	}
	if len(used.Routes) != 2 || used.Routes[0].Count != good || len(used.Refusals) != 1 || used.Refusals[0].Code != "group" || used.Refusals[0].Count != bad {
		t.Errorf("routes %+v, refusals %+v", used.Routes, used.Refusals)
	}
	var rows struct {
		Data []struct {
			Route   string
			Status  int
			Refused string
		}
		Dropped struct{ Total, Kept int64 }
	}
	h.on(k, 200, &rows, "GET", "/requests?limit=5", nil)
	if len(rows.Data) != 5 || rows.Data[0].Refused != "group" || rows.Dropped.Total+rows.Dropped.Kept != good+bad {
		t.Errorf("the sampled rows are %+v", rows)
	}
	if page := h.page(fmt.Sprintf("/admin/settings/authentication/api-keys/%d?tab=usage", k.ID)); !strings.Contains(page, "GET /api/user/current") {
		t.Error("the page of the key does not show its routes")
	}
}

func auditLog(t *testing.T) {
	h := start(t)
	k := h.admins(nil)
	h.on(k, 200, nil, "POST", "/disable", body{"reason": "leaked"})
	h.Do("POST", "/api/session", body{"username": apptest.AdminEmail, "password": "wrong"})
	var page struct {
		Data []struct {
			ID     int64
			Action string
			Hash   string
			Actor  struct{ Name string }
		}
	}
	h.Admin(200, &page, "GET", fmt.Sprintf("/v1/audit?key_id=%d&newest=true", k.ID), nil)
	if len(page.Data) < 2 || page.Data[0].Action != "api-key.disable" || page.Data[0].Actor.Name != "Ada Admin" || page.Data[0].Hash == "" {
		t.Errorf("the log of the key is %+v", page.Data)
	}
	export := h.asAdmin("GET", "/v1/audit/export", nil)
	lines := bufio.NewScanner(strings.NewReader(export.Body))
	for n := 1; lines.Scan(); n++ {
		if !strings.HasPrefix(lines.Text(), fmt.Sprintf(`{"id":%d,`, n)) {
			t.Errorf("line %d of the export is %.80s", n, lines.Text())
		}
	}
	if strings.Contains(export.Body, k.Key) {
		t.Error("the log holds the text of a key")
	}
	h.Stop() // refused sign-ins are written once a minute, and now
	if _, stdout, _ := h.Run("", "audit", "list", "--action", "session.refused"); !strings.Contains(stdout, apptest.AdminEmail) {
		t.Errorf("a refused sign-in is not in the log: %s", stdout)
	}
	if code, stdout, stderr := h.Run("", "audit", "verify"); code != 0 || !strings.Contains(stdout, "the chain is whole") {
		t.Errorf("the log is not whole: %d %s %s", code, stdout, stderr)
	}
	if _, err := h.Database().ExecContext(t.Context(), "UPDATE audit SET actor_name = 'Eve' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := h.Run("", "audit", "verify"); code == 0 {
		t.Errorf("a changed entry is not found: %s", stderr)
	}
}

func metrics(t *testing.T) {
	const token = "0123456789abcdef-metrics"
	h := start(t, "LATCHKEY_METRICS_TOKEN="+token)
	k := h.admins(body{"scopes": []string{"people:read"}})
	for range 100 {
		h.call(k, "GET", "/api/user", nil)
	}
	h.call(k, "GET", "/api/api-key", nil)
	h.call(key{Key: "junk"}, "GET", "/api/user", nil)
	if got := h.Do("GET", "/metrics", nil).Status; got != 401 {
		t.Errorf("without the token metrics are answered %d", got)
	}
	all := h.Do("GET", "/metrics", nil, "Authorization", "Bearer "+token).Body
	for _, want := range []string{
		`latchkey_key_checks_total{reason="accepted"} 101`, `latchkey_key_checks_total{reason="malformed"} 1`,
		`latchkey_key_refusals_total{reason="scope"} 1`, "latchkey_key_check_seconds_count", "latchkey_keys_expiring{",
		"latchkey_usage_samples_dropped_total", "latchkey_change_log_lag_seconds", "latchkey_sessions", "latchkey_throttled_total", "go_goroutines",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(all, k.Name) || strings.Contains(all, k.Key) {
		t.Error("the metrics name a key")
	}
}

func explain(t *testing.T) {
	h := start(t)
	mine, other := h.Group("Mine"), h.Group("Other")
	k := h.admins(body{"scopes": []string{"groups:read", "groups:write"}, "resources": body{"groups": []string{fmt.Sprint(mine)}}})
	for _, c := range []struct {
		method, path string
		in           body
		decides      string // "" for what is allowed
	}{
		{"PUT", fmt.Sprintf("/api/permissions/group/%d", mine), body{"name": "New name"}, ""},
		{"PUT", fmt.Sprintf("/api/permissions/group/%d", other), body{"name": "Another"}, "resource"},
		{"GET", "/api/user", nil, "scope"},
		{"POST", "/v1/keys", body{"name": "x"}, "scope"},
	} {
		var said struct {
			Allowed   bool
			Code      string
			DecidedBy string `json:"decided_by"`
			Steps     []struct{ Name string }
		}
		ask := body{"key_id": k.ID, "method": c.method, "path": c.path}
		if c.in != nil {
			ask["body"] = c.in
		}
		h.Admin(200, &said, "POST", "/v1/explain", ask)
		if said.Allowed != (c.decides == "") || said.Code != c.decides || len(said.Steps) == 0 || said.DecidedBy == "" {
			t.Errorf("%s %s is explained by %+v, want %q", c.method, c.path, said, c.decides)
		}
		var sent any
		if c.in != nil {
			sent = c.in
		}
		a := h.call(k, c.method, c.path, sent)
		if got := a.Header.Get("Latchkey-Reason"); got != c.decides {
			t.Errorf("%s %s is answered %d %q, and explained by %q", c.method, c.path, a.Status, got, c.decides)
		}
	}
	full := h.admins(nil) // what if it were read-only?
	h.on(full, 200, nil, "PUT", "/trial", body{"read_only": true})
	h.want(h.call(full, "POST", "/api/permissions/group", body{"name": "Tried"}), 200, "")
	soon(t, "the trial reports", func() bool {
		var report struct{ Total int }
		h.on(full, 200, &report, "GET", "/trial", nil)
		return report.Total == 1
	})
	var proposed struct{ Restriction struct{ Scopes []string } }
	h.on(full, 200, &proposed, "GET", "/suggestion", nil)
	if s := proposed.Restriction.Scopes; len(s) != 1 || s[0] != "groups:write" {
		t.Errorf("the suggestion is %+v", proposed)
	}
	h.on(full, 200, nil, "POST", "/trial/enforce", nil)
	h.want(h.call(full, "POST", "/api/permissions/group", body{"name": "Enforced"}), 403, "read-only")
}

func selfInspection(t *testing.T) {
	h := start(t)
	k := h.make([]int64{2}, body{"restriction": body{"scopes": []string{"people:read"}}, "expires_at": in(40 * day)})
	var me struct {
		Kind   string
		Key    key
		Secret struct{ ID int64 }
		May    struct{ Rotate, Revoke bool }
	}
	self := func() { h.Want(200, &me, "GET", "/v1/self", nil, "X-API-Key", k.Key) }
	self()
	if me.Kind != "api-key" || me.Key.ID != k.ID || me.Key.ExpiresAt == nil || me.Secret.ID == 0 || me.May.Rotate || me.May.Revoke {
		t.Errorf("the key knows of itself %+v", me)
	}
	h.want(h.call(k, "POST", "/v1/self/rotate", body{}), 403, "policy-self")
	h.Admin(200, nil, "PUT", "/v1/policies/0", body{"self_rotate": true, "self_revoke": true})
	self()
	if !me.May.Rotate || !me.May.Revoke {
		t.Errorf("the policy lets the key do %+v", me.May)
	}
	var fresh key
	h.Want(200, &fresh, "POST", "/v1/self/rotate", body{}, "X-API-Key", k.Key)
	h.works(k, false)
	h.works(fresh, true)
	h.want(h.call(fresh, "POST", "/v1/self/revoke", nil), 204, "")
	h.works(fresh, false)
}
