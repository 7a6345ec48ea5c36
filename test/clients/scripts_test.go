package clients_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// script is a program that speaks HTTP with an API key.
type script struct {
	t   *testing.T
	s   *apptest.Server
	key string
}

// eachScript runs a script as an administrator on both databases. The header
// is spelled as none of the others spell it.
func eachScript(t *testing.T, run func(*testing.T, script, int64)) {
	t.Helper()
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := apptest.Start(t, apptest.Options{Kind: kind})
			s.Setup()
			_, key := s.Key("script", access.Administrators)
			run(t, script{t, s, key}, sample(t, s))
		})
	}
}

// call demands a status and decodes the answer.
func (p script) call(status int, out any, method, path string, body any) {
	p.t.Helper()
	p.s.Want(status, out, method, path, body, "x-API-key", p.key)
}

// refused demands a status and a body.
func (p script) refused(status int, body, method, path string, in any) {
	p.t.Helper()
	if a := p.s.Do(method, path, in, "x-api-key", p.key); a.Status != status || a.Body != body {
		p.t.Errorf("%s %s: %d %s, want %d %s", method, path, a.Status, a.Body, status, body)
	}
}

// form sends a form, as scripts do that export results.
func (p script) form(path string, form url.Values) (int, http.Header, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Api-Key", p.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode, res.Header, content(p.t, res)
}

// keep returns those members of an answer that a program declared.
func keep(answer, declared object) object {
	out := object{}
	for k := range declared {
		out[k] = answer[k]
	}
	return out
}

// plain is v as JSON makes it, to compare it with an answer.
func plain(t *testing.T, v any) object {
	t.Helper()
	var out object
	decode(t, v, &out)
	return out
}

// TestDeclared does what a Terraform provider does: it writes what was
// declared, reads it back, and everything that differs would be changed again
// on the next run, for ever.
func TestDeclared(t *testing.T) {
	t.Parallel()
	eachScript(t, func(t *testing.T, p script, db int64) {
		var col collection
		p.call(200, &col, "POST", "/api/collection", object{"name": "Declared", "color": "#509EE3", "description": nil, "parent_id": nil})
		p.declaredCard(t, db, col)
		p.declaredBoard(t, db, col)
		p.declaredGraph(t, col)
		p.call(200, &col, "PUT", "/api/collection/"+num(col.ID), object{"name": "Renamed", "description": "now", "parent_id": nil})
		if col.Name != "Renamed" || col.Archived {
			t.Errorf("renamed %+v", col)
		}
		p.call(200, nil, "PUT", "/api/collection/"+num(col.ID), object{"archived": true})
		p.call(200, &col, "GET", "/api/collection/"+num(col.ID), nil)
		if !col.Archived {
			t.Errorf("destroyed %+v", col)
		}
		p.refused(404, "Not found.", "GET", "/api/collection/999999", nil)
	})
}

func (p script) declaredCard(t *testing.T, db int64, col collection) {
	t.Helper()
	declared := object{
		"name": "Declared card", "description": "x", "display": "bar", "query_type": "native", "cache_ttl": nil,
		"collection_id": col.ID, "collection_position": nil,
		"dataset_query": mbql5(db, "select {{n}} as n", object{"n": object{
			"id": tagID, "name": "n", "display-name": "N", "type": "number", "default": []any{"1"},
		}}),
		"parameters": []object{{
			"id": tagID, "type": "number/=", "target": []any{"variable", []any{"template-tag", "n"}}, "name": "N", "slug": "n", "default": []any{"1"},
		}},
		"parameter_mappings":     []object{},
		"visualization_settings": object{"graph.dimensions": []any{"n"}, "table.columns": []any{}},
	}
	want := plain(t, declared)
	var answer object
	p.call(200, &answer, "POST", "/api/card", declared)
	id := fmt.Sprint(answer["id"])
	compare(t, "created", keep(answer, want), want)
	p.call(200, &answer, "GET", "/api/card/"+id, nil)
	compare(t, "read", keep(answer, want), want)
	p.call(200, &answer, "PUT", "/api/card/"+id, declared)
	compare(t, "updated", keep(answer, want), want)
	p.call(200, nil, "PUT", "/api/card/"+id, object{"archived": true})
	p.call(200, &answer, "GET", "/api/card/"+id, nil)
	if answer["archived"] != true {
		t.Errorf("destroyed: %v", answer["archived"])
	}
}

