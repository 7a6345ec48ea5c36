package endpoint

import (
	"encoding/json"
	"net/http"
	"reflect"
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
		"parameters":  parameters(rt.input),
		"responses":   g.responses(rt),
		"security":    security(rt.Policy, info),
		"x-latchkey-policy": object{
			"who": rt.Policy.Who.String(), "scope": rt.Policy.Scope.String(),
		},
	}
	if rt.input.takesBody() {
		op["requestBody"] = requestBody(rt.input)
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

func parameters(in *input) []object {
	list := []object{}
	for _, part := range []struct {
		in     string
		fields []Field
	}{{"path", in.path}, {"query", in.query}} {
		for _, f := range part.fields {
			list = append(list, object{
				"name": f.Name, "in": part.in, "required": f.Required, "schema": inputSchema(f.Type),
			})
		}
	}
	return list
}

func requestBody(in *input) object {
	var schema object
	if in.whole != nil {
		schema = object{"type": "object"}
	} else {
		schema = fieldsSchema(in.body)
	}
	required := false
	for _, f := range in.body {
		required = required || f.Required
	}
	return object{"required": required, "content": object{"application/json": object{"schema": schema}}}
}

func (g *schemas) responses(rt *Route) object {
	all := object{"400": refusal("The request is not valid.")}
	if media, schema := g.output(rt.out); schema == nil {
		all["204"] = object{"description": "Done."}
	} else {
		all["200"] = object{"description": "The answer.", "content": object{media: object{"schema": schema}}}
	}
	if rt.Policy.Who != access.Anyone {
		all["401"] = refusal(http.StatusText(http.StatusUnauthorized) + ".")
		all["403"] = refusal("The caller may not do this.")
	}
	if len(rt.input.path) > 0 {
		all["404"] = refusal("There is no such thing.")
	}
	return all
}

func refusal(text string) object { return object{"description": text} }

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
