package matrix_test

import (
	"fmt"
	"maps"
	"net/url"

	"latchkey/internal/content"
)

// browseRecipes has one for each page and form of what people make.
func browseRecipes() map[string]recipe {
	const permissions = "/admin/permissions"
	all := map[string]recipe{
		"GET /collection":                     fixed(call{}),
		"GET /collection-options":             fixed(call{}),
		"GET /collection/root":                listed(""),
		"GET /collection/{id}":                on((*world).collection, nil),
		"GET /collection/{id}/edit":           on((*world).collection, nil),
		"POST /collection/{id}/edit":          atCollection("name", "renamed"),
		"GET /collection/{id}/move":           on((*world).collection, nil),
		"POST /collection/{id}/move":          {make: moveCollectionForm},
		"GET /collection/{id}/archive":        on((*world).collection, nil),
		"POST /collection/{id}/archive":       atCollection(),
		"GET " + permissions:                  fixed(call{}),
		"GET " + permissions + "/collections": fixed(call{}),
		"POST " + permissions + "/collections": {make: func(w *world, _ principal) call {
			return call{form: levelForm(w, w.collection())}
		}},
		"GET /trash":          listed(""),
		"GET /trash/delete":   chosen(false, (*world).trashed),
		"POST /trash/delete":  chosen(true, (*world).trashed),
		"GET /trash/restore":  chosen(false, (*world).trashed),
		"POST /trash/restore": chosen(true, (*world).trashed),

		"GET /question/{id}":     on((*world).card, nil),
		"GET /question/{id}/sql": on((*world).card, nil),
		"GET /dashboard/{id}":    on((*world).dashboard, nil),
		"GET /dashboard/{id}/dashcard/{dashcard}": {make: func(w *world, _ principal) call {
			d := w.dashcard()
			return call{path: values{"id": d.dashboard, "dashcard": d.dashcard}}
		}},
	}
	maps.Copy(all, historyRecipes("/question/{id}/history", content.Card, (*world).card))
	maps.Copy(all, historyRecipes("/dashboard/{id}/history", content.Dashboard, (*world).dashboard))
	maps.Copy(all, placeRecipes())
	return all
}

// placeRecipes has one for each form over a collection and over the root.
func placeRecipes() map[string]recipe {
	all := map[string]recipe{}
	for _, at := range []string{"/collection/root/", "/collection/{id}/"} {
		all["GET "+at+"new"] = over(at, nil)
		all["POST "+at+"new"] = over(at, func(w *world, _ int64) url.Values {
			f := w.token()
			f.Set("name", w.unique("new collection"))
			return f
		})
		all["GET "+at+"permissions"] = over(at, nil)
		all["POST "+at+"permissions"] = over(at, levelForm)
		all["GET "+at+"archive-items"] = choosing(at, false)
		all["POST "+at+"archive-items"] = choosing(at, true)
		all["GET "+at+"move-items"] = choosing(at, false)
		all["POST "+at+"move-items"] = choosing(at, true)
	}
	return all
}

// over is a recipe for a dialog over a collection or the root.
func over(at string, fill func(w *world, id int64) url.Values) recipe {
	return recipe{make: func(w *world, _ principal) call {
		c, id := call{}, int64(0)
		if at == "/collection/{id}/" {
			id = w.collection()
			c.path = values{"id": id}
		}
		if fill != nil {
			c.form = fill(w, id)
		}
		return c
	}}
}

// choosing is a recipe for what is done with a question in a list.
func choosing(at string, post bool) recipe {
	return recipe{make: func(w *world, p principal) call {
		c := chosen(post, (*world).card).make(w, p)
		if at == "/collection/{id}/" {
			c.path = values{"id": w.collection()}
		}
		if post {
			c.form.Set("collection", fmt.Sprint(w.collection()))
		}
		return c
	}}
}

// chosen is a recipe for what is done with a question that was chosen.
func chosen(post bool, id func(w *world) int64) recipe {
	return recipe{make: func(w *world, _ principal) call {
		item := url.Values{"item": {fmt.Sprintf("card-%d", id(w))}}
		if post {
			return call{form: item}
		}
		return call{query: "?" + item.Encode()}
	}}
}

// levelForm lets a group see a collection.
func levelForm(w *world, collection int64) url.Values {
	cell := fmt.Sprintf("%d-%d", collection, w.group())
	return url.Values{"level-" + cell: {"view"}, "was-" + cell: {"none"}}
}

// atCollection is a recipe for a form about a new collection.
func atCollection(pairs ...string) recipe {
	return recipe{make: func(w *world, p principal) call {
		c := form(pairs...).make(w, p)
		c.path = values{"id": w.collection()}
		return c
	}}
}

func moveCollectionForm(w *world, _ principal) call {
	return call{path: values{"id": w.collection()}, form: url.Values{"collection": {fmt.Sprint(w.collection())}}}
}

// historyRecipes has one for each page of what became of an item.
func historyRecipes(path string, kind content.Kind, id func(w *world) int64) map[string]recipe {
	revert := func(f url.Values) recipe {
		return recipe{make: func(w *world, _ principal) call {
			r := w.revise(string(kind), id(w))
			return call{path: values{"id": r.id, "revision": r.revision}, form: f}
		}}
	}
	return map[string]recipe{
		"GET " + path:                         on(id, nil),
		"GET " + path + "/{revision}/revert":  revert(nil),
		"POST " + path + "/{revision}/revert": revert(url.Values{}),
	}
}
