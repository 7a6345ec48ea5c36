package matrix_test

import (
	"fmt"
	"maps"
	"strings"

	"latchkey/internal/apptest"
)

func hasSecret(a apptest.Answer) bool { return strings.Contains(a.Body, secretWord) }

// contentRecipes has one for each declared route of what people make.
func contentRecipes() map[string]recipe {
	all := collectionRecipes()
	for _, more := range []map[string]recipe{
		cardRecipes(), dashboardRecipes(), revisionRecipes(), timelineRecipes(), snippetRecipes(), shelfRecipes(),
	} {
		maps.Copy(all, more)
	}
	return all
}

// listed is a recipe for a list, which tells whether a caller sees what only
// administrators may see.
func listed(query string) recipe {
	return recipe{make: func(w *world, _ principal) call {
		w.place() // makes what is secret
		return call{query: query}
	}, tells: secrets}
}

// of is a recipe for a call about one new thing.
func of(id func(w *world) int64, body func(w *world, id int64) body) recipe {
	return recipe{make: func(w *world, _ principal) call {
		made := id(w)
		return call{path: values{"id": made}, body: body(w, made)}
	}}
}

// sending is a recipe for a call that names nothing in its path.
func sending(body func(w *world) body) recipe {
	return recipe{make: func(w *world, _ principal) call { return call{body: body(w)} }}
}

func collectionRecipes() map[string]recipe {
	const (
		all        = " /api/collection"
		one        = all + "/{id}"
		candidates = "/dashboard-question-candidates"
		move       = "/move-dashboard-question-candidates"
	)
	made := (*world).collection
	return map[string]recipe{
		"GET" + all:                           listed(""),
		"GET" + all + "/tree":                 listed(""),
		"GET" + all + "/root":                 fixed(call{}),
		"GET" + all + "/root/items":           listed(""),
		"GET" + all + "/root/items/metadata":  fixed(call{}),
		"GET" + all + "/trash":                fixed(call{}),
		"GET" + all + "/trash/items":          listed(""),
		"GET" + all + "/trash/items/metadata": fixed(call{}),
		"GET" + all + "/graph":                fixed(call{}),
		"GET" + all + "/root" + candidates:    fixed(call{}),
		"GET" + one:                           on(made, nil),
		"GET" + one + "/items":                on(made, nil),
		"GET" + one + "/items/metadata":       on(made, nil),
		"GET" + one + candidates:              on(made, nil),
		"PUT" + one:                           on(made, body{"description": "Changed."}),
		"DELETE" + one:                        on(trashedCollection, nil),
		"POST" + all + "/root" + move:         sending(func(w *world) body { return body{"card_ids": []int64{w.candidate(nil)}} }),
		"POST" + one + move: {make: func(w *world, _ principal) call {
			at := w.collection()
			return call{path: values{"id": at}, body: body{"card_ids": []int64{w.candidate(at)}}}
		}},
		"POST" + all: sending(func(w *world) body {
			return body{"name": w.unique("new collection"), "parent_id": w.collection()}
		}),
		"PUT" + all + "/graph": {make: func(w *world, _ principal) call {
			groups := body{fmt.Sprint(w.group()): body{fmt.Sprint(w.collection()): levelRead}}
			return call{query: "?force=true&skip-graph=true", body: body{"groups": groups}}
		}},
	}
}

// trashedCollection makes a collection that can be deleted.
func trashedCollection(w *world) int64 {
	id := w.collection()
	if !w.fresh {
		w.Admin(200, nil, "PUT", fmt.Sprintf("/api/collection/%d", id), body{"archived": true})
	}
	return id
}

