package endpoint

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
)

// Info heads an OpenAPI document.
type Info struct {
	Title       string
	Version     string
	Description string
	Prefix      string                    // of the paths, such as /api; the next segment is a route's tag
	Security    map[string]SecurityScheme // the ways to sign in, by name
	Problem     any                       // optional: the value whose JSON every error is (RFC 9457)
}

// SecurityScheme is one way to sign in: a header or a cookie.
type SecurityScheme struct {
	Type string `json:"type"` // apiKey
	In   string `json:"in"`   // header or cookie
	Name string `json:"name"`
}

// object is a JSON object whose keys encoding/json sorts, so that a document
// is the same bytes for the same declarations.
type object map[string]any

// OpenAPI returns the OpenAPI 3.1 document of all routes.
func (t *Table) OpenAPI(info Info) ([]byte, error) {
	g := &schemas{named: object{}, types: map[string]reflect.Type{}}
	paths := object{}
	for _, rt := range t.routes {
		path := strings.ReplaceAll(rt.Path, "...}", "}")
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(rt.Method)] = g.operation(rt, info)
	}
	doc := object{
		"openapi":    "3.1.0",
		"info":       object{"title": info.Title, "version": info.Version, "description": info.Description},
		"paths":      paths,
		"components": object{"schemas": g.named, "securitySchemes": info.Security},
	}
	return json.Marshal(doc)
}

func (g *schemas) operation(rt *Route, info Info) object {
	op := object{
		"operationId": operationID(rt),
		"summary":     rt.Doc,
		"tags":        []string{Tag(rt.Path, info.Prefix)},
		"parameters":  parameters(rt),
		"responses":   g.responses(rt, info),
		"security":    security(rt.Policy, info),
		"x-latchkey-policy": object{
			"who": rt.Policy.Who.String(), "scope": rt.Policy.Scope.String(),
		},
	}
	if rt.input.takesBody() || rt.Bulky() {
		op["requestBody"] = g.requestBody(rt)
	}
	return op
}

// Tag returns the segment of a path that follows the prefix.
func Tag(path, prefix string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(path, prefix), "/")
	tag, _, _ := strings.Cut(rest, "/")
	return tag
}

func operationID(rt *Route) string {
	id := strings.NewReplacer("/", "_", "{", "", "}", "", "...", "", "-", "_").Replace(rt.Path)
	return strings.ToLower(rt.Method) + id
}

func parameters(rt *Route) []object {
	list := []object{}
	for _, part := range []struct {
		in     string
		fields []Field
	}{{"path", rt.input.path}, {"query", rt.input.query}} {
		for _, f := range part.fields {
			list = append(list, object{
				"name": f.Name, "in": part.in, "required": f.Required, "schema": inputSchema(f.Type),
			})
		}
	}
	for _, name := range rt.paging {
		list = append(list, object{
			"name": name, "in": "query", "required": false, "schema": object{"type": "integer", "minimum": 0},
		})
	}
	return list
}

func (g *schemas) requestBody(rt *Route) object {
	if slices.ContainsFunc(rt.Types(), func(t *Type) bool { return t.Rule == RuleRestriction }) {
		g.restriction() // the body refers to it
	}
	in := rt.input
	var schema object
	if in.whole != nil {
		schema = bareSchema(in.whole.Type)
	} else {
		schema = fieldsSchema(in.body)
	}
	if in.strict {
		schema = closed(schema)
	}
	required := in.whole != nil && !in.allKeys()
	for _, f := range in.body {
		required = required || f.Required
	}
	content := object{}
	for _, media := range rt.Media() {
		content[media] = object{"schema": object{"type": "string"}} // lines and tables are texts
	}
	if in.takesBody() {
		content["application/json"] = object{"schema": schema}
	}
	return object{"required": required || !in.takesBody(), "content": content}
}

// responses lists the answers of a route. With a problem document, every error
// of the route is listed with its body; otherwise only the common ones.
func (g *schemas) responses(rt *Route, info Info) object {
	all := object{}
	if media, schema := g.output(rt.out); schema == nil {
		all["204"] = object{"description": "Done."}
	} else {
		status := strconv.Itoa(cmp.Or(rt.status, http.StatusOK))
		all[status] = object{"description": "The answer.", "content": object{media: object{"schema": schema}}}
	}
	for status, text := range refusals(rt, info.Problem != nil) {
		answer := object{"description": text}
		if info.Problem != nil {
			answer["content"] = object{"application/problem+json": object{"schema": g.of(reflect.TypeOf(info.Problem))}}
		}
		all[status] = answer
	}
	return all
}

// refusals are the errors that a route answers, by status.
func refusals(rt *Route, every bool) map[string]string {
	all := map[string]string{"400": "The request is not valid."}
	known := rt.Policy.Who != access.Anyone
	add := func(when bool, status, text string) {
		if when {
			all[status] = text
		}
	}
	add(known, "401", "Unauthorized.")
	add(known, "403", "The caller may not do this.")
	add(len(rt.input.path) > 0, "404", "There is no such thing.")
	add(every && rt.Policy.Scope.Verb == access.Write, "409", "The state of things forbids it.")
	body := rt.input.takesBody() || rt.Bulky()
	add(every && body, "413", "The body is too large.")
	add(every && body && !rt.Bulky(), "415", "The body is not JSON.")
	add(every && rt.Bulky(), "415", "The body is of a media type that the route does not take.")
	add(every && known, "429", "Too many requests.")
	add(every, "default", "Any other failure.")
	return all
}

// security lists the ways to sign in as alternatives; none for public routes.
func security(p access.Policy, info Info) []object {
	ways := []object{}
	if p.Who == access.Anyone {
		return ways
	}
	for name := range info.Security {
		ways = append(ways, object{name: []string{}})
	}
	sortWays(ways)
	return ways
}
