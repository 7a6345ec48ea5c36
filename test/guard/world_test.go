package guard_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// world is the program with a hidden and an open collection, and callers.
type world struct {
	*apptest.Server
	t       *testing.T
	ids     map[string]int64
	callers map[string][2]string // by name: header and value
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	for _, kind := range []dbtest.Kind{dbtest.SQLite, dbtest.PostgreSQL} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) { f(t, newWorld(t, kind)) })
	}
}

func newWorld(t *testing.T, kind dbtest.Kind) *world {
	t.Helper()
	w := &world{Server: apptest.Start(t, apptest.Options{Kind: kind}), t: t, ids: map[string]int64{}, callers: map[string][2]string{}}
	w.Setup()
	w.AwaitSample()
	w.callers["ada"] = [2]string{"X-Metabase-Session", w.Session}
	_, bo := w.Person("bo@example.com")
	w.callers["bo"] = [2]string{"X-Metabase-Session", bo}
	for _, name := range []string{"hidden", "open"} {
		w.make(name, "ada", "POST", "/api/collection", `{"name":"`+name+`"}`)
	}
	w.ok(200, "ada", "PUT", "/api/collection/graph?force=true", `{"groups":{"1":{"{hidden}":"none","{open}":"write"}}}`)
	return w
}

// make sends a request that makes something and keeps its id under a name.
func (w *world) make(name, who, method, path, body string) {
	w.t.Helper()
	var made struct{ ID int64 }
	w.ok(200, who, method, path, body).JSON(w.t, &made)
	w.ids[name] = made.ID
}

// bind makes a key of Administrators with a restriction.
func (w *world) bind(name, restriction string) {
	w.t.Helper()
	var made struct {
		ID  int64
		Key string
	}
	w.ok(201, "ada", "POST", "/v1/keys", `{"name":"`+name+`","group_ids":[2],"restriction":`+restriction+`}`).JSON(w.t, &made)
	w.ids[name], w.callers[name] = made.ID, [2]string{"X-API-Key", made.Key}
}

// fill puts ids in the place of names.
func (w *world) fill(s string) string {
	for name, id := range w.ids {
		s = strings.ReplaceAll(s, "{"+name+"}", fmt.Sprint(id))
	}
	return s
}

func (w *world) as(who, method, path, body string) apptest.Answer {
	w.t.Helper()
	var b any
	if body != "" {
		b = json.RawMessage(w.fill(body))
	}
	c := w.callers[who]
	return w.Do(method, w.fill(path), b, c[0], c[1])
}

func (w *world) ok(status int, who, method, path, body string) apptest.Answer {
	w.t.Helper()
	a := w.as(who, method, path, body)
	if a.Status != status {
		w.t.Fatalf("%s: %s %s %s: %d %s, want %d", who, method, w.fill(path), w.fill(body), a.Status, a.Body, status)
	}
	return a
}

// native is a question of the sample database.
func native(sql string) string {
	q, _ := json.Marshal(sql) // a text always encodes
	return `{"database":1,"type":"native","native":{"query":` + string(q) + `}}`
}

// card is the body that makes a question.
func card(name, sql, collection string) string {
	return `{"name":"` + name + `","display":"table","visualization_settings":{},"collection_id":` + collection + `,"dataset_query":` + native(sql) + `}`
}

// id is where an id is kept under a name.
func (w *world) id(name string) idOf { return idOf{w, name} }

// idOf takes an id of a row.
type idOf struct {
	w    *world
	name string
}

// Scan implements sql.Scanner.
func (i idOf) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%T is no id", v)
	}
	i.w.ids[i.name] = n
	return nil
}
