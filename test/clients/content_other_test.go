package clients_test

import (
	"slices"
	"strings"
	"testing"
)

func mbSnippets(t *testing.T, m mb, _ *shelf) {
	type snippet struct {
		ID           int64
		Name         string
		Content      string
		Description  *string
		Archived     bool
		CollectionID *int64 `json:"collection_id"`
		EntityID     string `json:"entity_id"`
	}
	var s snippet
	m.send(&s, object{"name": "Tax", "content": "0.19", "description": "of sales"}, "snippet", "create")
	if s.ID == 0 || s.Content != "0.19" || s.Archived || s.CollectionID != nil || len(s.EntityID) != 21 {
		t.Errorf("created %+v", s)
	}
	m.refused(1, "A snippet with that name already exists. Please pick a different name.",
		"snippet", "create", "--body", `{"name":"Tax","content":"0.2"}`)
	m.send(&s, object{"content": "0.07", "name": nil}, "snippet", "update", num(s.ID))
	m.whole(&s, "snippet", "get", num(s.ID))
	if s.Content != "0.07" || s.Name != "Tax" {
		t.Errorf("updated %+v", s)
	}
	m.whole(&s, "snippet", "archive", num(s.ID))
	if got := m.names("snippet", "list"); !s.Archived || len(got) != 0 {
		t.Errorf("archived %+v, list %q", s, got)
	}
	if got := m.names("snippet", "list", "--archived"); !slices.Equal(got, []string{"Tax"}) {
		t.Errorf("archived snippets: %q", got)
	}
	m.send(&s, object{"archived": false}, "snippet", "update", num(s.ID))
	if got := m.names("snippet", "list"); s.Archived || !slices.Equal(got, []string{"Tax"}) {
		t.Errorf("restored %+v, list %q", s, got)
	}
	m.refused(1, "Not found: GET /api/native-query-snippet/999999.", "snippet", "get", "999999")
}

// event is an entry of a timeline.
type event struct {
	ID         int64
	Name       string
	Icon       string
	Timestamp  string
	Timezone   string
	TimelineID int64 `json:"timeline_id"`
	Archived   bool
}

func mbTimelines(t *testing.T, m mb, w *shelf) {
	type timeline struct {
		ID           int64
		Name, Icon   string
		Archived     bool
		Default      bool
		CollectionID *int64 `json:"collection_id"`
	}
	var line timeline
	m.send(&line, object{"name": "Releases", "collection_id": w.ops.ID, "icon": "cake"}, "timeline", "create")
	if line.ID == 0 || line.Icon != "cake" || line.Default || line.CollectionID == nil || *line.CollectionID != w.ops.ID {
		t.Errorf("created %+v", line)
	}
	var plain timeline
	m.send(&plain, object{"name": "Plain"}, "timeline", "create")
	if plain.Icon != "star" || plain.CollectionID != nil {
		t.Errorf("created %+v", plain)
	}
	mbEvents(t, m, line.ID, plain.ID)
	m.send(&line, object{"name": "Launches", "icon": nil}, "timeline", "update", num(line.ID))
	m.whole(&line, "timeline", "get", num(line.ID))
	if line.Name != "Launches" || line.Icon != "cake" {
		t.Errorf("updated %+v", line)
	}
	m.whole(&line, "timeline", "archive", num(line.ID))
	if got := m.names("timeline", "list"); !line.Archived || !slices.Equal(got, []string{"Plain"}) {
		t.Errorf("archived %+v, list %q", line, got)
	}
	if got := m.names("timeline", "list", "--archived"); !slices.Equal(got, []string{"Launches"}) {
		t.Errorf("archived timelines: %q", got)
	}
	if got := m.names("timeline", "events", num(line.ID), "--archived"); !slices.Contains(got, "v2") {
		t.Errorf("archiving a timeline left its events: %q", got)
	}
	if r := m.run("timeline", "delete", num(plain.ID), "--yes"); r.code != 0 {
		t.Errorf("delete: %+v", r)
	}
	m.refused(1, "Not found: GET /api/timeline/", "timeline", "get", num(plain.ID))
	m.refused(1, "Not found: POST /api/timeline.", "timeline", "create", "--body", `{"name":"Lost","collection_id":999999}`)
}

