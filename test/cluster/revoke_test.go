package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest"
)

// change is something that an administrator, or the key itself, does on a node.
type change func(s *apptest.Server, k key)

// restrict sets the restriction of a key.
func restrict(r body) change {
	return func(s *apptest.Server, k key) { s.Admin(200, nil, "PUT", k.path+"/restriction", r) }
}

// narrowing takes something from a key of administrators.
type narrowing struct {
	name   string
	before body // the restriction that the key has first
	change change
	status int
	reason string
}

// narrowings are all that can be taken from a key at once.
func narrowings() []narrowing {
	other := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Format("Mon"))
	return []narrowing{
		{"disabled", nil, func(s *apptest.Server, k key) {
			s.Admin(200, nil, "POST", k.path+"/disable", body{"reason": "lost"})
		}, 401, ""},
		{"disabled until a time", nil, func(s *apptest.Server, k key) {
			s.Admin(200, nil, "POST", k.path+"/disable", body{"reason": "lost", "until": time.Now().Add(time.Hour).Format(time.RFC3339)})
		}, 401, ""},
		{"deleted", nil, func(s *apptest.Server, k key) { s.Admin(204, nil, "DELETE", k.path, nil) }, 401, ""},
		{"rotated without overlap", nil, func(s *apptest.Server, k key) {
			s.Admin(200, nil, "POST", k.path+"/rotate", nil)
		}, 401, ""},
		{"rotated by itself", nil, func(s *apptest.Server, k key) {
			s.Want(200, nil, "POST", "/v1/self/rotate", nil, "x-api-key", k.Text)
		}, 401, ""},
		{"revoked by itself", nil, func(s *apptest.Server, k key) {
			s.Want(204, nil, "POST", "/v1/self/revoke", nil, "x-api-key", k.Text)
		}, 401, ""},
		{"taken out of its group", nil, func(s *apptest.Server, k key) {
			s.Admin(200, nil, "PATCH", k.path, body{"group_ids": []int64{}})
		}, 403, "group"},
		{"restricted to scopes", nil, restrict(body{"scopes": []string{"people:read"}}), 403, "scope"},
		{"restricted to routes", nil, restrict(body{"routes": []string{"GET /api/user/{id}"}}), 403, "route"},
		{"restricted to resources", nil, restrict(body{"resources": body{"groups": []int64{2}}}), 403, "resource"},
		{"restricted further", body{"read_only": true}, restrict(body{"read_only": true, "scopes": []string{"keys:read"}}), 403, "scope"},
		{"restricted to addresses", nil, restrict(body{"addresses": []string{"192.0.2.0/24"}}), 401, ""},
		{"restricted to hours", nil, restrict(body{"hours": body{"days": []string{other}, "from": "08:00", "to": "18:00", "zone": "UTC"}}), 403, "hours"},
		{"held to the restriction on trial", nil, func(s *apptest.Server, k key) {
			s.Admin(200, nil, "PUT", k.path+"/trial", body{"scopes": []string{"people:read"}})
			s.Admin(200, nil, "POST", k.path+"/trial/enforce", nil)
		}, 403, "scope"},
	}
}

// TestNarrowingFollows: whatever takes something from a key on A takes it on B
// too, where the key is in memory.
func TestNarrowingFollows(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		a.Admin(200, nil, "PUT", "/v1/policies/0", body{"self_rotate": true, "self_revoke": true})
		for _, tt := range narrowings() {
			t.Run(tt.name, func(t *testing.T) {
				k := newKey(a, body{"group_ids": []int64{2}, "restriction": tt.before})
				warm(t, b, 200, groups, "x-api-key", k.Text)
				tt.change(a, k)
				refused(t, "a key that is "+tt.name+" on A is refused on B", b, tt.status, tt.reason, k.Text)
			})
		}
	})
}

// TestReadOnlyFollows: a key that may only read since a moment ago reads on B,
// and writes nothing there.
func TestReadOnlyFollows(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		k := newKey(a, body{"group_ids": []int64{2}})
		b.Want(200, nil, "POST", k.path+"/enable", nil, "x-api-key", k.Text)
		restrict(body{"read_only": true})(a, k)
		becomes(t, "a key that only reads since A said so writes nothing on B", b, 403, "POST", k.path+"/enable", "x-api-key", k.Text)
		warm(t, b, 200, groups, "x-api-key", k.Text)
	})
}

