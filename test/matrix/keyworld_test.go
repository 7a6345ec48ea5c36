package matrix_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// declaration is what /v1/vocabulary says of a route.
type declaration struct {
	Route   string
	Scope   string
	Touches []string
	Names   []string
	Fields  []string
}

// keyWorld is an instance with what keys are bound to that are bound to
// something else than the call is about.
type keyWorld struct {
	*world
	declared  map[string]declaration
	fields    map[string][]string // by kind
	elsewhere map[string]string   // one resource of each kind that no call is about
	bad       map[string]string   // the texts of keys that never work, by column
}

// newKeyWorld starts an instance with keys that no longer work.
func newKeyWorld(t *testing.T) *keyWorld {
	t.Helper()
	w := &keyWorld{world: newWorld(t, dbtest.SQLite), declared: map[string]declaration{}, fields: map[string][]string{}}
	w.makeBad()
	w.readVocabulary()
	w.elsewhere = w.others()
	w.awaitEnd(w.bad[colExpired])
	return w
}

// others makes one resource of each kind that keys can be bound to.
func (w *keyWorld) others() map[string]string {
	m := w.member()
	all := map[string]string{
		access.KindPeople: fmt.Sprint(m.user), access.KindGroups: fmt.Sprint(m.group), access.KindMemberships: fmt.Sprint(m.membership),
		access.KindKeys: fmt.Sprint(w.apiKey()), access.KindPolicies: fmt.Sprint(w.policy()),
		access.KindSettings: "enable-password-login", access.KindDatabases: w.otherDatabase(),
		access.KindCollections: fmt.Sprint(w.folder(w.unique("other place"), 0, "")), access.KindCards: fmt.Sprint(w.card()),
		access.KindDashboards: fmt.Sprint(w.dashboard()), access.KindTimelines: fmt.Sprint(w.timeline()),
		access.KindSnippets: fmt.Sprint(w.snippet()),
	}
	for _, k := range access.Kinds() {
		if k.Bound != (all[k.Name] != "") {
			w.t.Fatalf("keys can be bound to %s: %v, but the test has %q of them", k.Name, k.Bound, all[k.Name])
		}
	}
	for kind, id := range all {
		a := w.Do("PUT", fmt.Sprintf("/v1/keys/%d/restriction", w.apiKey()), body{"resources": body{kind: []string{id}}}, "X-Metabase-Session", w.Session)
		if a.Status != 200 {
			w.t.Errorf("a key cannot be bound to %s: %d %s", kind, a.Status, a.Body)
			delete(all, kind)
		}
	}
	return all
}

// otherDatabase writes down a second connected database, which nothing asks.
func (w *keyWorld) otherDatabase() string {
	const row = `INSERT INTO warehouse_database (name, engine, entity_id, synced_at, created_at, updated_at)
		VALUES ('Elsewhere', 'sqlite', 'elsewhereelsewhereels', 1, 1, 1) RETURNING id`
	var id string
	if err := w.Database().QueryRowContext(w.t.Context(), row).Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// readVocabulary keeps what the server declares about its routes.
func (w *keyWorld) readVocabulary() {
	var all struct {
		Routes []declaration
		Kinds  []struct {
			Name   string
			Fields []string
		}
	}
	w.Want(200, &all, "GET", "/v1/vocabulary", nil)
	for _, d := range all.Routes {
		w.declared[d.Route] = d
	}
	for _, k := range all.Kinds {
		w.fields[k.Name] = k.Fields
	}
}

// newKey is a key that was made for one cell.
type newKey struct {
	ID     int64
	Key    string
	Secret *struct{ ID int64 }
}

// adminKeyWith makes an administrator's key with a restriction.
func (w *keyWorld) adminKeyWith(restriction body) newKey {
	w.t.Helper()
	var k newKey
	w.Admin(201, &k, "POST", "/v1/keys", body{"name": w.unique("cell"), "group_ids": []int64{2}, "restriction": restriction})
	return k
}

// personalKeyOf makes a personal key of a caller.
func (w *keyWorld) personalKeyOf(p principal, groups ...int64) newKey {
	w.t.Helper()
	var k newKey
	w.Want(201, &k, "POST", "/v1/personal-keys", body{"name": w.unique("cell"), "group_ids": append([]int64{}, groups...)}, p.api()...)
	return k
}

// makeBad makes one key for each way in which a key stops working. All are
// administrators', so that one that works shows at once.
func (w *keyWorld) makeBad() {
	w.bad = map[string]string{colJunk: "lk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH"}

	var expired newKey
	w.Admin(201, &expired, "POST", "/v1/keys", body{
		"name": colExpired, "group_ids": []int64{2}, "expires_at": time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano),
	})
	w.bad[colExpired] = expired.Key

	off := w.adminKeyWith(nil)
	w.bad[colDisabled] = off.Key
	rotated := w.adminKeyWith(nil)
	w.bad[colRetired] = rotated.Key
	for _, good := range []newKey{off, rotated, expired} {
		w.Want(200, nil, "GET", "/api/api-key", nil, "X-API-Key", good.Key)
	}
	w.Admin(200, nil, "POST", fmt.Sprintf("/v1/keys/%d/disable", off.ID), body{"reason": "A test."})
	w.Admin(200, nil, "POST", fmt.Sprintf("/v1/keys/%d/rotate", rotated.ID), body{})

	away := w.adminKeyWith(body{"addresses": []string{"192.0.2.0/24"}})
	w.bad[colAddress] = away.Key
	w.Want(200, nil, "GET", "/api/api-key", nil, "X-API-Key", away.Key, "X-Forwarded-For", "192.0.2.7")

	gone := w.adminKeyWith(nil)
	w.bad[colGone] = gone.Key
	w.Admin(204, nil, "DELETE", fmt.Sprintf("/v1/keys/%d", gone.ID), nil)

	leaver := w.caller("leaver", []int64{2})
	left := w.personalKeyOf(leaver, 2)
	w.bad[colLeft] = left.Key
	w.Want(200, nil, "GET", "/api/api-key", nil, "X-API-Key", left.Key)
	id, _ := w.find(leaver.email)
	w.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", id), nil)
}