func cardRecipes() map[string]recipe {
	const (
		all = " /api/card"
		one = all + "/{id}"
	)
	made := (*world).card
	value := func(path values, query string) recipe {
		return recipe{make: func(w *world, _ principal) call {
			at := maps.Clone(path)
			at["id"] = w.card()
			return call{path: at, query: query}
		}}
	}
	return map[string]recipe{
		"GET" + all:                                 listed(""),
		"GET" + all + "/public":                     fixed(call{}),
		"GET" + all + "/embeddable":                 fixed(call{}),
		"GET" + one:                                 on(made, nil),
		"GET" + one + "/dashboards":                 on(made, nil),
		"GET" + one + "/series":                     on(made, nil),
		"GET" + one + "/query_metadata":             on(made, nil),
		"GET" + one + "/params/{key}/values":        value(values{"key": "p1"}, ""),
		"GET" + one + "/params/{key}/search/{text}": value(values{"key": "p1", "text": "pa"}, ""),
		"GET" + one + "/params/{key}/remapping":     value(values{"key": "p1"}, "?value=paid"),
		"PUT" + one:                                 on(made, body{"description": "Changed."}),
		"DELETE" + one:                              on(made, nil),
		"POST" + one + "/copy":                      on(made, nil),
		"POST" + one + "/query":                     on(made, body{}),
		"POST" + one + "/query/csv":                 on(made, body{}),
		"POST" + one + "/query/json":                on(made, body{}),
		"POST" + one + "/query/xlsx":                on(made, body{}),
		"POST" + all + "/pivot/{id}/query":          on(made, body{}),
		"POST" + one + "/public_link":               on(made, nil),
		"DELETE" + one + "/public_link":             on(made, nil),
		"POST /api/cards/dashboards":                sending(func(w *world) body { return body{"card_ids": []int64{w.card()}} }),
		"POST" + all:                                sending(func(w *world) body { return newCard(w.unique("new card"), w.collection()) }),
		"POST" + all + "/collections": sending(func(w *world) body {
			return body{"card_ids": []int64{w.card()}, "collection_id": w.collection()}
		}),
		"POST /api/cards/move": sending(func(w *world) body {
			return body{"card_ids": []int64{w.card()}, "collection_id": w.collection()}
		}),
	}
}

func dashboardRecipes() map[string]recipe {
	const (
		all = " /api/dashboard"
		one = all + "/{id}"
		at  = "/{id}/dashcard/{dashcard}/card/{card}/query"
		run = "POST" + all + at
	)
	made := (*world).dashboard
	value := func(path values, query string) recipe {
		return recipe{make: func(w *world, _ principal) call {
			at := maps.Clone(path)
			at["id"] = w.dashboard()
			return call{path: at, query: query}
		}}
	}
	running := recipe{make: func(w *world, _ principal) call {
		d := w.dashcard()
		return call{path: values{"id": d.dashboard, "dashcard": d.dashcard, "card": d.card}, body: body{}}
	}}
	return map[string]recipe{
		"GET" + all:                                 listed(""),
		"GET" + all + "/public":                     fixed(call{}),
		"GET" + all + "/embeddable":                 fixed(call{}),
		"GET" + one:                                 on(made, nil),
		"GET" + one + "/items":                      on(made, nil),
		"GET" + one + "/query_metadata":             on(made, nil),
		"GET" + one + "/params/{key}/values":        value(values{"key": "p1"}, ""),
		"GET" + one + "/params/{key}/search/{text}": value(values{"key": "p1", "text": "pa"}, ""),
		"GET" + one + "/params/{key}/remapping":     value(values{"key": "p1"}, "?value=paid"),
		"PUT" + one:                                 on(made, body{"description": "Changed."}),
		"DELETE" + one:                              on(made, nil),
		"POST" + one + "/public_link":               on(made, nil),
		"DELETE" + one + "/public_link":             on(made, nil),
		"GET" + one + "/related":                    on(made, nil),
		"POST" + all + "/pivot" + at:                running,
		run:                                         running,
		run + "/csv":                                running,
		run + "/json":                               running,
		run + "/xlsx":                               running,
		"POST" + all: sending(func(w *world) body {
			return body{"name": w.unique("new dashboard"), "collection_id": w.collection()}
		}),
		"PUT" + one + "/cards": of(made, func(w *world, _ int64) body {
			return body{"cards": []body{newDashcard(w.card())}}
		}),
		"POST" + one + "/copy": of(made, func(w *world, _ int64) body {
			return body{"name": w.unique("copied dashboard"), "collection_id": w.place()}
		}),
	}
}

