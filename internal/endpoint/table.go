package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Table is a set of compiled endpoints. It is safe for concurrent use.
type Table struct {
	mux    *http.ServeMux
	routes []*Route
	strict bool
}

// Route is one endpoint, compiled.
type Route struct {
	Endpoint
	input *input
	name  string // method and path
}

// Pattern returns the method and the path as they are declared, such as
// "PUT /api/user/{id}".
func (rt *Route) Pattern() string { return rt.name }

// Compile checks every declaration and builds the table. Its error lists all
// bad declarations: a route without policy, an unknown rule, a duplicate.
func Compile(list []Endpoint, rules Rules) (*Table, error) { return compile(list, rules, false) }

// CompileStrict is Compile for a dialect that takes nothing it does not know:
// an unknown key of the body or parameter of the query is a *ValidationError.
func CompileStrict(list []Endpoint, rules Rules) (*Table, error) { return compile(list, rules, true) }

func compile(list []Endpoint, rules Rules, strict bool) (*Table, error) {
	t := &Table{mux: http.NewServeMux(), strict: strict}
	t.mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	k := compiler{rules: rules}
	var bad []error
	for _, e := range list {
		if err := t.add(k, e); err != nil {
			bad = append(bad, fmt.Errorf("route %s %s: %w", e.Method, e.Path, err))
		}
	}
	return t, errors.Join(bad...)
}

func (t *Table) add(k compiler, e Endpoint) error {
	switch {
	case e.run == nil:
		return errors.New("not made with New")
	case e.Doc == "":
		return errors.New("no line of documentation")
	case !strings.HasPrefix(e.Path, "/") || strings.HasSuffix(e.Path, "/"):
		return errors.New("a path begins with a slash and does not end with one")
	}
	if err := errors.Join(e.Policy.Validate(), e.checkOptions()); err != nil {
		return err
	}
	in, err := k.input(e)
	if err != nil {
		return err
	}
	if self := e.Policy.Self; self != "" && !slices.ContainsFunc(in.path, func(f Field) bool {
		return f.Name == self && f.Type.Rule == RulePosInt
	}) {
		return fmt.Errorf("policy for self: the input has no path number %q", self)
	}
	if err := errors.Join(in.checkNames(e), in.checkLines(e.lines)); err != nil {
		return err
	}
	in.strict = t.strict
	rt := &Route{Endpoint: e, input: in, name: e.Method + " " + e.Path}
	if err := t.register(rt); err != nil {
		return err
	}
	t.routes = append(t.routes, rt)
	return nil
}

// register adds a route with and without a slash at the end. ServeMux reports
// duplicates and conflicts by panic, which becomes an error here.
func (t *Table) register(rt *Route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	t.mux.Handle(rt.name, finding{rt})
	if !strings.HasSuffix(rt.name, "...}") {
		t.mux.Handle(rt.name+"/{$}", finding{rt})
	}
	return nil
}

// Routes returns all endpoints in the order of declaration, for the documents
// and the generated matrix.
func (t *Table) Routes() []*Route { return slices.Clone(t.routes) }

// Find returns the route of a call, or nil for an unknown one. A number in the
// path that has other characters than digits makes a route unknown; so does a
// wrong method.
func (t *Table) Find(c *Call) *Route {
	c.route = nil
	t.mux.ServeHTTP(finder{c}, c.Request)
	if c.route != nil && !c.route.input.matches(c.Request) {
		c.route = nil
	}
	return c.route
}

// finder carries a call through ServeMux in the place of a ResponseWriter:
// ServeMux fills in the path values and hands over the route, and what it
// writes itself goes nowhere.
type finder struct{ call *Call }

func (finder) Header() http.Header         { return http.Header{} }
func (finder) Write(b []byte) (int, error) { return len(b), nil }
func (finder) WriteHeader(int)             {}

// finding is the handler that stands for a route in the mux.
type finding struct{ rt *Route }

func (f finding) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if found, ok := w.(finder); ok {
		found.call.route = f.rt
	}
}

// Serve validates, decides, runs the handler and writes its answer. When it
// returns an error nothing has been written: a *ValidationError, a fault of
// access.Judge, or what the handler returned. A key that may not call a public
// route is no longer in c.Who while the handler runs.
func (rt *Route) Serve(ctx context.Context, c *Call, w http.ResponseWriter) error {
	who := c.Who
	defer func() { c.Who = who }()
	out, err := rt.run(ctx, c, rt)
	if err != nil {
		return err
	}
	if self, ok := out.(Responder); ok {
		self.Respond(w, c.Request)
		return nil
	}
	if isEmpty(out) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return WriteJSON(w, cmp.Or(c.Status, rt.status), normal(out))
}

// Types returns every type that the route's inputs are made of, so that a
// dialect can make sure, at the start, that it has words for each.
func (rt *Route) Types() []*Type {
	var all []*Type
	for _, fields := range [][]Field{rt.input.path, rt.input.query, rt.input.body} {
		all = collect(all, fields)
	}
	if w := rt.input.whole; w != nil {
		all = append(all, w.Type)
	}
	return all
}

func collect(all []*Type, fields []Field) []*Type {
	for _, f := range fields {
		for t := f.Type; t != nil; t = t.Elem {
			all = append(all, t)
			all = collect(all, t.Fields)
		}
	}
	return all
}
