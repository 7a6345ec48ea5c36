package guard_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// TestHiddenContentShowsNowhere makes things in a hidden collection, with a
// word in all of them, and lets somebody else ask everything that could show
// it: lists, counts, searches, histories, copies, references and translations.
func TestHiddenContentShowsNowhere(t *testing.T) {
	const word = "kryptonite"
	each(t, func(t *testing.T, w *world) {
		w.make("card", "ada", "POST", "/api/card", card(word+" card", "SELECT '"+word+"' AS x", "{hidden}"))
		w.make("board", "ada", "POST", "/api/dashboard", `{"name":"`+word+` board","collection_id":{hidden}}`)
		w.make("deep", "ada", "POST", "/api/collection", `{"name":"`+word+` deep","parent_id":{hidden}}`)
		w.make("timeline", "ada", "POST", "/api/timeline", `{"name":"`+word+` line","collection_id":{hidden},"icon":"star"}`)
		w.ok(200, "ada", "PUT", "/api/card/{card}", `{"description":"`+word+` described"}`)
		// A dashboard that may be seen shows the question that may not.
		w.make("shows", "ada", "POST", "/api/dashboard", `{"name":"shows","collection_id":{open}}`)
		w.ok(200, "ada", "PUT", "/api/dashboard/{shows}", `{"dashcards":[{"id":-1,"card_id":{card},"row":0,"col":0,"size_x":4,"size_y":4,"parameter_mappings":[],"visualization_settings":{}}]}`)
		// A question that may be seen takes in the one that may not.
		w.make("takes", "ada", "POST", "/api/card", card("takes", "SELECT * FROM {{#{card}}}", "{open}"))
		// What lay in the open has moved away; it was marked and looked at before.
		w.make("gone", "ada", "POST", "/api/card", card(word+" gone", "SELECT '"+word+"'", "{open}"))
		w.ok(200, "bo", "GET", "/api/card/{gone}", "")
		w.ok(200, "bo", "POST", "/api/bookmark/card/{gone}", "")
		w.ok(204, "bo", "POST", "/api/activity/recents", `{"model":"card","model_id":{gone},"context":"selection"}`)
		w.ok(200, "ada", "PUT", "/api/card/{gone}", `{"collection_id":{hidden}}`)
		w.make("put away", "ada", "POST", "/api/card", card(word+" away", "SELECT 1", "{hidden}"))
		w.ok(200, "ada", "PUT", "/api/card/{put away}", `{"archived":true}`)
		var entity struct {
			ID string `json:"entity_id"`
		}
		w.ok(200, "ada", "GET", "/api/card/{card}", "").JSON(t, &entity)
		var shown struct {
			Dashcards []struct{ ID int64 }
		}
		w.ok(200, "ada", "GET", "/api/dashboard/{shows}", "").JSON(t, &shown)
		w.ids["place"] = shown.Dashcards[0].ID
		search := url.QueryEscape(word)
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/api/collection", ""}, {"GET", "/api/collection?archived=true", ""}, {"GET", "/api/collection/tree", ""},
			{"GET", "/api/collection/root/items", ""}, {"GET", "/api/collection/root/items?archived=true", ""}, {"GET", "/api/collection/trash/items", ""},
			{"GET", "/api/collection/{open}/items", ""}, {"GET", "/api/collection/{hidden}", ""}, {"GET", "/api/collection/{hidden}/items", ""}, {"GET", "/api/collection/{deep}", ""},
			{"GET", "/api/collection/{deep}/items", ""}, {"GET", "/api/collection/{hidden}/timelines", ""}, {"GET", "/api/collection/root/timelines", ""},
			{"GET", "/api/card", ""}, {"GET", "/api/card?f=archived", ""}, {"GET", "/api/card?f=bookmarked", ""}, {"GET", "/api/card?f=database&model_id=1", ""}, {"GET", "/api/card?f=using_model&model_id={card}", ""},
			{"GET", "/api/card/{card}", ""}, {"GET", "/api/card/" + entity.ID, ""}, {"GET", "/api/card/{card}/dashboards", ""}, {"GET", "/api/card/{card}/series", ""}, {"GET", "/api/card/{card}/query_metadata", ""},
			{"POST", "/api/card/{card}/query", ""}, {"POST", "/api/card/{card}/query/json", `{}`}, {"POST", "/api/card/{card}/copy", ""}, {"POST", "/api/cards/dashboards", `{"card_ids":[{card}]}`},
			{"POST", "/api/cards/move", `{"card_ids":[{card}],"collection_id":{open}}`}, {"POST", "/api/card/collections", `{"card_ids":[{card}],"collection_id":{open}}`},
			{"POST", "/api/card/{takes}/query", ""}, {"POST", "/api/card/{takes}/query/csv", `{}`}, {"GET", "/api/card/{takes}", ""}, {"POST", "/api/card/{takes}/copy", ""},
			{"POST", "/api/dataset", native("SELECT * FROM {{#{card}}}")}, {"POST", "/api/dataset/native", native("SELECT * FROM {{#{card}}}")}, {"POST", "/api/dataset/native", native("SELECT * FROM {{#{takes}}}")},
			{"POST", "/api/dataset/query_metadata", native("SELECT * FROM {{#{card}}}")}, {"POST", "/api/card", card("mine", "SELECT * FROM {{#{card}}}", "{open}")},
			{"GET", "/api/dashboard", ""}, {"GET", "/api/dashboard?f=archived", ""}, {"GET", "/api/dashboard/{board}", ""}, {"GET", "/api/dashboard/{shows}", ""}, {"GET", "/api/dashboard/{shows}/query_metadata", ""},
			{"GET", "/api/dashboard/{shows}/items", ""}, {"POST", "/api/dashboard/{shows}/dashcard/{place}/card/{card}/query", `{}`}, {"POST", "/api/dashboard/{shows}/dashcard/{place}/card/{card}/query/json", `{}`},
			{"POST", "/api/dashboard/{shows}/copy", `{"name":"a","collection_id":{open}}`}, {"POST", "/api/dashboard/{shows}/copy", `{"name":"b","collection_id":{open},"is_deep_copy":true}`},
			{"POST", "/api/dashboard/{board}/copy", `{"name":"c","collection_id":{open}}`},
			{"GET", "/api/revision/card/{card}", ""}, {"GET", "/api/revision?entity=card&id={card}", ""}, {"GET", "/api/revision?entity=dashboard&id={shows}", ""}, {"GET", "/api/revision/card/{gone}", ""},
			{"GET", "/api/search?q=" + search, ""}, {"GET", "/api/search?q=" + search + "&archived=true", ""}, {"GET", "/api/search?q=" + search + "&search_native_query=true", ""},
			{"GET", "/api/search?models=card&ids={card}", ""}, {"GET", "/api/search?collection={hidden}", ""}, {"GET", "/api/search?models=card&calculate_available_models=true&q=" + search, ""},
			{"GET", "/api/bookmark", ""}, {"GET", "/api/activity/recents?context=views&context=selections", ""}, {"GET", "/api/activity/recent_views", ""}, {"GET", "/api/activity/popular_items", ""},
			{"GET", "/api/activity/most_recently_viewed_dashboard", ""},
			{"GET", "/api/timeline", ""}, {"GET", "/api/timeline?archived=true", ""}, {"GET", "/api/timeline/{timeline}", ""},
			{"POST", "/api/eid-translation/translate", `{"entity_ids":{"card":["` + entity.ID + `"]}}`},
			{"POST", "/api/bookmark/card/{card}", ""}, {"POST", "/api/activity/recents", `{"model":"card","model_id":{card},"context":"selection"}`},
			{"PUT", "/api/dashboard/{shows}", `{"dashcards":[{"id":-1,"card_id":{card},"row":0,"col":0,"size_x":4,"size_y":4},{"id":-2,"card_id":{gone},"row":4,"col":0,"size_x":4,"size_y":4}]}`},
			{"POST", "/v1/bulk", `{"operations":[{"op":"move","kind":"card","id":{card},"collection_id":{open}}]}`},
			{"POST", "/v1/bulk", `{"mode":"each","operations":[{"op":"archive","kind":"card","id":{card}},{"op":"restore","kind":"card","id":{put away},"collection_id":{open}},{"op":"move","kind":"collection","id":{deep},"collection_id":{open}}]}`},
			{"POST", "/v1/bulk", `{"dry_run":true,"operations":[{"op":"delete","kind":"dashboard","id":{board}}]}`},
		} {
			a := w.as("bo", c.method, c.path, c.body)
			if strings.Contains(strings.ReplaceAll(a.Body, search+"\"", ""), word) {
				t.Errorf("%s %s %s: %d shows it: %s", c.method, c.path, c.body, a.Status, a.Body)
			}
			if a.Status >= 500 {
				t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, a.Status, a.Body)
			}
		}
		for _, path := range []string{
			"/", "/collection/root", "/collection/{open}", "/collection/{hidden}", "/trash", "/question/{card}", "/question/{takes}", "/dashboard/{shows}", "/dashboard/{board}",
			"/question/{gone}", "/question/{card}/history", "/dashboard/{shows}/history", "/admin/permissions",
		} {
			if a := w.page("bo", path); strings.Contains(a, word) {
				t.Errorf("the page %s shows it", path)
			}
		}
		// Nothing has changed, and counts are without it.
		var list struct{ Total int }
		w.ok(200, "bo", "GET", "/api/search?q="+search, "").JSON(t, &list)
		if list.Total != 0 {
			t.Errorf("%d hits", list.Total)
		}
		var now struct {
			Collection int64 `json:"collection_id"`
			Archived   bool
		}
		w.ok(200, "ada", "GET", "/api/card/{card}", "").JSON(t, &now)
		if now.Collection != w.ids["hidden"] || now.Archived {
			t.Errorf("%+v", now)
		}
	})
}

