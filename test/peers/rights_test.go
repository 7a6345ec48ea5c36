package peers_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

func naming(t *testing.T) {
	h := start(t)
	person, _ := h.Person("bo@example.com")
	made := h.make([]int64{2}, body{"name": "nightly", "description": "Runs on ops-2.", "owner_id": person, "tags": []string{"cron", "finance"}})
	k := h.get(made.ID)
	if k.Name != "nightly" || k.Description != "Runs on ops-2." || k.Owner == nil || k.Owner.ID != person || !slices.Equal(k.Tags, []string{"cron", "finance"}) {
		t.Errorf("the key is %+v", k)
	}
	h.on(k, 200, &k, "PATCH", "", body{"description": "https://tickets.example.com/OPS-7", "tags": []string{"cron"}})
	if k.Description != "https://tickets.example.com/OPS-7" || k.Name != "nightly" {
		t.Errorf("the changed key is %+v", k)
	}
	var found struct{ Total int }
	h.Admin(200, &found, "GET", "/v1/keys?tag=cron", nil)
	if found.Total != 1 {
		t.Errorf("%d keys have the tag", found.Total)
	}
}

func groupAssignment(t *testing.T) {
	h := start(t)
	id, text := h.Key("plain", 1)
	k := key{ID: id, Key: text}
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 403, "group")
	h.Admin(200, nil, "PUT", fmt.Sprintf("/api/api-key/%d", id), body{"group_id": 2})
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 200, "")
	h.Admin(200, nil, "PUT", fmt.Sprintf("/api/api-key/%d", id), body{"group_id": 1})
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 403, "group")
}

func multipleGroups(t *testing.T) {
	h := start(t)
	sales := h.Group("Sales")
	k := h.make([]int64{sales, 2}, nil)
	if g := h.get(k.ID).Groups; len(g) != 2 {
		t.Errorf("the key has the groups %+v", g)
	}
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 200, "")
	var said struct {
		Allowed bool
		Message string
	}
	h.Admin(200, &said, "POST", "/v1/explain", body{"key_id": k.ID, "method": "GET", "path": "/api/permissions/group"})
	if !said.Allowed || said.Message != "The group Administrators (2) gives all rights." {
		t.Errorf("it is explained by %+v", said)
	}
	h.on(k, 200, nil, "PATCH", "", body{"group_ids": []int64{sales}})
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 403, "group")
}

func scopes(t *testing.T) {
	h := start(t)
	k := h.admins(body{"scopes": []string{"people:read"}})
	h.want(h.call(k, "GET", "/api/user", nil), 200, "")
	h.want(h.call(k, "POST", "/api/user", body{"email": "x@example.com"}), 403, "scope")
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 403, "scope")

	one := h.admins(body{"routes": []string{"GET /api/user/{id}"}})
	h.want(h.call(one, "GET", "/api/user/1", nil), 200, "")
	h.want(h.call(one, "GET", "/api/user", nil), 403, "route")

	fields := h.admins(body{"fields": body{"people": []string{"first_name"}}})
	person, _ := h.Person("bo@example.com")
	path := fmt.Sprintf("/api/user/%d", person)
	h.want(h.call(fields, "PUT", path, body{"first_name": "Bo"}), 200, "")
	h.want(h.call(fields, "PUT", path, body{"first_name": "Bo", "email": "b@example.com"}), 403, "field")
	h.want(h.call(fields, "DELETE", path, nil), 403, "field")

	// No restriction gives what the groups do not.
	wide := h.make([]int64{}, body{"restriction": body{"scopes": []string{"groups:read", "groups:write", "people:write"}}})
	h.want(h.call(wide, "GET", "/api/permissions/group", nil), 403, "group")
	h.problem(h.call(k, "POST", "/v1/keys", body{"name": "wider"}), 403, "scope")
	unknown := body{"name": "x", "group_ids": []int64{2}, "restriction": body{"scopes": []string{"people:eat"}}}
	h.problem(h.asAdmin("POST", "/v1/keys", unknown), 400, "invalid")
}

