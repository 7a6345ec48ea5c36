package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"latchkey/internal/access"
)

// Endpoint is one declared route. Make it with New.
type Endpoint struct {
	Method string        // GET also answers HEAD
	Path   string        // http.ServeMux syntax without method and host
	Doc    string        // one line that says what the route does
	Policy access.Policy // who may call it

	in, out reflect.Type
	run     runner
	status  int      // of a successful answer with a body; 0 means 200
	paging  []string // the parameters of paging that the route reads
	plan    planner
	media   []string // of bodies that the handler reads itself
	lines   string   // the list of the input whose items may come as JSON lines

	naming   *namer   // of ids that must be looked up; nil without any
	choosing *chooser // of the kind that a call is about; nil when it is the policy's
}

// runner decodes, asks the policy and calls the handler, in that order.
type runner func(ctx context.Context, c *Call, rt *Route) (any, error)

// planner finds out what a call would want, without running it, and returns the
// input that it would run with.
type planner func(ctx context.Context, c *Call, rt *Route) (access.Request, any, error)

// None is the input of a route that takes nothing, and the output of a route
// that answers 204 without a body.
type None struct{}

// Responder is an output that writes its own answer: ready bytes, streams,
// pages. It sets Content-Type itself.
type Responder interface {
	Respond(w http.ResponseWriter, r *http.Request)
}

// Documented is an output, or a part of one, that names for OpenAPI the value
// whose JSON it writes.
type Documented interface {
	Documents() any
}

// New declares a route. h runs after the input is decoded and valid and the
// policy has let the caller pass. Out is encoded as JSON, unless it is None or
// a nil pointer or interface (204 without a body) or a Responder; a nil slice
// is [] and a nil map is {}.
func New[In, Out any](method, path, doc string, policy access.Policy, h func(ctx context.Context, c *Call, in In) (Out, error)) Endpoint {
	return Endpoint{
		Method: method, Path: path, Doc: doc, Policy: policy,
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		run: func(ctx context.Context, c *Call, rt *Route) (any, error) {
			var in In
			if rt.input.used() {
				if err := rt.input.decode(c, reflect.ValueOf(&in).Elem()); err != nil {
					return nil, err
				}
			}
			if err := rt.decide(ctx, c, reflect.ValueOf(&in).Elem()); err != nil {
				return nil, err
			}
			out, err := h(ctx, c, in)
			if err != nil {
				return nil, err
			}
			return out, nil
		},
		plan: func(ctx context.Context, c *Call, rt *Route) (access.Request, any, error) {
			var in In
			req, err := rt.simulate(ctx, c, reflect.ValueOf(&in).Elem())
			return req, in, err
		},
	}
}

// Ready is JSON that stands encoded, the JSON of a T. Hot lists are kept so.
type Ready[T any] []byte

// Respond implements Responder.
func (b Ready[T]) Respond(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 0, b) }

// Documents implements Documented.
func (Ready[T]) Documents() any { return *new(T) }

// writeJSON writes an encoded body. Status 0 means 200.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	writeBody(w, "application/json; charset=utf-8", status, body)
}

func writeBody(w http.ResponseWriter, media string, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{media}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if status != 0 {
		w.WriteHeader(status)
	}
	_, _ = w.Write(body) // a client that went away is nobody's error
}

// WriteJSON answers with a value as the API writes JSON: UTF-8, no HTML
// escapes, no newline at the end. Status 0 means 200. It returns an error, and
// has written nothing, when the value cannot be encoded.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	writeJSON(w, status, body)
	return nil
}

// WriteProblem is WriteJSON for the body of an error by RFC 9457.
func WriteProblem(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	writeBody(w, "application/problem+json", status, body)
	return nil
}

// encode writes v without HTML escapes and without the newline that
// encoding/json adds.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes()[:b.Len()-1], nil
}

// isEmpty reports whether an output means 204.
func isEmpty(out any) bool {
	if out == nil {
		return true
	}
	if _, ok := out.(None); ok {
		return true
	}
	v := reflect.ValueOf(out)
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}

// normal turns a nil slice into [] and a nil map into {}; everything else stays.
func normal(out any) any {
	v := reflect.ValueOf(out)
	switch {
	case v.Kind() == reflect.Slice && v.IsNil():
		return json.RawMessage("[]")
	case v.Kind() == reflect.Map && v.IsNil():
		return json.RawMessage("{}")
	}
	return out
}
