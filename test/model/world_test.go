package model_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

// world is the program with the model beside it.
type world struct {
	t      *testing.T
	s      *apptest.Server
	m      *model
	rnd    *rand.Rand
	actors []*actor
	groups []int64
	trail  []string // what happened, to tell when something is wrong
	seed   uint64
}

func newWorld(t *testing.T, o apptest.Options, seed uint64) *world {
	t.Helper()
	s := apptest.Start(t, o)
	s.Setup()
	w := &world{t: t, s: s, m: newModel(), rnd: rand.New(rand.NewPCG(seed, 1)), seed: seed}
	for i := range 3 {
		w.groups = append(w.groups, s.Group(fmt.Sprint("Group ", i)))
	}
	w.actors = []*actor{{name: "ada", header: [2]string{"X-Metabase-Session", s.Session}, user: 1, groups: []int64{all, admin}, person: true}}
	w.person("bo", w.groups[0])
	w.person("cy", w.groups[1], w.groups[2])
	w.key("plain key", w.groups[0], nil)
	w.key("admin key", admin, nil)
	w.key("reading key", admin, map[string]any{"read_only": true}).readOnly = true
	w.adopt()
	return w
}

// must sends a request as the administrator and wants success.
func (w *world) must(method, path string, body any) apptest.Answer {
	w.t.Helper()
	a := w.s.Do(method, path, body, "X-Metabase-Session", w.s.Session)
	if a.Status >= http.StatusMultipleChoices {
		w.fatal("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	return a
}

func (w *world) fatal(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d\n%s\n%s", w.seed, strings.Join(w.trail, "\n"), fmt.Sprintf(format, args...))
}

func (w *world) person(name string, groups ...int64) {
	w.t.Helper()
	id, session := w.s.Person(name+"@example.com", groups...)
	w.actors = append(w.actors, &actor{
		name: name, header: [2]string{"X-Metabase-Session", session}, user: id, groups: append([]int64{all}, groups...), person: true,
	})
}

// key makes an API key with a restriction, nil for none.
func (w *world) key(name string, group int64, restriction map[string]any) *actor {
	w.t.Helper()
	body := map[string]any{"name": name, "group_ids": []int64{group}}
	if restriction != nil {
		body["restriction"] = restriction
	}
	var made struct {
		Key string `json:"key"`
	}
	w.s.Want(201, &made, "POST", "/v1/keys", body, "X-Metabase-Session", w.s.Session)
	a := &actor{name: name, header: [2]string{"X-API-Key", made.Key}, groups: []int64{all, group}}
	w.actors = append(w.actors, a)
	return a
}

// bind makes a key that is bound to some collections.
func (w *world) bind(group int64, ids ...int64) {
	w.t.Helper()
	var texts []string
	for _, id := range ids {
		texts = append(texts, fmt.Sprint(id))
	}
	name := "key of " + strings.Join(texts, ",")
	w.key(name, group, map[string]any{"resources": map[string]any{"collections": texts}}).bound = ids
}

// adopt takes the personal collections that the program made into the model.
func (w *world) adopt() {
	w.t.Helper()
	for _, a := range w.actors {
		if !a.person {
			continue
		}
		var me struct {
			Personal int64 `json:"personal_collection_id"`
		}
		w.call(a, "GET", "/api/user/current", nil).JSON(w.t, &me)
		if me.Personal == 0 {
			w.fatal("%s has no personal collection", a.name)
		}
		w.m.folders[me.Personal] = &folder{id: me.Personal, owner: a.user, grants: map[int64]int{}}
	}
}

func (w *world) call(a *actor, method, path string, body any) apptest.Answer {
	w.t.Helper()
	return w.s.Do(method, path, body, a.header[0], a.header[1])
}

// anyone returns a caller at random.
func (w *world) anyone() *actor { return w.actors[w.rnd.IntN(len(w.actors))] }

// someFolder returns a collection at random, the root among them.
func (w *world) someFolder() int64 {
	ids := append([]int64{root}, slices.Sorted(maps.Keys(w.m.folders))...)
	return ids[w.rnd.IntN(len(ids))]
}

// shared returns a collection at random that is nobody's personal one, or nil.
func (w *world) shared() *folder {
	return w.one(func(f *folder) bool { return f.owner == 0 })
}

// one returns one of some collections at random, or nil.
func (w *world) one(of func(*folder) bool) *folder {
	var list []*folder
	for _, id := range slices.Sorted(maps.Keys(w.m.folders)) {
		if of(w.m.folders[id]) {
			list = append(list, w.m.folders[id])
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[w.rnd.IntN(len(list))]
}

// orNull writes the root as the wire does.
func orNull(id int64) any {
	if id == root {
		return nil
	}
	return id
}

// wants compares the status of a change with what the model says; it reports
// whether the change took place.
func (w *world) wants(a *actor, code int, method, path string, body any) (apptest.Answer, bool) {
	w.t.Helper()
	text, _ := json.Marshal(body)
	w.trail = append(w.trail, fmt.Sprintf("%s: %s %s %s wants %d", a.name, method, path, text, code))
	got := w.call(a, method, path, body)
	status := got.Status
	if status == http.StatusNoContent {
		status = ok
	}
	if status != code {
		w.fatal("got %d %s", got.Status, got.Body)
	}
	return got, code == ok
}