// declaredBoard sends ids 0, -1 and -2 for new dashcards each time, and expects
// them back in that order.
func (p script) declaredBoard(t *testing.T, db int64, col collection) {
	t.Helper()
	var c card
	p.call(200, &c, "POST", "/api/card", question("On it", native(db, "select 1 as one", nil), object{"collection_id": col.ID}))
	var answer object
	p.call(200, &answer, "POST", "/api/dashboard", object{"name": "Declared board", "collection_id": col.ID, "description": nil, "cache_ttl": nil, "parameters": []object{}})
	path := "/api/dashboard/" + fmt.Sprint(answer["id"])
	cards := []object{
		{"card_id": c.ID, "row": 9, "col": 0, "size_x": 4, "size_y": 4, "series": []any{}, "parameter_mappings": []any{}, "visualization_settings": object{}, "dashboard_tab_id": -1},
		{"card_id": nil, "row": 0, "col": 3, "size_x": 4, "size_y": 4, "series": []any{}, "parameter_mappings": []any{}, "visualization_settings": object{"text": "a"}, "dashboard_tab_id": -2},
		{"card_id": c.ID, "row": 0, "col": 0, "size_x": 4, "size_y": 4, "series": []any{}, "parameter_mappings": []any{}, "visualization_settings": object{}, "dashboard_tab_id": -1},
	}
	for i := range cards {
		cards[i]["id"] = -i
	}
	change := object{"name": "Declared board", "tabs": []object{{"id": -1, "name": "A"}, {"id": -2, "name": "B"}}, "dashcards": cards, "parameters": []object{}}
	for range 2 {
		var b struct {
			Dashcards  []object
			Tabs       []tab
			Parameters []object
		}
		p.call(200, nil, "PUT", path, change)
		p.call(200, &b, "GET", path, nil)
		if len(b.Dashcards) != len(cards) || len(b.Tabs) != 2 || b.Tabs[0].Name != "A" || b.Parameters == nil {
			t.Fatalf("read %+v", b)
		}
		for i, got := range b.Dashcards {
			want := plain(t, cards[i])
			delete(want, "id")
			want["dashboard_tab_id"] = float64(b.Tabs[-1-cards[i]["dashboard_tab_id"].(int)].ID)
			compare(t, fmt.Sprint("dashcard ", i), keep(got, want), want)
		}
	}
	p.call(200, &answer, "PUT", path+"/cards", object{"cards": []object{}, "tabs": []object{}})
	p.refused(404, `"API endpoint does not exist."`, "POST", path+"/cards", object{"cardId": c.ID})
	p.call(200, nil, "PUT", path, object{"archived": true})
}

// declaredGraph changes one edge of the graph, reads it and takes it away.
func (p script) declaredGraph(t *testing.T, col collection) {
	t.Helper()
	group := p.s.Group("declared")
	type graph struct {
		Revision int64
		Groups   map[string]map[string]string
	}
	read := func() graph {
		var g graph
		p.call(200, &g, "GET", "/api/collection/graph", nil)
		return g
	}
	edge := func(revision int64, level string) object {
		return object{"revision": revision, "groups": object{num(group): object{num(col.ID): level}}}
	}
	before := read()
	var after graph
	p.call(200, &after, "PUT", "/api/collection/graph", edge(before.Revision, "read"))
	if after.Revision != before.Revision+1 || after.Groups[num(group)][num(col.ID)] != "read" {
		t.Errorf("after the change: %+v", after)
	}
	if after.Groups["2"]["root"] != "write" || after.Groups["2"][num(col.ID)] != "write" {
		t.Errorf("administrators: %v", after.Groups["2"])
	}
	p.refused(409, "Looks like someone else edited the permissions and your data is out of date. Please fetch new data and try again.",
		"PUT", "/api/collection/graph", edge(before.Revision, "write"))
	if now := read(); !reflect.DeepEqual(now, after) {
		t.Errorf("a stale change changed %+v to %+v", after, now)
	}
	var short object
	p.call(200, &short, "PUT", "/api/collection/graph?skip-graph=true", edge(after.Revision, "none"))
	if short["groups"] != nil || short["revision"] != float64(after.Revision+1) {
		t.Errorf("without the graph: %v", short)
	}
	if now := read(); now.Groups[num(group)] != nil {
		t.Errorf("none is listed: %v", now.Groups[num(group)])
	}
}
