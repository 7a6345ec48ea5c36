package matrix_test

import (
	"fmt"

	"latchkey/internal/apptest"
)

// shelf is where the victims of calls about content lie: collections that All
// Users may see and not change, so that the table tells who reads from who
// writes. What is secret lies where only administrators see it.
type shelf struct {
	collection, snippets, secret int64
}

// What everybody may do in the collections of the victims.
const (
	levelRead = "read"
	levelNone = "none"
)

// secretWord is in the names of what nobody but administrators may see.
const secretWord = "hidden-from-all"

// theShelf makes the places of the victims, once for each instance.
func (w *world) theShelf() shelf {
	if w.fresh || w.shelf.collection != 0 {
		return w.shelf
	}
	w.shelf = shelf{
		collection: w.folder(w.unique("shelf"), 0, ""),
		snippets:   w.folder(w.unique("snippet shelf"), 0, "snippets"),
		secret:     w.folder(secretWord, 0, ""),
	}
	secretSnippets := w.folder(secretWord+" of snippets", 0, "snippets")
	w.everybody(levelNone, "", w.shelf.secret)
	w.everybody(levelNone, "snippets", secretSnippets)
	w.cardIn(w.shelf.secret, secretWord)
	w.dashboardIn(w.shelf.secret, secretWord)
	w.create("/api/timeline", body{"name": secretWord, "collection_id": w.shelf.secret})
	w.create("/api/native-query-snippet", body{"name": secretWord, "content": "1", "collection_id": secretSnippets})
	gone := w.cardIn(w.shelf.secret, secretWord+" in the trash")
	w.Admin(200, nil, "PUT", fmt.Sprintf("/api/card/%d", gone), body{"archived": true})
	w.reopen(levelRead)
	return w.shelf
}

// reopen sets what everybody may do with the victims that are made from now on.
func (w *world) reopen(level string) {
	at := w.theShelf()
	w.everybody(level, "", at.collection)
	w.everybody(level, "snippets", at.snippets)
}

// everybody sets what All Users may do in a collection.
func (w *world) everybody(level, namespace string, id int64) {
	w.t.Helper()
	in := body{"groups": body{"1": body{fmt.Sprint(id): level}}}
	if namespace != "" {
		in["namespace"] = namespace
	}
	w.Admin(200, nil, "PUT", "/api/collection/graph?force=true&skip-graph=true", in)
}

// create makes something and returns its id.
func (w *world) create(path string, json body) int64 {
	w.t.Helper()
	var made struct{ ID int64 }
	w.Admin(200, &made, "POST", path, json)
	return made.ID
}

// folder makes a collection in another, or in the root.
func (w *world) folder(name string, parent int64, namespace string) int64 {
	in := body{"name": name}
	if parent != 0 {
		in["parent_id"] = parent
	}
	if namespace != "" {
		in["namespace"] = namespace
	}
	return w.create("/api/collection", in)
}

// place returns the collection that holds the victims of a call.
func (w *world) place() int64 {
	if w.fresh {
		return 1
	}
	return w.theShelf().collection
}

// snippetPlace returns the collection that holds snippets.
func (w *world) snippetPlace() int64 {
	if w.fresh {
		return 1
	}
	return w.theShelf().snippets
}

// collection makes a collection and returns its id.
func (w *world) collection() int64 {
	if w.fresh {
		return 1
	}
	return w.folder(w.unique("collection"), w.place(), "")
}

// newCard is the body that makes a question with a filter.
func newCard(name string, collection any) body {
	return body{
		"name": name, "display": "line", "visualization_settings": body{}, "collection_id": collection,
		"dataset_query": sampleQuery(),
		"parameters": []body{{
			"id": "p1", "type": "category", "name": "P", "slug": "p",
			"values_source_type": "static-list", "values_source_config": body{"values": []string{"paid", "open"}},
		}},
	}
}

// sampleQuery asks the sample database.
func sampleQuery() body {
	return body{"database": 1, "type": "native", "native": body{"query": "SELECT 1 AS one"}}
}

func (w *world) cardIn(collection any, name string) int64 {
	w.t.Helper()
	return w.create("/api/card", newCard(name, collection))
}

// card makes a question and returns its id.
func (w *world) card() int64 {
	if w.fresh {
		return 1
	}
	return w.cardIn(w.place(), w.unique("card"))
}

