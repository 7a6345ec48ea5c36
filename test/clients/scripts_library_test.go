package clients_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// content reads an answer to its end.
func content(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// decode turns v into JSON and back into out.
func decode(t *testing.T, v, out any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, out)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// compare reports the members in which got is not want.
func compare(t *testing.T, what string, got, want object) {
	t.Helper()
	for k := range want {
		if !reflect.DeepEqual(got[k], want[k]) {
			t.Errorf("%s: %s is %v, want %v", what, k, got[k], want[k])
		}
	}
}

// TestLibrary does what a Python library does to copy and to archive content:
// trailing slashes, whole answers as bodies, forms for results.
func TestLibrary(t *testing.T) {
	t.Parallel()
	eachScript(t, func(t *testing.T, p script, db int64) {
		var from, to collection
		p.call(200, &from, "POST", "/api/collection/", object{"name": "From", "parent_id": nil, "color": "#509EE3"})
		p.call(200, &to, "POST", "/api/collection", object{"name": "To", "parent_id": from.ID})
		copied := p.copies(t, db, from, to)
		p.results(t, copied)
		p.finds(t, copied)
		p.archives(t, from, to, copied)
	})
}

// copies makes a card with a temporary twin to learn its columns, and posts
// the whole answer back as the copy.
func (p script) copies(t *testing.T, db int64, from, to collection) int64 {
	t.Helper()
	var made struct {
		card
		Columns []struct{ Name string } `json:"result_metadata"`
	}
	p.call(200, &made, "POST", "/api/card/", question("Sums", native(db, `SELECT 1 as one, 'x' as "two words";`, nil), object{"collection_id": from.ID}))
	if len(made.Columns) != 2 || made.Columns[1].Name != "two words" {
		t.Errorf("columns %+v", made.Columns)
	}
	var whole object
	p.call(200, &whole, "GET", "/api/card/"+num(made.ID), nil)
	eid := whole["entity_id"]
	whole["name"], whole["collection_id"] = "Sums (copy)", to.ID
	var copied card
	p.call(200, &copied, "POST", "/api/card/", whole)
	if copied.ID == made.ID || copied.EntityID == eid || copied.Name != "Sums (copy)" || copied.CollectionID == nil || *copied.CollectionID != to.ID {
		t.Errorf("copied %+v", copied)
	}
	var twin card
	p.call(200, &twin, "POST", "/api/card/"+num(made.ID)+"/copy", nil)
	if twin.Name != "Copy of Sums" || twin.CollectionID == nil || *twin.CollectionID != from.ID {
		t.Errorf("copy of %+v", twin)
	}
	a := p.s.Do("DELETE", "/api/card/"+num(twin.ID), nil, "X-API-KEY", p.key)
	if a.Status != 204 || a.Body != "" {
		t.Errorf("delete: %d %s", a.Status, a.Body)
	}
	p.copiesBoard(t, from, to, made.ID)
	return copied.ID
}

func (p script) copiesBoard(t *testing.T, from, to collection, cardID int64) {
	t.Helper()
	var b, shallow, deep dashboard
	p.call(200, &b, "POST", "/api/dashboard/", object{"name": "Board", "collection_id": from.ID})
	p.call(200, &b, "PUT", "/api/dashboard/"+num(b.ID), object{"dashcards": []object{place(-1, cardID, 0, nil)}})
	p.call(200, &shallow, "POST", "/api/dashboard/"+num(b.ID)+"/copy", object{"collection_id": to.ID, "name": "Twin"})
	p.call(200, &shallow, "GET", "/api/dashboard/"+num(shallow.ID), nil)
	if shallow.Name != "Twin" || len(shallow.Dashcards) != 1 || *shallow.Dashcards[0].CardID != cardID || shallow.Dashcards[0].ID == b.Dashcards[0].ID {
		t.Errorf("shallow copy %+v", shallow)
	}
	p.call(200, &deep, "POST", "/api/dashboard/"+num(b.ID)+"/copy", object{"collection_id": to.ID, "is_deep_copy": true})
	p.call(200, &deep, "GET", "/api/dashboard/"+num(deep.ID), nil)
	if deep.Name != "Board" || len(deep.Dashcards) != 1 || *deep.Dashcards[0].CardID == cardID {
		t.Errorf("deep copy %+v", deep)
	}
	var whole object
	p.call(200, &whole, "GET", "/api/dashboard/"+num(b.ID), nil)
	p.call(200, &b, "PUT", "/api/dashboard/"+num(b.ID), whole)
	if len(b.Dashcards) != 1 || b.Name != "Board" {
		t.Errorf("sent back as it came: %+v", b)
	}
}

func (p script) results(t *testing.T, id int64) {
	t.Helper()
	path := "/api/card/" + num(id) + "/query/"
	status, header, text := p.form(path+"json", url.Values{"parameters": {"null"}})
	var rows []object
	if err := json.Unmarshal([]byte(text), &rows); err != nil || status != 200 || len(rows) != 1 || rows[0]["two words"] != "x" {
		t.Errorf("json: %d %s", status, text)
	}
	if !strings.HasPrefix(header.Get("Content-Type"), "application/json") {
		t.Errorf("json has the type %q", header.Get("Content-Type"))
	}
	status, header, text = p.form(path+"csv", url.Values{"parameters": {"[]"}, "format_rows": {"false"}, "pivot_results": {"false"}})
	if status != 200 || text != "one,two words\n1,x\n" || !strings.HasPrefix(header.Get("Content-Type"), "text/csv") {
		t.Errorf("csv: %d %q %q", status, text, header.Get("Content-Type"))
	}
	if got := header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename=\"") || !strings.Contains(got, ".csv\"") {
		t.Errorf("csv is named %q", got)
	}
	for _, in := range []any{nil, object{}, object{"parameters": []object{}, "format_rows": false}} {
		if a := p.s.Do("POST", path+"csv", in, "X-Api-Key", p.key); a.Status != 200 || a.Body != "one,two words\n1,x\n" {
			t.Errorf("csv with %v: %d %q", in, a.Status, a.Body)
		}
	}
	var r result
	p.call(202, &r, "POST", "/api/card/"+num(id)+"/query", nil)
	r.one(t, 1.0)
}

