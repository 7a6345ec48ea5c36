package api_test

import (
	"context"
	"strings"
	"testing"

	"latchkey/internal/db"
)

const noBlank = "value must be a non-blank string."

// closeRoots takes what All Users may do with the roots away.
func (in *instance) closeRoots(t *testing.T) {
	t.Helper()
	err := in.db.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := in.db.Exec(ctx, "UPDATE collection_root SET grants = ''"); err != nil {
			return err
		}
		return in.db.Record(ctx, db.ChangedCollection, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSnippetRoutes(t *testing.T) {
	const (
		paid = `"description":null,"content":"status = 'paid'","archived":false,"collection_id":null,"creator_id":{reader_user},"creator":` +
			`{"id":{reader_user},"email":"api-key-user-<uuid>@api-key.invalid","first_name":"reader","last_name":"","common_name":"reader"},` +
			`"entity_id":"<entity>","template_tags":{},"created_at":"` + testStart + `","updated_at":"` + testStart + `"}`
		taken = "A snippet with that name already exists. Please pick a different name."
		form  = `{"errors":{"name":"snippet names cannot include '}' or start with spaces"}}`
	)
	const all = "/api/native-query-snippet"
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "none", who: "reader", call: "GET " + all, status: 200, want: `[]`},
			{name: "create", who: "reader", call: "POST " + all, body: `{"name":"Paid","content":"status = 'paid'"}`, status: 200,
				want: `{"id":1,"name":"Paid",` + paid},
			{name: "create with tags", who: "ada", call: "POST " + all + "/", body: `{"name":"since","content":"at > {{from_day}} -- {{no}}","description":"d","id":77}`, status: 200,
				want: "-", has: []string{`"id":2,"name":"since","description":"d"`, `"template_tags":{"from_day":{"id":"`, `"name":"from_day","display-name":"From day","type":"text"}}`}},
			{name: "list", who: "bo", call: "GET " + all, status: 200, want: "-", has: []string{`[{"id":1,"name":"Paid"`, `{"id":2,"name":"since"`}},
			{name: "list, a slash and another case", who: "bo", call: "GET " + all + "/?archived=false", status: 200, want: "-", has: []string{`{"id":1,`}},
			{name: "get", who: "bo", call: "GET " + all + "/1", status: 200, want: `{"id":1,"name":"Paid",` + paid},
			{name: "get, unknown", who: "bo", call: "GET " + all + "/99", status: 404, want: "Not found."},
			{name: "get, no number", who: "bo", call: "GET " + all + "/x", status: 404, want: noRoute},
			{name: "get, nobody", call: "GET " + all + "/1", status: 401, want: "Unauthenticated"},
			{name: "there is no deleting", who: "ada", call: "DELETE " + all + "/1", status: 404, want: noRoute},

			{name: "create, taken", who: "ada", call: "POST " + all, body: `{"name":"Paid","content":""}`, status: 400, want: taken},
			{name: "create, no name", who: "ada", call: "POST " + all, body: `{"content":"1"}`, status: 400,
				want: invalid("name", noBlank, "missing required key, received: nil")},
			{name: "create, no content", who: "ada", call: "POST " + all, body: `{"name":"x"}`, status: 400,
				want: invalid("content", "value must be a string.", "missing required key, received: nil")},
			{name: "create, wrong types", who: "ada", call: "POST " + all, body: `{"name":5,"content":["a"]}`, status: 400,
				want: "-", has: []string{`"content":["should be a string, received: [\"a\"]"]`, `"name":["should be a string, received: 5","non-blank string, received: 5"]`}},
			{name: "create, blank before the name", who: "ada", call: "POST " + all, body: `{"name":" x","content":"1"}`, status: 400, want: form},
			{name: "create, brace in the name", who: "ada", call: "POST " + all, body: `{"name":"a}b","content":"1"}`, status: 400, want: form},
			{name: "create, long name", who: "ada", call: "POST " + all, body: `{"name":"` + strings.Repeat("x", 255) + `","content":"1"}`, status: 400,
				want: "-", has: []string{"should be at most 254 characters"}},
			{name: "create, unknown folder", who: "ada", call: "POST " + all, body: `{"name":"x","content":"1","collection_id":99}`, status: 404, want: "Not found."},
			{name: "create, the Trash", who: "ada", call: "POST " + all, body: `{"name":"x","content":"1","collection_id":1}`, status: 403, want: noPermission},
			{name: "create, nobody", call: "POST " + all, body: `{"name":"x","content":"1"}`, status: 401, want: "Unauthenticated"},
			{name: "nothing was made", who: "ada", call: "GET " + all, status: 200, want: "-", not: []string{`{"id":3,"name"`}},

			{name: "edit", who: "bo", call: "PUT " + all + "/1", body: `{"content":"1 = 1","description":"all"}`, status: 200, want: "-",
				has: []string{`"name":"Paid","description":"all","content":"1 = 1"`}},
			{name: "edit, nulls", who: "bo", call: "PUT " + all + "/1", body: `{"name":null,"content":null,"description":null,"archived":null}`, status: 200, want: "-",
				has: []string{`"name":"Paid","description":null,"content":"1 = 1"`}},
			{name: "rename", who: "bo", call: "PUT " + all + "/1", body: `{"name":"paid "}`, status: 200, want: "-", has: []string{`"name":"paid"`}},
			{name: "rename to itself", who: "bo", call: "PUT " + all + "/1", body: `{"name":"paid"}`, status: 200, want: "-", has: []string{`"name":"paid"`}},
			{name: "rename, taken", who: "bo", call: "PUT " + all + "/1", body: `{"name":"since"}`, status: 400, want: taken},
			{name: "rename, brace", who: "bo", call: "PUT " + all + "/1", body: `{"name":"}"}`, status: 400, want: form},
			{name: "edit, unknown", who: "bo", call: "PUT " + all + "/99", body: `{}`, status: 404, want: "Not found."},
			{name: "edit, wrong type", who: "bo", call: "PUT " + all + "/1", body: `{"archived":"maybe"}`, status: 400,
				want: invalid("archived", "nullable value must be a boolean.", `should be a boolean, received: "maybe"`)},

			{name: "archive", who: "bo", call: "PUT " + all + "/1", body: `{"archived":true}`, status: 200, want: "-", has: []string{`"archived":true`}},
			{name: "list without it", who: "bo", call: "GET " + all, status: 200, want: "-", not: []string{`{"id":1,"name"`}, has: []string{`"id":2,`}},
			{name: "list of the archived", who: "bo", call: "GET " + all + "?archived=true", status: 200, want: "-", not: []string{`{"id":2,"name"`}, has: []string{`"id":1,`}},
			{name: "its name stays taken", who: "bo", call: "POST " + all, body: `{"name":"paid","content":"1"}`, status: 400, want: taken},
			{name: "restore", who: "bo", call: "PUT " + all + "/1", body: `{"archived":false}`, status: 200, want: "-", has: []string{`"archived":false`}},
			{name: "list, bad word", who: "bo", call: "GET " + all + "?archived=maybe", status: 400, want: "-", has: []string{`"errors":{"archived":`}},
		})
		in.closeRoots(t)
		in.run(t, []row{
			{name: "list, without the right", who: "bo", call: "GET " + all, status: 200, want: `[]`},
			{name: "get, without the right", who: "bo", call: "GET " + all + "/1", status: 403, want: noPermission},
			{name: "create, without the right, tells no names", who: "bo", call: "POST " + all, body: `{"name":"paid","content":"1"}`, status: 403, want: noPermission},
			{name: "edit, without the right", who: "bo", call: "PUT " + all + "/1", body: `{"content":"x"}`, status: 403, want: noPermission},
			{name: "an administrator may", who: "ada", call: "GET " + all + "/1", status: 200, want: "-", has: []string{`"content":"1 = 1"`}},
		})
	})
}