func resources(t *testing.T) {
	h := start(t)
	mine, other := h.Group("Mine"), h.Group("Other")
	k := h.admins(body{"resources": body{"groups": []string{fmt.Sprint(mine)}}})
	rename := func(id int64) (string, string, body) {
		return "PUT", fmt.Sprintf("/api/permissions/group/%d", id), body{"name": fmt.Sprintf("Renamed %d", id)}
	}
	method, path, in := rename(mine)
	h.want(h.call(k, method, path, in), 200, "")
	method, path, in = rename(other)
	h.want(h.call(k, method, path, in), 403, "resource")
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 403, "resource")
	h.want(h.call(k, "POST", "/api/permissions/group", body{"name": "New"}), 403, "resource")

	setting := h.admins(body{"resources": body{"settings": []string{"site-name"}}})
	h.want(h.call(setting, "PUT", "/api/setting/site-name", body{"value": "Renamed"}), 204, "")
	h.want(h.call(setting, "PUT", "/api/setting/site-locale", body{"value": "de"}), 403, "resource")

	missing := body{"name": "x", "group_ids": []int64{2}, "restriction": body{"resources": body{"groups": []string{"999"}}}}
	h.problem(h.asAdmin("POST", "/v1/keys", missing), 400, "unknown-resource")
	h.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/group/%d", mine), nil)
	h.want(h.call(k, "GET", "/api/permissions/group", nil), 403, "resource") // what is gone opens nothing
}

func readOnly(t *testing.T) {
	h := start(t)
	k := h.admins(body{"read_only": true})
	h.want(h.call(k, "GET", "/api/user", nil), 200, "")
	h.want(h.call(k, "POST", "/v1/explain", body{"key_id": k.ID, "method": "GET", "path": "/api/user"}), 200, "") // POST that reads
	h.want(h.call(k, "POST", "/api/permissions/group", body{"name": "New"}), 403, "read-only")
	h.want(h.call(k, "PUT", "/api/setting/site-name", body{"value": "x"}), 403, "read-only")
	h.want(h.call(k, "DELETE", "/api/user/1", nil), 403, "read-only")
	h.want(h.call(k, "POST", "/v1/self/revoke", nil), 403, "read-only")

	full := h.admins(nil)
	h.want(h.call(full, "POST", "/api/permissions/group", body{"name": "One"}), 200, "")
	h.on(full, 200, nil, "PUT", "/restriction", body{"read_only": true}) // at once, also for a key in use
	h.want(h.call(full, "POST", "/api/permissions/group", body{"name": "Two"}), 403, "read-only")
}

func addresses(t *testing.T) {
	h := start(t, "LATCHKEY_TRUSTED_PROXIES=127.0.0.1")
	k := h.admins(body{"addresses": []string{"192.0.2.0/24", "2001:db8::/32"}})
	for from, want := range map[string]int{
		"192.0.2.7": 200, "::ffff:192.0.2.7": 200, "2001:db8::7": 200, "2001:DB8:0:0:0:0:0:7": 200,
		"198.51.100.7": 401, "2001:db9::7": 401, "": 401,
		"192.0.2.7, 198.51.100.7": 401, // only the nearest hop that is no proxy of ours counts
	} {
		if a := h.call(k, "GET", "/api/user/current", nil, "X-Forwarded-For", from); a.Status != want {
			t.Errorf("from %q the key is answered %d, want %d", from, a.Status, want)
		}
	}
	direct := start(t)
	k = direct.admins(body{"addresses": []string{"192.0.2.0/24"}})
	if a := direct.call(k, "GET", "/api/user/current", nil, "X-Forwarded-For", "192.0.2.7"); a.Status != 401 {
		t.Errorf("a header from no proxy of ours is believed: %d", a.Status)
	}
	direct.on(k, 200, nil, "PUT", "/restriction", body{"addresses": []string{"127.0.0.0/8"}})
	direct.works(k, true)
}

func rateLimits(t *testing.T) {
	h := start(t)
	k := h.admins(body{"rate_limit": body{"requests": 2, "seconds": 60}})
	for range 2 {
		h.want(h.call(k, "GET", "/api/user/current", nil), 200, "")
	}
	over := h.call(k, "GET", "/api/user/current", nil)
	h.want(over, http.StatusTooManyRequests, "rate-limit")
	for name, want := range map[string]string{"RateLimit-Policy": `"rate-limit";q=2;w=60`, "Retry-After": over.Header.Get("Retry-After")} {
		if got := over.Header.Get(name); got == "" || got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	quota := h.admins(body{"quota": body{"requests": 1, "period": "day"}})
	h.want(h.call(quota, "GET", "/api/user/current", nil), 200, "")
	h.want(h.call(quota, "GET", "/api/user/current", nil), http.StatusTooManyRequests, "quota")

	sales := h.Group("Sales")
	member := h.make([]int64{sales}, nil)
	h.Admin(200, nil, "PUT", fmt.Sprintf("/v1/policies/%d", sales), body{"rate_limit": body{"requests": 1, "seconds": 60}})
	h.want(h.call(member, "GET", "/api/user/current", nil), 200, "")
	h.want(h.call(member, "GET", "/api/user/current", nil), http.StatusTooManyRequests, "rate-limit")
}