func (w *world) dashboardIn(collection any, name string) int64 {
	w.t.Helper()
	return w.create("/api/dashboard", body{
		"name": name, "collection_id": collection,
		"parameters": []body{{
			"id": "p1", "type": "category", "name": "P", "slug": "p",
			"values_source_type": "static-list", "values_source_config": body{"values": []string{"paid", "open"}},
		}},
	})
}

// dashboard makes a dashboard and returns its id.
func (w *world) dashboard() int64 {
	if w.fresh {
		return 1
	}
	return w.dashboardIn(w.place(), w.unique("dashboard"))
}

// dashcard is a question at its place in a dashboard.
type dashcard struct{ dashboard, dashcard, card int64 }

// newDashcard places a question at the top of a dashboard.
func newDashcard(card int64) body {
	return body{"id": -1, "card_id": card, "row": 0, "col": 0, "size_x": 4, "size_y": 4}
}

// placed puts a question into a dashboard.
func (w *world) placed(dashboard, card int64) dashcard {
	w.t.Helper()
	var shown struct{ Dashcards []struct{ ID int64 } }
	w.Admin(200, &shown, "PUT", fmt.Sprintf("/api/dashboard/%d", dashboard), body{"dashcards": []body{newDashcard(card)}})
	return dashcard{dashboard, shown.Dashcards[0].ID, card}
}

// dashcard makes a dashboard with a question.
func (w *world) dashcard() dashcard {
	if w.fresh {
		return dashcard{1, 1, 1}
	}
	return w.placed(w.dashboard(), w.card())
}

// candidate makes a question that only one dashboard shows, both in the given
// collection or the root.
func (w *world) candidate(collection any) int64 {
	if w.fresh {
		return 1
	}
	board := w.dashboardIn(collection, w.unique("dashboard"))
	return w.placed(board, w.cardIn(collection, w.unique("card"))).card
}

// timeline makes a timeline and returns its id.
func (w *world) timeline() int64 {
	if w.fresh {
		return 1
	}
	return w.create("/api/timeline", body{"name": w.unique("timeline"), "collection_id": w.place()})
}

// event makes an event of a timeline and returns its id.
func (w *world) event() int64 {
	if w.fresh {
		return 1
	}
	return w.create("/api/timeline-event", newEvent(w.unique("event"), w.timeline()))
}

func newEvent(name string, timeline int64) body {
	return body{"name": name, "timestamp": "2026-02-01", "timezone": "UTC", "timeline_id": timeline}
}

// snippet makes a snippet and returns its id.
func (w *world) snippet() int64 {
	if w.fresh {
		return 1
	}
	return w.create("/api/native-query-snippet", body{"name": w.unique("snippet"), "content": "1 = 1", "collection_id": w.snippetPlace()})
}

// revised is something with the revision that it had first.
type revised struct{ id, revision int64 }

// revise renames a card or dashboard and returns its first revision.
func (w *world) revise(kind string, id int64) revised {
	if w.fresh {
		return revised{1, 1}
	}
	w.t.Helper()
	w.Admin(200, nil, "PUT", fmt.Sprintf("/api/%s/%d", kind, id), body{"name": w.unique("renamed " + kind)})
	var all []struct{ ID int64 }
	w.Admin(200, &all, "GET", fmt.Sprintf("/api/revision/%s/%d", kind, id), nil)
	if len(all) != 2 {
		w.t.Fatalf("what was made and renamed has the revisions %+v", all)
	}
	return revised{id, all[1].ID}
}

// trashed makes a question that lies in the trash.
func (w *world) trashed() int64 {
	id := w.card()
	if !w.fresh {
		w.Admin(200, nil, "PUT", fmt.Sprintf("/api/card/%d", id), body{"archived": true})
	}
	return id
}

// bookmarked makes a question that a caller has marked, if they can.
func (w *world) bookmarked(p principal) int64 {
	id := w.card()
	if !w.fresh {
		w.Do("POST", fmt.Sprintf("/api/bookmark/card/%d", id), nil, p.api()...)
	}
	return id
}

// entity makes a question and returns the id that it has everywhere.
func (w *world) entity() string {
	if w.fresh {
		return "aaaaaaaaaaaaaaaaaaaaa"
	}
	var card struct {
		EntityID string `json:"entity_id"`
	}
	w.Admin(200, &card, "GET", fmt.Sprintf("/api/card/%d", w.card()), nil)
	return card.EntityID
}

// secrets says whether a caller is shown what only administrators may see.
func secrets(a apptest.Answer) string {
	if hasSecret(a) {
		return "all"
	}
	return "some"
}
