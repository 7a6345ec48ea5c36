package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
)

// play writes eight entries, a minute apart.
func play(w *world) {
	ada, bo := person(1, "Ada Lovelace"), person(7, "Bo 100% _Sure_")
	key := audit.Actor{Kind: "api-key", UserID: 30, KeyID: 3, Name: "ci"}
	for _, e := range []struct {
		who audit.Actor
		audit.Entry
	}{
		{ada, audit.Entry{Action: "session.create", ObjectKind: "session", ObjectID: 1, ObjectName: "ada@example.com"}},
		{ada, audit.Entry{Action: "api-key.create", ObjectKind: "api-key", ObjectID: 3, ObjectName: "ci", Details: map[string]any{"b": 2, "a": "<x>"}}},
		{key, audit.Entry{Action: "group.create", ObjectKind: "group", ObjectID: 3, ObjectName: "Analysts"}},
		{key, audit.Entry{Action: "api-key.rotate", ObjectKind: "api-key", ObjectID: 3, ObjectName: "ci"}},
		{bo, audit.Entry{Action: "session.create", ObjectKind: "session", ObjectID: 2, ObjectName: "bo@example.com"}},
		{bo, audit.Entry{Action: "session.end", ObjectKind: "session", ObjectID: 2, ObjectName: "bo@example.com"}},
		{audit.Anonymous(), audit.Entry{Action: "session.refused", ObjectKind: "user", ObjectID: 7, ObjectName: "bo@example.com"}},
		{audit.System(), audit.Entry{Action: "sessions.swept", ObjectKind: "session", ObjectName: "Ärger"}},
	} {
		w.add(e.who, e.Entry)
	}
}

func TestFilter(t *testing.T) {
	at := func(n int) time.Time { return start().Add(time.Duration(n-1) * time.Minute) } // of entry n
	each(t, func(t *testing.T, w *world) {
		play(w)
		for _, c := range []struct {
			name string
			f    audit.Filter
			want []int64
		}{
			{"all", audit.Filter{}, []int64{1, 2, 3, 4, 5, 6, 7, 8}},
			{"newest first", audit.Filter{Newest: true, Limit: 3}, []int64{8, 7, 6}},
			{"a page", audit.Filter{Newest: true, Before: 6, Limit: 2}, []int64{5, 4}},
			{"between", audit.Filter{After: 2, Before: 5}, []int64{3, 4}},
			{"kind of actor", audit.Filter{ActorKind: "person"}, []int64{1, 2, 5, 6}},
			{"system", audit.Filter{ActorKind: "system"}, []int64{8}},
			{"actor", audit.Filter{ActorID: 7}, []int64{5, 6}},
			{"key, by or about", audit.Filter{KeyID: 3}, []int64{2, 3, 4}},
			{"key, newest", audit.Filter{KeyID: 3, Newest: true, Limit: 2}, []int64{4, 3}},
			{"key and action", audit.Filter{KeyID: 3, Action: "api-key."}, []int64{2, 4}},
			{"key and page", audit.Filter{KeyID: 3, After: 2, Before: 4}, []int64{3}},
			{"another key", audit.Filter{KeyID: 4}, []int64{}},
			{"action", audit.Filter{Action: "session.create"}, []int64{1, 5}},
			{"part of an action", audit.Filter{Action: "session"}, []int64{}},
			{"actions that begin so", audit.Filter{Action: "session."}, []int64{1, 5, 6, 7}},
			{"kind of object", audit.Filter{ObjectKind: "session"}, []int64{1, 5, 6, 8}},
			{"object", audit.Filter{ObjectKind: "session", ObjectID: 2}, []int64{5, 6}},
			{"from", audit.Filter{From: at(6)}, []int64{6, 7, 8}},
			{"to", audit.Filter{To: at(3)}, []int64{1, 2}},
			{"window", audit.Filter{From: at(3), To: at(6), Newest: true}, []int64{5, 4, 3}},
			{"window and more", audit.Filter{From: at(2), To: at(6), ActorKind: "api-key", KeyID: 3, Before: 4}, []int64{3}},
			{"name of the actor", audit.Filter{Query: "LOVE"}, []int64{1, 2}},
			{"name of the object", audit.Filter{Query: "bo@"}, []int64{5, 6, 7}},
			{"either", audit.Filter{Query: "ci"}, []int64{2, 3, 4}},
			{"not a pattern", audit.Filter{Query: "0% _s"}, []int64{5, 6}},
			{"no pattern", audit.Filter{Query: "a%e"}, []int64{}},
			{"other letters", audit.Filter{Query: "Ärger"}, []int64{8}},
			{"null byte", audit.Filter{Query: "a\x00"}, []int64{}},
			{"everything", audit.Filter{Query: "BO", ActorKind: "person", ActorID: 7, Action: "session.", ObjectKind: "session", ObjectID: 2, From: at(1), To: at(9)}, []int64{5, 6}},
		} {
			got, err := w.List(t.Context(), c.f)
			if err != nil || !slices.Equal(ids(got), c.want) {
				t.Errorf("%s: %v, %v, want %v", c.name, ids(got), err, c.want)
			}
			c.f.Limit = 1 // counting takes no notice
			if n, err := w.Count(t.Context(), c.f); c.name != "newest first" && c.name != "a page" && c.name != "key, newest" && (n != len(c.want) || err != nil) {
				t.Errorf("%s: counted %d, %v, want %d", c.name, n, err, len(c.want))
			}
		}
	})
}