func (w *world) page(who, path string) string {
	w.t.Helper()
	return w.Do("GET", w.fill(path), nil, "Cookie", "metabase.SESSION="+w.callers[who][1]).Body
}

// TestHiddenSnippets: the permissions of snippets hold against queries,
// questions and snippets between.
func TestHiddenSnippets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("folder", "ada", "POST", "/api/collection", `{"name":"f","namespace":"snippets"}`)
		w.ok(200, "ada", "PUT", "/api/collection/graph?force=true", `{"namespace":"snippets","groups":{"1":{"{folder}":"none"}}}`)
		w.make("secret", "ada", "POST", "/api/native-query-snippet", `{"name":"secret","content":"'kryptonite'","collection_id":{folder}}`)
		w.make("plain", "ada", "POST", "/api/native-query-snippet", `{"name":"plain","content":"1"}`)
		w.make("uses", "ada", "POST", "/api/card", card("uses", "SELECT {{snippet: secret}} AS x", "{open}"))
		w.ok(202, "bo", "POST", "/api/card/{uses}/query", "")
		byID := `{"database":1,"type":"native","native":{"query":"SELECT {{snippet: plain}}","template-tags":{"snippet: plain":{"id":"a","name":"snippet: plain","type":"snippet","snippet-name":"plain","snippet-id":{secret}}}}}`
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/api/native-query-snippet/{secret}", ""},
			{"POST", "/api/dataset", native("SELECT {{snippet: secret}}")},
			{"POST", "/api/dataset/native", native("SELECT {{snippet: secret}}")},
			{"POST", "/api/dataset/native", byID},
			{"POST", "/api/dataset/csv", `{"query":` + native("SELECT {{snippet: secret}}") + `}`},
			{"POST", "/api/card", card("mine", "SELECT {{snippet: secret}}", "{open}")},
			{"POST", "/api/native-query-snippet", `{"name":"between","content":"{{snippet: secret}}"}`},
			{"PUT", "/api/native-query-snippet/{plain}", `{"content":"{{snippet: secret}}"}`},
		} {
			if a := w.as("bo", c.method, c.path, c.body); a.Status != 403 || strings.Contains(a.Body, "kryptonite") {
				t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, a.Status, a.Body)
			}
		}
		w.ok(202, "bo", "POST", "/api/dataset", native("SELECT {{snippet: plain}}"))
		w.bind("of one", `{"resources":{"snippets":["{plain}"]}}`)
		if a := w.as("of one", "POST", "/api/dataset/native", native("SELECT {{snippet: secret}}")); a.Status != 403 || a.Header.Get("Latchkey-Reason") != "resource" {
			t.Errorf("%d %q %s", a.Status, a.Header.Get("Latchkey-Reason"), a.Body)
		}
		w.ok(200, "of one", "POST", "/api/dataset/native", native("SELECT {{snippet: plain}}"))
		// A key that is bound to one question takes in no other.
		w.make("other", "ada", "POST", "/api/card", card("other", "SELECT 'kryptonite'", "{open}"))
		w.bind("of a card", `{"resources":{"cards":["{uses}"]}}`)
		for _, path := range []string{"/api/dataset", "/api/dataset/native"} {
			if a := w.as("of a card", "POST", path, native("SELECT * FROM {{#{other}}}")); a.Status != 403 || strings.Contains(a.Body, "kryptonite") {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		}
	})
}

// TestAnswersAreTheCallersOwn: an Idempotency-Key is no way to the answers of
// somebody else.
func TestAnswersAreTheCallersOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, text := w.Key("another", 2)
		w.callers["another"] = [2]string{"X-API-Key", text}
		body := json.RawMessage(`{"operations":[{"op":"create_group","name":"once"}]}`)
		first := w.Do("POST", "/v1/bulk", body, "X-Metabase-Session", w.Session, "Idempotency-Key", "k1")
		again := w.Do("POST", "/v1/bulk", body, "X-Metabase-Session", w.Session, "Idempotency-Key", "k1")
		if first.Status != 200 || again.Header.Get("Idempotency-Replayed") != "true" {
			t.Fatalf("%d %s, %v", first.Status, first.Body, again.Header)
		}
		other := w.Do("POST", "/v1/bulk", body, "X-API-Key", text, "Idempotency-Key", "k1")
		if other.Header.Get("Idempotency-Replayed") != "" || other.Status != 400 {
			t.Errorf("%d %s", other.Status, other.Body)
		}
	})
}
