package guard_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestReasons: a key that is bound to collections or databases is told that
// this refuses it, wherever the program notices, and those who explain a call
// know it before.
func TestReasons(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("outside", "ada", "POST", "/api/card", card("outside", "SELECT 1", "{hidden}"))
		w.make("inside", "ada", "POST", "/api/card", card("inside", "SELECT 1", "{open}"))
		w.make("board", "ada", "POST", "/api/dashboard", `{"name":"board","collection_id":{hidden}}`)
		w.make("below", "ada", "POST", "/api/collection", `{"name":"below","parent_id":{open}}`)
		w.bind("of open", `{"resources":{"collections":["{open}"]}}`)
		var entity struct {
			ID string `json:"entity_id"`
		}
		w.ok(200, "ada", "GET", "/api/collection/{hidden}", "").JSON(t, &entity)
		w.secondDatabase()
		w.bind("of no base", `{"resources":{"databases":["{second}"]}}`)
		for _, c := range []struct{ who, method, path, body, reason string }{
			{"of open", "GET", "/api/collection/{hidden}", "", "resource"},
			{"of open", "GET", "/api/collection/{hidden}/items", "", "resource"},
			{"of open", "GET", "/api/collection/" + entity.ID, "", "resource"},
			{"of open", "GET", "/api/collection/root", "", "resource"},
			{"of open", "PUT", "/api/collection/{hidden}", `{"name":"x"}`, "resource"},
			{"of open", "PUT", "/api/collection/{below}", `{"parent_id":{hidden}}`, "resource"},
			{"of open", "GET", "/api/card/{outside}", "", "resource"},
			{"of open", "POST", "/api/card/{outside}/query", "", "resource"},
			{"of open", "PUT", "/api/card/{inside}", `{"collection_id":{hidden}}`, "resource"},
			{"of open", "PUT", "/api/card/{inside}", `{"collection_id":"` + entity.ID + `"}`, "resource"},
			{"of open", "PUT", "/api/card/{inside}", `{"collection_id":null}`, "resource"},
			{"of open", "POST", "/api/card", card("x", "SELECT 1", "{hidden}"), "resource"},
			{"of open", "POST", "/api/cards/move", `{"card_ids":[{inside}],"collection_id":{hidden}}`, "resource"},
			{"of open", "GET", "/api/dashboard/{board}", "", "resource"},
			{"of open", "POST", "/api/dashboard", `{"name":"x","collection_id":{hidden}}`, "resource"},
			{"of open", "GET", "/api/card/{inside}", "", ""},
			{"of open", "PUT", "/api/card/{inside}", `{"collection_id":{below}}`, ""},
			{"of open", "PUT", "/api/card/{inside}", `{"collection_id":{open}}`, ""},
			{"of no base", "POST", "/api/card/{inside}/query", "", "resource"},
			{"of no base", "POST", "/api/card/{inside}/query/csv", `{}`, "resource"},
			{"of no base", "POST", "/api/card", card("x", "SELECT 1", "{open}"), "resource"},
			{"of no base", "PUT", "/api/card/{inside}", `{"dataset_query":` + native("SELECT 2") + `}`, "resource"},
			{"of no base", "POST", "/api/dataset", native("SELECT 1"), "resource"},
			{"of no base", "PUT", "/api/card/{inside}", `{"description":"x"}`, ""},
		} {
			said := w.explain(c.who, c.method, c.path, c.body)
			if said.Allowed != (c.reason == "") || c.reason != "" && *said.Code != c.reason {
				t.Errorf("%s: %s %s %s is explained as %+v, want %q", c.who, c.method, c.path, c.body, said, c.reason)
			}
			a := w.as(c.who, c.method, c.path, c.body)
			if got := a.Header.Get("Latchkey-Reason"); got != c.reason || (a.Status == 403) != (c.reason != "") {
				t.Errorf("%s: %s %s %s: %d, reason %q, want %q: %s", c.who, c.method, c.path, c.body, a.Status, got, c.reason, a.Body)
			}
		}
		// What the database of a query needs to be known for is told, though no path names it.
		said := w.as("of open", "PUT", "/api/card/{inside}", `{"dataset_query":`+native("SELECT * FROM {{#{outside}}}")+`}`)
		if said.Status != 403 || said.Header.Get("Latchkey-Reason") != "resource" {
			t.Errorf("%d %s", said.Status, said.Header.Get("Latchkey-Reason"))
		}
	})
}