// find returns the id of an active person.
func (w *keyWorld) find(email string) (int64, bool) {
	var all struct {
		Data []struct {
			ID    int64
			Email string
		}
	}
	w.Admin(200, &all, "GET", "/api/user?query="+strings.ReplaceAll(email, "@", "%40"), nil)
	for _, p := range all.Data {
		if p.Email == email {
			return p.ID, true
		}
	}
	w.t.Fatalf("there is no person %s", email)
	return 0, false
}

// awaitEnd waits until a key has come to its end, which takes two seconds.
func (w *keyWorld) awaitEnd(key string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if w.Do("GET", "/v1/self", nil, "X-API-Key", key).Status == 401 {
			return
		}
	}
	w.t.Fatal("a key goes on working after its end")
}

// wish is a call of a route as the server understands it.
type wish struct {
	call
	route     route
	kind      string              // of the route's scope
	resources map[string][]string // that the call names, by kind
	writes    []string            // fields of the kind that the call writes
}

// explanation is what the server says about a call beforehand.
type explanation struct {
	Allowed   bool
	Anonymous bool
	Status    int
	Code      string
	Resources []struct{ Kind, ID string }
	Writes    []struct{ Kind, Field string }
}

// explain asks the server what it would do with a call of a key.
func (w *keyWorld) explain(r route, c call, keyID int64) explanation {
	w.t.Helper()
	in := body{"key_id": keyID, "method": r.method, "path": w.path(r, c), "address": "127.0.0.1"}
	if _, text := c.body.(apptest.Text); c.body != nil && !text {
		in["body"] = c.body
	}
	var out explanation
	w.Admin(200, &out, "POST", "/v1/explain", in)
	return out
}

// wish makes a call of a route and finds out what it names and writes.
func (w *keyWorld) wish(r route, rec recipe, keyID int64) wish {
	d := wish{call: rec.make(w.world, principal{}), route: r, resources: map[string][]string{}}
	d.kind, _, _ = strings.Cut(r.scope, ":")
	said := w.explain(r, d.call, keyID)
	for _, ref := range said.Resources {
		if w.elsewhere[ref.Kind] == "" {
			continue
		}
		d.resources[ref.Kind] = append(d.resources[ref.Kind], ref.ID)
	}
	for _, f := range said.Writes {
		if f.Kind == d.fieldKind() {
			d.writes = append(d.writes, f.Field)
		}
	}
	return d
}

// fieldKind is the kind whose fields the route writes: passwords are fields of
// people.
func (d wish) fieldKind() string {
	if kinds := access.Kinds(); d.kind != "" {
		for _, k := range kinds {
			if k.Name == d.kind && k.PartOf != "" {
				return k.PartOf
			}
		}
	}
	return d.kind
}

// otherField returns a field of the kind that the call does not write.
func (w *keyWorld) otherField(d wish) (string, bool) {
	for _, f := range w.fields[d.fieldKind()] {
		if !slices.Contains(d.writes, f) && !strings.Contains(f, ".") {
			return f, true
		}
	}
	return "", false
}

// touched lists the kinds that a route shows or changes, as far as keys can be
// bound to them: that of its scope, those that it declares, and those that its
// kind brings along.
func (w *keyWorld) touched(d wish) []string {
	all := map[string]bool{d.kind: true}
	about := w.declared[d.route.String()]
	for _, k := range access.Kinds() {
		if k.Name == d.kind {
			about.Touches = append(about.Touches, k.Touches...)
		}
	}
	for _, kind := range about.Touches {
		all[kind] = true
	}
	for kind := range d.resources {
		all[kind] = true
	}
	maps.DeleteFunc(all, func(kind string, _ bool) bool { return w.elsewhere[kind] == "" })
	return slices.Sorted(maps.Keys(all))
}
