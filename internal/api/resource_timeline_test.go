package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
)

// addCollection makes a collection in which the groups may do what the grants
// say, such as "1r 5c".
func (in *instance) addCollection(t *testing.T, name string, parent int64, grants string) int64 {
	t.Helper()
	f, err := in.content.CreateCollection(t.Context(), access.CommandLine(), content.NewCollection{Name: name, ParentID: parent})
	if err != nil {
		t.Fatal(err)
	}
	err = in.db.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := in.db.Exec(ctx, "UPDATE collection SET grants = ?2 WHERE id = ?1", f.ID, grants); err != nil {
			return err
		}
		return in.db.Record(ctx, db.ChangedCollection, f.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	in.names[name] = fmt.Sprint(f.ID)
	return f.ID
}

func TestTimelineRoutes(t *testing.T) {
	const icons = "nullable enum of star, cake, mail, warning, bell, cloud"
	const when = "value must be a valid date string."
	const releases = `{"id":1,"name":"Releases","description":null,"icon":"star","collection_id":null,` +
		`"collection":{"metabase.collections.models.collection.root/is-root?":true,"authority_level":null,"name":"Our analytics","is_personal":false,"id":"root","can_write":true},` +
		`"archived":false,"default":false,"creator_id":{bo},"creator":{"id":{bo},"email":"bo@example.test","first_name":"Bo","last_name":"K","common_name":"Bo K"},` +
		`"entity_id":"<entity>","created_at":"` + testStart + `","updated_at":"` + testStart + `"`
	const launch = `{"id":1,"timeline_id":1,"name":"Launch","description":null,"timestamp":"2026-03-01T07:00:00Z","time_matters":false,"timezone":"Europe/Berlin",` +
		`"icon":"star","archived":false,"creator_id":{bo},"creator":{"id":{bo},"email":"bo@example.test","first_name":"Bo","last_name":"K","common_name":"Bo K"},` +
		`"created_at":"` + testStart + `","updated_at":"` + testStart + `"}`
	eachInstance(t, func(t *testing.T, in *instance) {
		in.addCollection(t, "hidden", 0, "")
		in.addCollection(t, "read", 0, "1r")
		in.run(t, []row{
			{name: "none", who: "bo", call: "GET /api/timeline", status: 200, want: `[]`},
			{name: "create", who: "bo", call: "POST /api/timeline", body: `{"name":"Releases"}`, status: 200, want: releases + `}`},
			{name: "create, everything", who: "ada", call: "POST /api/timeline/", body: `{"name":"Secret","icon":"bell","default":true,"collection_id":{hidden},"description":"d"}`, status: 200, want: "-",
				has: []string{`"id":2,"name":"Secret","description":"d","icon":"bell","collection_id":{hidden},"collection":{"id":{hidden},"name":"hidden"`, `"default":true`}},
			{name: "create, archived", who: "ada", call: "POST /api/timeline", body: `{"name":"Old","collection_id":{read},"archived":true}`, status: 200, want: "-", has: []string{`"id":3,`, `"archived":true`}},
			{name: "get", who: "reader", call: "GET /api/timeline/1", status: 200, want: releases + `}`},
			{name: "get with events", who: "bo", call: "GET /api/timeline/1?include=events", status: 200, want: releases + `,"events":[]}`},
			{name: "get, forbidden", who: "bo", call: "GET /api/timeline/2", status: 403, want: noPermission},
			{name: "get, unknown", who: "bo", call: "GET /api/timeline/99", status: 404, want: "Not found."},
			{name: "get, bad include", who: "bo", call: "GET /api/timeline/1?include=all", status: 400, want: "-", has: []string{`"errors":{"include":"nullable enum of events"}`}},
			{name: "get, bad start", who: "bo", call: "GET /api/timeline/1?start=soon", status: 400, want: invalid("start", "nullable "+when, when+`, received: "soon"`)},

			{name: "create, no name", who: "bo", call: "POST /api/timeline", body: `{}`, status: 400, want: invalid("name", noBlank, "missing required key, received: nil")},
			{name: "create, bad icon", who: "bo", call: "POST /api/timeline", body: `{"name":"x","icon":"sun"}`, status: 400, want: "-", has: []string{`"errors":{"icon":"` + icons + `"}`}},
			{name: "create, long name", who: "bo", call: "POST /api/timeline", body: `{"name":"` + strings.Repeat("x", 255) + `"}`, status: 400, want: "-", has: []string{"at most 254"}},
			{name: "create, unknown collection", who: "bo", call: "POST /api/timeline", body: `{"name":"x","collection_id":99}`, status: 404, want: "Not found."},
			{name: "create, read-only collection", who: "bo", call: "POST /api/timeline", body: `{"name":"x","collection_id":{read}}`, status: 403, want: noPermission},
			{name: "create, the Trash", who: "ada", call: "POST /api/timeline", body: `{"name":"x","collection_id":1}`, status: 403, want: noPermission},
			{name: "create, nobody", call: "POST /api/timeline", body: `{"name":"x"}`, status: 401, want: "Unauthenticated"},

			{name: "list", who: "bo", call: "GET /api/timeline", status: 200, want: `[` + releases + `}]`},
			{name: "list, archived", who: "bo", call: "GET /api/timeline?archived=true", status: 200, want: "-", has: []string{`[{"id":3,`}, not: []string{`{"id":1,"name"`}},
			{name: "list, as the administrator", who: "ada", call: "GET /api/timeline?include=events", status: 200, want: "-", has: []string{`"name":"Releases"`, `"name":"Secret"`, `"events":[]`}},
			{name: "of the root", who: "bo", call: "GET /api/timeline/collection/root", status: 200, want: `[` + releases + `}]`},
			{name: "of a collection", who: "ada", call: "GET /api/timeline/collection/{hidden}?include=events", status: 200, want: "-", has: []string{`[{"id":2,`, `"events":[]`}},
			{name: "of a collection, archived", who: "bo", call: "GET /api/timeline/collection/{read}?archived=true", status: 200, want: "-", has: []string{`[{"id":3,`}},
			{name: "of a hidden collection", who: "bo", call: "GET /api/timeline/collection/{hidden}", status: 403, want: noPermission},
			{name: "of an unknown collection", who: "bo", call: "GET /api/timeline/collection/99", status: 404, want: "Not found."},

			{name: "event", who: "bo", call: "POST /api/timeline-event", body: `{"name":"Launch","timestamp":"2026-03-01T08:00:00+01:00","timezone":"Europe/Berlin","timeline_id":1}`, status: 200, want: launch},
			{name: "event, a day", who: "bo", call: "POST /api/timeline-event", body: `{"name":"Party","timestamp":"2026-02-01","timezone":"UTC","timeline_id":1,"icon":"cake","time_matters":true,"archived":true,"description":"d"}`, status: 200, want: "-",
				has: []string{`"id":2,`, `"timestamp":"2026-02-01T00:00:00Z","time_matters":true`, `"icon":"cake","archived":true`}},
			{name: "event, get", who: "reader", call: "GET /api/timeline-event/1", status: 200, want: launch},
			{name: "event, unknown", who: "bo", call: "GET /api/timeline-event/99", status: 404, want: "Not found."},
			{name: "event, no date", who: "bo", call: "POST /api/timeline-event", body: `{"name":"x","timestamp":"soon","timezone":"UTC","timeline_id":1}`, status: 400, want: invalid("timestamp", when, when+`, received: "soon"`)},
			{name: "event, far away", who: "bo", call: "POST /api/timeline-event", body: `{"name":"x","timestamp":"9999-12-31T23:59:59-05:00","timezone":"UTC","timeline_id":1}`, status: 400, want: "-", has: []string{`"timestamp":["` + when}},
			{name: "event, nothing", who: "bo", call: "POST /api/timeline-event", body: `{}`, status: 400, want: "-",
				has: []string{`"name":["missing required key, received: nil"]`, `"timeline_id":[`, `"timestamp":[`, `"timezone":[`}},
			{name: "event, unknown timeline", who: "bo", call: "POST /api/timeline-event", body: `{"name":"x","timestamp":"2026-02-01","timezone":"UTC","timeline_id":99}`, status: 404, want: "Not found."},
			{name: "event, hidden timeline", who: "bo", call: "POST /api/timeline-event", body: `{"name":"x","timestamp":"2026-02-01","timezone":"UTC","timeline_id":2}`, status: 403, want: noPermission},
			{name: "event, nobody", call: "GET /api/timeline-event/1", status: 401, want: "Unauthenticated"},
			{name: "events of a timeline", who: "bo", call: "GET /api/timeline/1?include=events", status: 200, want: releases + `,"events":[` + launch + `]}`},
			{name: "all events, in order", who: "bo", call: "GET /api/timeline/1?include=events&archived=true", status: 200, want: "-", has: []string{`"events":[{"id":2,`, `{"id":1,"timeline_id":1`}},
			{name: "events from a day on", who: "bo", call: "GET /api/timeline/1?include=events&archived=true&start=2026-02-15", status: 200, want: "-", has: []string{`"events":[{"id":1,`}, not: []string{`Party`}},
			{name: "events up to a day", who: "bo", call: "GET /api/timeline/1?include=events&archived=true&end=2026-02-15", status: 200, want: "-", has: []string{`"events":[{"id":2,`}, not: []string{`Launch`}},

			{name: "event, edit", who: "bo", call: "PUT /api/timeline-event/1", body: `{"name":"Start","description":"d","icon":"cloud","timestamp":"2026-04-01","time_matters":true}`, status: 200, want: "-",
				has: []string{`"name":"Start","description":"d","timestamp":"2026-04-01T00:00:00Z","time_matters":true`, `"icon":"cloud"`}},
			{name: "event, nulls", who: "bo", call: "PUT /api/timeline-event/1", body: `{"name":null,"description":null,"icon":null,"timestamp":null,"timeline_id":null}`, status: 200, want: "-",
				has: []string{`"name":"Start","description":null,"timestamp":"2026-04-01T00:00:00Z"`}},
			{name: "event, to a hidden timeline", who: "bo", call: "PUT /api/timeline-event/1", body: `{"timeline_id":2}`, status: 403, want: noPermission},
			{name: "event, to an unknown timeline", who: "bo", call: "PUT /api/timeline-event/1", body: `{"timeline_id":99}`, status: 404, want: "Not found."},
			{name: "event, blank", who: "bo", call: "PUT /api/timeline-event/1", body: `{"name":" "}`, status: 400, want: "-", has: []string{`"errors":{"name":`}},
			{name: "event, moved", who: "ada", call: "PUT /api/timeline-event/2", body: `{"timeline_id":2}`, status: 200, want: "-", has: []string{`"timeline_id":2`}},
			{name: "event, now hidden", who: "bo", call: "GET /api/timeline-event/2", status: 403, want: noPermission},
			{name: "event, delete without the right", who: "bo", call: "DELETE /api/timeline-event/2", status: 403, want: noPermission},

			{name: "edit", who: "bo", call: "PUT /api/timeline/1", body: `{"name":"Ships","icon":"mail","default":true,"description":"d"}`, status: 200, want: "-",
				has: []string{`"name":"Ships","description":"d","icon":"mail"`, `"default":true`}},
			{name: "edit, forbidden", who: "bo", call: "PUT /api/timeline/2", body: `{"name":"x"}`, status: 403, want: noPermission},
			{name: "move without the right", who: "bo", call: "PUT /api/timeline/1", body: `{"collection_id":{read}}`, status: 403, want: noPermission},
			{name: "archive with its events", who: "bo", call: "PUT /api/timeline/1", body: `{"archived":true}`, status: 200, want: "-", has: []string{`"archived":true`}},
			{name: "its event is archived", who: "bo", call: "GET /api/timeline-event/1", status: 200, want: "-", has: []string{`"archived":true`}},
			{name: "list without it", who: "bo", call: "GET /api/timeline", status: 200, want: `[]`},
			{name: "restore with its events", who: "bo", call: "PUT /api/timeline/1", body: `{"archived":false}`, status: 200, want: "-", has: []string{`"archived":false`}},
			{name: "its event is back", who: "bo", call: "GET /api/timeline-event/1", status: 200, want: "-", has: []string{`"archived":false`}},
			{name: "event, archive", who: "bo", call: "PUT /api/timeline-event/1", body: `{"archived":true}`, status: 200, want: "-", has: []string{`"archived":true`}},
			{name: "event, delete", who: "bo", call: "DELETE /api/timeline-event/1", status: 204},
			{name: "event, delete again", who: "bo", call: "DELETE /api/timeline-event/1", status: 404, want: "Not found."},
			{name: "delete, forbidden", who: "bo", call: "DELETE /api/timeline/2", status: 403, want: noPermission},
			{name: "delete", who: "ada", call: "DELETE /api/timeline/2", status: 204},
			{name: "its event went too", who: "ada", call: "GET /api/timeline-event/2", status: 404, want: "Not found."},
			{name: "delete, unknown", who: "ada", call: "DELETE /api/timeline/2", status: 404, want: "Not found."},
		})
	})
}