// explained is what tests read of an explanation.
type explained struct {
	Allowed    bool
	Code       *string
	DecidedBy  string `json:"decided_by"`
	Message    string
	Operations []struct {
		Index   int
		Op      string
		Allowed bool
		Code    *string
		Message string
		Route   string
	}
}

func (w *world) explain(who, method, path, body string) explained {
	w.t.Helper()
	if body == "" {
		body = "null"
	}
	p, _ := json.Marshal(w.fill(path)) // a text always encodes
	var said explained
	w.ok(200, "ada", "POST", "/v1/explain", `{"key_id":{`+who+`},"method":"`+method+`","path":`+string(p)+`,"body":`+body+`}`).JSON(w.t, &said)
	return said
}

// secondDatabase puts another connected database into the list, which nobody
// can ask anything.
func (w *world) secondDatabase() {
	w.t.Helper()
	err := w.Database().QueryRowContext(w.t.Context(), `INSERT INTO warehouse_database (name, engine, entity_id, created_at, updated_at)
		VALUES ('Second', 'sqlite', 'second_database_12345', 1, 1) RETURNING id`).Scan(w.id("second"))
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestBulkIsExplained: each operation of a bulk call is explained, and what
// would undo an atomic one.
func TestBulkIsExplained(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("outside", "ada", "POST", "/api/card", card("outside", "SELECT 1", "{hidden}"))
		w.make("inside", "ada", "POST", "/api/card", card("inside", "SELECT 1", "{open}"))
		w.bind("of open", `{"resources":{"collections":["{open}"]},"scopes":["cards:write","collections:write","keys:read"]}`)
		ops := `"operations":[
			{"op":"archive","kind":"card","id":{inside}},
			{"op":"archive","kind":"card","id":{outside}},
			{"op":"move","kind":"card","id":{inside},"collection_id":{hidden}},
			{"op":"create_group","name":"x","ref":"g"},
			{"op":"add_membership","group_id":"$g","user_id":1}]`
		said := w.explain("of open", "POST", "/v1/bulk", `{`+ops+`}`)
		want := []string{"", "resource", "resource", "scope", "scope"}
		if len(said.Operations) != len(want) {
			t.Fatalf("%+v", said)
		}
		for i, op := range said.Operations {
			got := ""
			if op.Code != nil {
				got = *op.Code
			}
			if got != want[i] || op.Index != i || op.Allowed != (want[i] == "") || op.Message == "" || op.Route == "" {
				t.Errorf("%+v, want %q", op, want[i])
			}
		}
		if said.Allowed || *said.Code != "resource" || said.DecidedBy != "resource" || !strings.Contains(said.Message, "operation 1 (archive)") {
			t.Errorf("%+v", said)
		}
		if said := w.explain("of open", "POST", "/v1/bulk", `{"mode":"each",`+ops+`}`); !said.Allowed || len(said.Operations) != 5 {
			t.Errorf("each: %+v", said)
		}
		a := w.as("of open", "POST", "/v1/bulk", `{`+ops+`}`)
		if a.Status != 403 || a.Header.Get("Latchkey-Reason") != "resource" || !strings.Contains(a.Body, `"operation":1`) {
			t.Errorf("%d %q %s", a.Status, a.Header.Get("Latchkey-Reason"), a.Body)
		}
		if said := w.explain("of open", "POST", "/v1/bulk", `{"operations":[{"op":"create_group"}]}`); said.Allowed || said.DecidedBy != "input" {
			t.Errorf("bad input: %+v", said)
		}
	})
}