// TestSecretsFollow rotates a key with an overlap and ends its old secret.
func TestSecretsFollow(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		k := newKey(a, body{"group_ids": []int64{2}})
		warm(t, b, 200, groups, "x-api-key", k.Text)
		var next key
		a.Admin(200, &next, "POST", k.path+"/rotate", body{"overlap_days": 7})
		atOnce(t, "the new text of a rotation on A", b, next.Text)
		warm(t, b, 200, groups, "x-api-key", k.Text)

		var secrets struct{ Data []struct{ ID int64 } }
		a.Admin(200, &secrets, "GET", k.path+"/secrets", nil)
		if len(secrets.Data) != 2 {
			t.Fatalf("a key in rotation has %d secrets, want 2", len(secrets.Data))
		}
		old := min(secrets.Data[0].ID, secrets.Data[1].ID)
		a.Admin(204, nil, "POST", fmt.Sprintf("%s/secrets/%d/retire", k.path, old), nil)
		refused(t, "a secret that A retired is refused on B", b, 401, "", k.Text)
		warm(t, b, 200, groups, "x-api-key", next.Text)

		// An overlap that is over, and an end that A has moved nearer, need no
		// change to hold.
		soon := time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
		var last key
		a.Admin(200, &last, "POST", k.path+"/rotate", body{"overlap_until": soon.Format(time.RFC3339)})
		atOnce(t, "the text of the second rotation", b, last.Text)
		warm(t, b, 200, groups, "x-api-key", next.Text)
		time.Sleep(time.Until(soon))
		refused(t, "a secret is refused on B when its overlap is over", b, 401, "", next.Text)
		warm(t, b, 200, groups, "x-api-key", last.Text)
	})
}

// TestExpiryHolds: the end of a key that was set or moved on A comes on B too.
func TestExpiryHolds(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		end := time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
		made := newKey(a, body{"group_ids": []int64{2}, "expires_at": end.Format(time.RFC3339)})
		moved := newKey(a, body{"group_ids": []int64{2}})
		warm(t, b, 200, groups, "x-api-key", made.Text)
		warm(t, b, 200, groups, "x-api-key", moved.Text)
		a.Admin(200, nil, "PATCH", moved.path, body{"expires_at": end.Format(time.RFC3339)})
		time.Sleep(time.Until(end))
		refused(t, "a key made on A is refused on B after its end", b, 401, "", made.Text)
		refused(t, "a key whose end was moved on A is refused on B after it", b, 401, "", moved.Text)

		a.Admin(200, nil, "PATCH", moved.path, body{"expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		becomes(t, "a key whose end was moved back on A works on B again", b, 200, "GET", groups, "x-api-key", moved.Text)
	})
}

// TestWideningFollows: what A gives back, B gives too.
func TestWideningFollows(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		k := newKey(a, body{"group_ids": []int64{2}, "restriction": body{"scopes": []string{"people:read"}}})
		warm(t, b, 403, groups, "x-api-key", k.Text)
		a.Admin(200, nil, "PUT", k.path+"/restriction", body{})
		becomes(t, "a key without restriction since A said so works on B", b, 200, "GET", groups, "x-api-key", k.Text)
		a.Admin(200, nil, "POST", k.path+"/disable", body{"reason": "lost"})
		refused(t, "it is disabled", b, 401, "", k.Text)
		a.Admin(200, nil, "POST", k.path+"/enable", nil)
		becomes(t, "a key that A has enabled works on B", b, 200, "GET", groups, "x-api-key", k.Text)
		back := time.Now().Add(2 * time.Second).UTC().Truncate(time.Second)
		a.Admin(200, nil, "POST", k.path+"/disable", body{"reason": "for a moment", "until": back.Format(time.RFC3339)})
		refused(t, "it is disabled for a moment", b, 401, "", k.Text)
		time.Sleep(time.Until(back))
		becomes(t, "a key works on B again when the time it was disabled for is over", b, 200, "GET", groups, "x-api-key", k.Text)
	})
}

// TestNewKeysWorkAtOnce: whoever is shown a text may use it on any node, with
// no wait.
func TestNewKeysWorkAtOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		for range 10 {
			k := newKey(a, body{"group_ids": []int64{2}})
			atOnce(t, "a key made on A", b, k.Text)
			var next key
			b.Admin(200, &next, "POST", k.path+"/rotate", nil)
			atOnce(t, "a key rotated on B", a, next.Text)
		}
	})
}