func revisionRecipes() map[string]recipe {
	return map[string]recipe{
		"GET /api/revision": {make: func(w *world, _ principal) call {
			return call{query: fmt.Sprintf("?entity=card&id=%d", w.card())}
		}},
		"GET /api/revision/card/{id}":      on((*world).card, nil),
		"GET /api/revision/dashboard/{id}": on((*world).dashboard, nil),
		"POST /api/revision/revert": sending(func(w *world) body {
			r := w.revise("card", w.card())
			return body{"entity": "card", "id": r.id, "revision_id": r.revision}
		}),
	}
}

func timelineRecipes() map[string]recipe {
	const (
		timelines = " /api/timeline"
		events    = " /api/timeline-event"
	)
	made, event := (*world).timeline, (*world).event
	return map[string]recipe{
		"GET" + timelines:                      listed(""),
		"GET" + timelines + "/collection/root": fixed(call{}),
		"GET" + timelines + "/collection/{id}": on((*world).collection, nil),
		"GET" + timelines + "/{id}":            on(made, nil),
		"PUT" + timelines + "/{id}":            on(made, body{"description": "Changed."}),
		"DELETE" + timelines + "/{id}":         on(made, nil),
		"GET" + events + "/{id}":               on(event, nil),
		"PUT" + events + "/{id}":               on(event, body{"description": "Changed."}),
		"DELETE" + events + "/{id}":            on(event, nil),
		"POST" + timelines: sending(func(w *world) body {
			return body{"name": w.unique("new timeline"), "collection_id": w.collection()}
		}),
		"POST" + events: sending(func(w *world) body { return newEvent(w.unique("new event"), w.timeline()) }),
	}
}

func snippetRecipes() map[string]recipe {
	const all = " /api/native-query-snippet"
	made := (*world).snippet
	return map[string]recipe{
		"GET" + all:           listed(""),
		"GET" + all + "/{id}": on(made, nil),
		"PUT" + all + "/{id}": on(made, body{"description": "Changed."}),
		"POST" + all: sending(func(w *world) body {
			return body{"name": w.unique("new snippet"), "content": "1 = 1", "collection_id": w.snippetPlace()}
		}),
	}
}

// shelfRecipes has one for each route of finding content again.
func shelfRecipes() map[string]recipe {
	const (
		activity = " /api/activity/"
		bookmark = " /api/bookmark"
	)
	return map[string]recipe{
		"GET /api/search":                                   listed("?q=" + secretWord),
		"GET /api/search/weights":                           fixed(call{}),
		"POST /api/search/force-reindex":                    fixed(call{}),
		"POST /api/search/re-init":                          fixed(call{}),
		"GET" + activity + "recents":                        fixed(call{}),
		"GET" + activity + "recent_views":                   fixed(call{}),
		"GET" + activity + "popular_items":                  fixed(call{}),
		"GET" + activity + "most_recently_viewed_dashboard": fixed(call{}),
		"POST" + activity + "recents": sending(func(w *world) body {
			return body{"model": "card", "model_id": w.card(), "context": "selection"}
		}),
		"GET" + bookmark: fixed(call{}),
		"PUT" + bookmark + "/ordering": {make: func(w *world, p principal) call {
			return call{body: body{"orderings": []body{{"type": "card", "item_id": w.bookmarked(p)}}}}
		}},
		"POST" + bookmark + "/{model}/{id}": {make: func(w *world, _ principal) call {
			return call{path: values{"model": "card", "id": w.card()}}
		}},
		"DELETE" + bookmark + "/{model}/{id}": {make: func(w *world, p principal) call {
			return call{path: values{"model": "card", "id": w.bookmarked(p)}}
		}},
		"POST /api/eid-translation/translate": sending(func(w *world) body {
			return body{"entity_ids": body{"card": []string{w.entity()}}}
		}),
	}
}