func mbEvents(t *testing.T, m mb, line, other int64) {
	t.Helper()
	var e event
	m.send(&e, object{"name": "v1", "timestamp": "2026-07-01T12:00:00Z", "timezone": "UTC", "time_matters": false, "timeline_id": line}, "timeline-event", "create")
	if e.ID == 0 || e.Icon != "cake" || e.TimelineID != line || e.Timezone != "UTC" || !strings.HasPrefix(e.Timestamp, "2026-07-01T12:00:00") {
		t.Errorf("created %+v", e)
	}
	m.send(&e, object{"name": "v2", "icon": "bell"}, "timeline-event", "update", num(e.ID))
	m.whole(&e, "timeline-event", "get", num(e.ID))
	if e.Name != "v2" || e.Icon != "bell" {
		t.Errorf("updated %+v", e)
	}
	m.send(&e, object{"timeline_id": other}, "timeline-event", "update", num(e.ID))
	if got := m.names("timeline", "events", num(other)); !slices.Equal(got, []string{"v2"}) {
		t.Errorf("moved: %q", got)
	}
	m.send(&e, object{"timeline_id": line}, "timeline-event", "update", num(e.ID))
	m.whole(&e, "timeline-event", "archive", num(e.ID))
	if got := m.names("timeline", "events", num(line)); !e.Archived || len(got) != 0 {
		t.Errorf("archived %+v, events %q", e, got)
	}
	m.send(&e, object{"archived": false}, "timeline-event", "update", num(e.ID))
	if got := m.names("timeline", "events", num(line)); !slices.Equal(got, []string{"v2"}) {
		t.Errorf("restored: %q", got)
	}
	var gone event
	m.send(&gone, object{"name": "gone", "timestamp": "2026-07-02T00:00:00+02:00", "timezone": "Europe/Berlin", "time_matters": true, "timeline_id": line}, "timeline-event", "create")
	if r := m.run("timeline-event", "delete", num(gone.ID), "--yes"); r.code != 0 {
		t.Errorf("delete: %+v", r)
	}
	m.refused(1, "Not found: GET /api/timeline-event/", "timeline-event", "get", num(gone.ID))
	m.refused(1, "Not found: POST /api/timeline-event.", "timeline-event", "create", "--body",
		`{"name":"lost","timestamp":"2026-07-01T00:00:00Z","timezone":"UTC","time_matters":false,"timeline_id":999999}`)
}

func mbSearch(t *testing.T, m mb, w *shelf) {
	find := func(args ...string) []string { return m.names(append([]string{"search"}, args...)...) }
	if got := find("doubled"); !slices.Equal(got, []string{"Doubled"}) {
		t.Errorf("doubled: %q", got)
	}
	if got := find("ops", "--models", "collection,dashboard"); !slices.Contains(got, "Ops Default") {
		t.Errorf("collections: %q", got)
	}
	if got := find("numbers", "--models", "card"); len(got) != 0 {
		t.Errorf("cards only: %q", got)
	}
	if got := find("numbers", "--models", "dashboard,dataset"); !slices.Equal(got, []string{"Numbers"}) {
		t.Errorf("dashboards: %q", got)
	}
	if got := find("plain", "--archived"); !slices.Contains(got, "Plain") || slices.Contains(find("plain", "--models", "dashboard"), "Plain") {
		t.Errorf("archived: %q", got)
	}
	if got := find("no such word anywhere"); len(got) != 0 {
		t.Errorf("nothing: %q", got)
	}
	if got := find(`"doubled' -- %*(`); slices.Contains(got, "Numbers") {
		t.Errorf("odd characters: %q", got)
	}
	if got := find("orders", "--db-id", num(w.db), "--models", "card"); !slices.Contains(got, "Orders") {
		t.Errorf("of the database: %q", got)
	}
	var page listOf[named]
	m.whole(&page, "search", "--models", "card,collection,dashboard", "--limit", "2")
	if len(page.Data) != 2 || page.Total == nil || *page.Total < 5 || !page.HasMore {
		t.Errorf("a page: %+v", page)
	}
	r := m.run("search", "orders", "--verified", "--json")
	if r.code == 0 {
		t.Error("verified content is a paid feature")
	}
}

func mbEntityIDs(t *testing.T, m mb, w *shelf) {
	var answer struct {
		IDs map[string]struct {
			ID     int64
			Status string
			Type   string
		} `json:"entity_ids"`
	}
	unknown := strings.Repeat("B", 21)
	m.send(&answer, object{"entity_ids": object{
		"collection":     []string{w.ops.EntityID},
		"card":           []string{w.orders.EntityID, unknown},
		"dashboard":      []string{w.board.EntityID},
		"dashboard-card": []string{w.board.Dashcards[0].EntityID},
	}}, "eid")
	for eid, want := range map[string]int64{
		w.ops.EntityID: w.ops.ID, w.orders.EntityID: w.orders.ID, w.board.EntityID: w.board.ID,
		w.board.Dashcards[0].EntityID: w.board.Dashcards[0].ID,
	} {
		if got := answer.IDs[eid]; got.ID != want || got.Status != "ok" {
			t.Errorf("%s: %+v, want %d", eid, got, want)
		}
	}
	if got := answer.IDs[unknown]; got.Status != "not-found" || got.ID != 0 {
		t.Errorf("unknown: %+v", got)
	}
}