// A clock that was set back must not hide an entry from a search by time.
func TestFilterByTimeFindsEntriesOfAClockThatJumped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, jump := range []time.Duration{0, -48 * time.Hour, 96 * time.Hour} {
			w.clock.Advance(jump)
			w.add(audit.System(), audit.Entry{Action: "a.b"})
		}
		got, err := w.List(t.Context(), audit.Filter{To: start().Add(-24 * time.Hour)})
		if err != nil || !slices.Equal(ids(got), []int64{2}) {
			t.Errorf("%v, %v, want entry 2", ids(got), err)
		}
	})
}

func TestRecord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		play(w)
		got, err := w.List(t.Context(), audit.Filter{After: 1, Limit: 1})
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		r := got[0]
		if r.Details["a"] != "<x>" || r.RequestID != "r1" || len(r.Hash) != 32 {
			t.Errorf("%+v", r)
		}
		var out bytes.Buffer
		if err := w.Export(t.Context(), audit.Filter{After: 1, Before: 3}, &out); err != nil {
			t.Fatal(err)
		}
		line, hash, _ := strings.Cut(out.String(), `,"hash":"`)
		const want = `{"id":2,"at":"2026-03-01T12:01:00.000000Z","actor":{"kind":"person","id":1,"key_id":0,"name":"Ada Lovelace"},` +
			`"action":"api-key.create","object":{"kind":"api-key","id":3,"name":"ci"},"details":{"a":"\u003cx\u003e","b":2},` +
			`"remote_addr":"192.0.2.7","request_id":"r1"`
		if line != want || len(hash) != 64+3 {
			t.Errorf("line %s\nwant %s", out.String(), want)
		}
		if b, err := json.Marshal(audit.Record{}); err != nil || !strings.Contains(string(b), `"details":{}`) {
			t.Errorf("a record that was never stored: %s, %v", b, err)
		}
	})
}

// parts is a writer that sees how much comes at once.
type parts struct {
	lines int
	fail  bool
}

func (p *parts) Write(b []byte) (int, error) {
	if p.fail && p.lines > 10 {
		return 0, errors.New("the reader is gone")
	}
	p.lines++
	if bytes.Count(b, []byte("\n")) != 1 || !json.Valid(b) {
		return 0, errors.New("not one line of JSON")
	}
	return len(b), nil
}

func TestExportGoesOnAfterAPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 2*audit.MaxLimit + 5
		w.fill(n)
		for _, c := range []struct {
			f    audit.Filter
			want int
		}{
			{audit.Filter{}, n},
			{audit.Filter{Newest: true}, n},
			{audit.Filter{Limit: audit.MaxLimit}, audit.MaxLimit},
			{audit.Filter{Limit: audit.MaxLimit + 1, Newest: true}, audit.MaxLimit + 1},
			{audit.Filter{ActorID: 2}, 0},
		} {
			var p parts
			if err := w.Export(t.Context(), c.f, &p); err != nil || p.lines != c.want {
				t.Errorf("%+v: %d lines, %v, want %d", c.f, p.lines, err, c.want)
			}
		}
		if err := w.Export(t.Context(), audit.Filter{}, &parts{fail: true}); err == nil || !strings.Contains(err.Error(), "the reader is gone") {
			t.Errorf("a writer that fails: %v", err)
		}
		got, err := w.List(t.Context(), audit.Filter{Limit: n})
		if err != nil || len(got) != audit.MaxLimit {
			t.Errorf("%d at once, %v, want %d", len(got), err, audit.MaxLimit)
		}
	})
}

func TestCountIsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exec(fmt.Sprintf(`WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i <= %d)
			INSERT INTO audit (id, at, actor_kind, actor_id, actor_key, actor_name, action, object_kind, object_id, object_name, details, remote_addr, request_id, hash)
			SELECT i, %d, 'person', 1, 0, 'Ada', 'group.create', 'group', i, 'a group', '{}', '', '', '' FROM s`, audit.MaxCount, start().UnixMicro()))
		for _, f := range []audit.Filter{{}, {Action: "group.", ActorID: 1}, {From: start()}, {From: start(), To: start().Add(time.Hour), Query: "group"}} {
			if n, err := w.Count(t.Context(), f); n != audit.MaxCount || err != nil {
				t.Errorf("%+v: %d, %v", f, n, err)
			}
		}
	})
}
