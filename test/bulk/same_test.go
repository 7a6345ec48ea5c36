package bulk_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

type body = map[string]any

// world is a server with what operations are about. Everything lies in Here;
// There is another collection.
type world struct {
	*apptest.Server
	t           *testing.T
	n           int
	here, there int64
	group       int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := apptest.Start(t, apptest.Options{})
	s.Setup()
	w := &world{Server: s, t: t}
	w.here, w.there = w.collection(nil), w.collection(nil)
	w.group = w.Group("Analysts")
	return w
}

// made creates something and returns its id.
func (w *world) made(path string, in body) int64 {
	w.t.Helper()
	var out struct{ ID int64 }
	w.Admin(200, &out, "POST", path, in)
	return out.ID
}

func (w *world) name() string {
	w.n++
	return fmt.Sprintf("thing %d", w.n)
}

func (w *world) collection(parent any) int64 {
	return w.made("/api/collection", body{"name": w.name(), "parent_id": parent})
}

// thing makes an item of a kind in Here.
func (w *world) thing(kind string) int64 {
	in := body{"name": w.name(), "collection_id": w.here}
	switch kind {
	case "collection":
		return w.collection(w.here)
	case "dashboard":
		return w.made("/api/dashboard", in)
	case "timeline":
		return w.made("/api/timeline", in)
	case "card":
		in["display"], in["visualization_settings"] = "table", body{}
		in["dataset_query"] = body{"type": "native", "database": 1, "native": body{"query": "SELECT 1"}}
		return w.made("/api/card", in)
	}
	return w.made("/api/native-query-snippet", body{"name": w.name(), "content": "1 = 1"})
}

// person makes a person, in some groups.
func (w *world) person(groups ...int64) int64 {
	in := []body{{"id": 1}}
	for _, g := range groups {
		in = append(in, body{"id": g})
	}
	w.n++
	return w.made("/api/user", body{"email": fmt.Sprintf("p%d@example.com", w.n), "user_group_memberships": in})
}

// pair is one thing to do, both ways.
type pair struct {
	op           body
	method, path string
	in           any
}

// paths are the routes of items.
var paths = map[string]string{
	"collection": "/api/collection", "dashboard": "/api/dashboard", "snippet": "/api/native-query-snippet",
	"timeline": "/api/timeline", "card": "/api/card",
}

// pairs are made anew for each caller, because the single call is really made.
func (w *world) pairs() map[string]pair {
	all := map[string]pair{
		"create_group": {body{"op": "create_group", "name": w.name()}, "POST", "/api/permissions/group", body{"name": w.name()}},
	}
	w.n++
	email := fmt.Sprintf("new%d@example.com", w.n)
	all["create_person"] = pair{body{"op": "create_person", "email": "x" + email}, "POST", "/api/user", body{"email": email}}
	members := []body{{"id": 1}, {"id": w.group}}
	all["create_person in a group"] = pair{
		body{"op": "create_person", "email": "y" + email, "group_ids": []int64{w.group}}, "POST", "/api/user",
		body{"email": "z" + email, "user_group_memberships": members},
	}
	joins, leaves := w.person(), w.person(w.group)
	all["add_membership"] = pair{
		body{"op": "add_membership", "group_id": w.group, "user_id": joins}, "POST", "/api/permissions/membership",
		body{"group_id": w.group, "user_id": joins},
	}
	all["remove_membership"] = pair{
		body{"op": "remove_membership", "group_id": w.group, "user_id": leaves}, "DELETE",
		fmt.Sprintf("/api/permissions/membership/%d", w.membership(leaves)), nil,
	}
	all["make an administrator"] = pair{
		body{"op": "add_membership", "group_id": 2, "user_id": joins}, "POST", "/api/permissions/membership",
		body{"group_id": 2, "user_id": joins},
	}
	all["set_collection_permission"] = pair{
		body{"op": "set_collection_permission", "group_id": w.group, "collection_id": w.here, "level": "view"}, "PUT",
		"/api/collection/graph?force=true&skip-graph=true", body{"groups": body{fmt.Sprint(w.group): body{fmt.Sprint(w.here): "read"}}},
	}
	for kind, path := range paths {
		w.itemPairs(all, kind, path)
	}
	return all
}