func (p script) finds(t *testing.T, id int64) {
	t.Helper()
	var found struct {
		Total int
		Data  []struct {
			ID         int64
			Name       string
			Collection *struct{ ID int64 }
		}
	}
	p.call(200, &found, "GET", "/api/search/?q=sums&archived=False&models=card", nil)
	if found.Total != 3 || len(found.Data) != found.Total || found.Data[0].Collection == nil {
		t.Errorf("found %+v", found)
	}
	a := p.s.Do("GET", "/api/search/?q=sums&models=card,dashboard", nil, "X-Api-Key", p.key)
	if a.Status != 400 || !strings.Contains(a.Body, `received: \"card,dashboard\"`) {
		t.Errorf("joined by comma: %d %s", a.Status, a.Body)
	}
	for _, path := range []string{"/api/card/", "/api/dashboard/", "/api/collection/", "/api/table/", "/api/database/", "/api/collection/root/items/", "/api/card/" + num(id) + "/"} {
		p.call(200, nil, "GET", path, nil)
	}
}

// archives empties a collection item by item and then ends it.
func (p script) archives(t *testing.T, from, to collection, cardID int64) {
	t.Helper()
	var items struct {
		Total int
		Data  []struct {
			ID    int64
			Model string
		}
	}
	p.call(200, &items, "GET", "/api/collection/"+num(to.ID)+"/items?limit=50&offset=0", nil)
	for _, item := range items.Data {
		p.call(200, nil, "PUT", fmt.Sprintf("/api/%s/%d", item.Model, item.ID), object{"archived": true})
	}
	if items.Total < 3 || len(items.Data) != items.Total {
		t.Errorf("items %+v", items)
	}
	p.call(200, &items, "GET", "/api/collection/"+num(to.ID)+"/items?limit=50", nil)
	if items.Total != 0 || len(items.Data) != 0 {
		t.Errorf("after archiving: %+v", items)
	}
	p.refused(400, "Collection must be trashed before deletion.", "DELETE", "/api/collection/"+num(from.ID), nil)
	p.call(200, nil, "PUT", "/api/collection/"+num(from.ID), object{"archived": true})
	p.refused(200, "1", "DELETE", "/api/collection/"+num(from.ID), nil)
	p.refused(404, "Not found.", "GET", "/api/collection/"+num(to.ID), nil)
	p.refused(404, "Not found.", "GET", "/api/card/"+num(cardID), nil)
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