func (w *world) itemPairs(all map[string]pair, kind, path string) {
	one := func(op string, id int64) (body, string) {
		return body{"op": op, "kind": kind, "id": id}, fmt.Sprintf("%s/%d", path, id)
	}
	op, at := one("archive", w.thing(kind))
	all["archive "+kind] = pair{op, "PUT", at, body{"archived": true}}
	gone := w.thing(kind)
	op, at = one("restore", gone)
	w.Admin(200, nil, "PUT", at, body{"archived": true})
	all["restore "+kind] = pair{op, "PUT", at, body{"archived": false}}
	if kind != "snippet" { // which lie in collections of their own
		op, at = one("move", w.thing(kind))
		op["collection_id"] = w.there
		place := "collection_id"
		if kind == "collection" {
			place = "parent_id"
		}
		all["move "+kind] = pair{op, "PUT", at, body{place: w.there}}
		old := w.thing(kind)
		op, at = one("delete", old)
		w.Admin(200, nil, "PUT", at, body{"archived": true})
		all["delete "+kind] = pair{op, "DELETE", at, nil}
	}
}

// membership returns the id of a person's membership of the group.
func (w *world) membership(person int64) int64 {
	w.t.Helper()
	var all map[string][]struct {
		ID    int64 `json:"membership_id"`
		Group int64 `json:"group_id"`
	}
	w.Admin(200, &all, "GET", "/api/permissions/membership", nil)
	for _, m := range all[fmt.Sprint(person)] {
		if m.Group == w.group {
			return m.ID
		}
	}
	w.t.Fatalf("%d is not in the group", person)
	return 0
}

// key makes a key of a group with a restriction and returns its text.
func (w *world) key(group int64, restriction body) string {
	w.t.Helper()
	var k struct{ Key string }
	w.Admin(201, &k, "POST", "/v1/keys", body{"name": w.name(), "group_ids": []int64{group}, "restriction": restriction})
	return k.Key
}

// TestBulkIsTheSameAsSingle makes every operation as a dry run and as its
// single call, with keys of many restrictions, and compares what is said.
func TestBulkIsTheSameAsSingle(t *testing.T) {
	w := newWorld(t)
	everyScope := []string{
		"groups:write", "people:write", "passwords:write", "memberships:write", "collections:write", "cards:write", "dashboards:write",
		"snippets:write", "timelines:write",
	}
	id := func(n int64) []string { return []string{fmt.Sprint(n)} }
	restrictions := map[string]body{
		"nothing":          nil,
		"read only":        {"read_only": true},
		"all scopes":       {"scopes": everyScope},
		"one group":        {"resources": body{"groups": id(w.group)}},
		"another group":    {"resources": body{"groups": id(1)}},
		"one person":       {"resources": body{"people": id(1)}},
		"here":             {"resources": body{"collections": id(w.here)}},
		"there":            {"resources": body{"collections": id(w.there)}},
		"both":             {"resources": body{"collections": []string{fmt.Sprint(w.here), fmt.Sprint(w.there)}}},
		"the root":         {"resources": body{"collections": []string{"root"}}},
		"another card":     {"resources": body{"cards": id(w.thing("card"))}},
		"another board":    {"resources": body{"dashboards": id(w.thing("dashboard"))}},
		"one field":        {"fields": body{"cards": []string{"archived"}}},
		"fields of boards": {"fields": body{"dashboards": []string{"archived", "collection_id"}}},
		"a group's name":   {"fields": body{"groups": []string{"name"}}},
	}
	for _, scope := range everyScope {
		restrictions["without "+scope] = body{"scopes": slices.DeleteFunc(slices.Clone(everyScope), func(s string) bool { return s == scope })}
	}
	for name, restriction := range restrictions {
		w.compare("a key of Administrators with "+name, w.key(2, restriction))
	}
	for _, name := range []string{"nothing", "here", "without cards:write"} {
		w.compare("a key of Analysts with "+name, w.key(w.group, restrictions[name]))
	}
	if strings.Contains(w.Log(), "level=ERROR") {
		t.Errorf("the log has errors:\n%s", w.Log())
	}
}

func (w *world) compare(who, key string) {
	w.t.Helper()
	for name, p := range w.pairs() {
		var said struct {
			Results []struct {
				Status, Code, Detail string
			}
		}
		bulk := w.Do("POST", "/v1/bulk", body{"mode": "each", "dry_run": true, "operations": []body{p.op}}, "X-API-Key", key)
		single := w.Do(p.method, p.path, p.in, "X-API-Key", key)
		if bulk.Status == http.StatusForbidden { // the key only reads
			if single.Status != http.StatusForbidden || bulk.Header.Get("Latchkey-Reason") != single.Header.Get("Latchkey-Reason") {
				w.t.Errorf("%s, %s: bulk %d %s, single %d %.200s", who, name, bulk.Status, bulk.Body, single.Status, single.Body)
			}
			continue
		}
		bulk.JSON(w.t, &said)
		got, fine := said.Results[0], single.Status < 300
		code := single.Header.Get("Latchkey-Reason")
		if (got.Status == "ok") != fine || code != "" && got.Code != code {
			w.t.Errorf("%s, %s: bulk says %+v, single %d %s %.200s", who, name, got, single.Status, code, single.Body)
		}
	}
}
