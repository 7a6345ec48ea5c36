package endpoint

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// wholeBody is the json name of a field that takes every key of the body.
const wholeBody = "*"

// input is the compiled input of a route.
type input struct {
	path, query, body []Field
	whole             *Field // takes all of the body
	secret            bool   // something in the body must never be shown
	strict            bool   // nothing may come that is not declared
}

// compile builds the input of a route from its In type.
func (k compiler) input(e Endpoint) (*input, error) {
	in := &input{}
	if e.in == reflect.TypeFor[None]() {
		return in, sameNames(e.Path, nil)
	}
	if e.in.Kind() != reflect.Struct {
		return nil, fmt.Errorf("the input %s is no struct", e.in)
	}
	for _, f := range reflect.VisibleFields(e.in) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		if err := in.add(k, f); err != nil {
			return nil, err
		}
	}
	if e.Method == http.MethodGet && in.takesBody() {
		return nil, fmt.Errorf("GET has no body to read %s from", e.in)
	}
	return in, sameNames(e.Path, in.path)
}

func (in *input) add(k compiler, f reflect.StructField) error {
	part, name, err := source(f)
	if err != nil {
		return err
	}
	field, err := k.field(f, name, part)
	if err != nil {
		return err
	}
	switch {
	case part == Path:
		if r := field.Type.Rule; r == RuleInt || field.Type.opt || r == RuleList || r == RuleMap {
			return fmt.Errorf("the path value %s must be a plain text or positive number", name)
		}
		in.path = append(in.path, field)
	case part == Query:
		in.query = append(in.query, field)
	case name == wholeBody:
		if err := checkWhole(&field, f.Tag); err != nil {
			return err
		}
		in.whole = &field
	default:
		in.body = append(in.body, field)
		in.secret = in.secret || field.Type.Secret
	}
	return nil
}

// source returns the part and the name that a field's tag gives.
func source(f reflect.StructField) (Part, string, error) {
	var part Part
	var name string
	found := 0
	for _, s := range [...]struct {
		tag  string
		part Part
	}{{"path", Path}, {"query", Query}, {"json", Body}} {
		if v, ok := f.Tag.Lookup(s.tag); ok {
			part, name, found = s.part, v, found+1
		}
	}
	paging := pagingNames()
	switch {
	case found != 1 || name == "":
		return "", "", fmt.Errorf("the field %s needs one of the tags path, query and json", f.Name)
	case part == Query && slices.Contains(paging[:], name):
		return "", "", fmt.Errorf("the field %s: %q is in Call.Page", f.Name, name)
	}
	return part, name, nil
}

// sameNames makes sure that the path's wildcards are the declared path values.
func sameNames(path string, fields []Field) error {
	var want, got []string
	for seg := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			want = append(want, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	for _, f := range fields {
		got = append(got, f.Name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		return fmt.Errorf("the path has the values %v, its input %v", want, got)
	}
	return nil
}

// allKeys reports whether every key of the body is a field.
func (in *input) allKeys() bool { return in.whole != nil && in.whole.as == "" }

func (in *input) takesBody() bool { return in.whole != nil || len(in.body) > 0 }

func (in *input) used() bool {
	return in.strict || in.takesBody() || len(in.path) > 0 || len(in.query) > 0
}

// matches reports whether numbers in the path are written with digits only.
// Otherwise the path is not this route's (contract/identity.md 0.7).
func (in *input) matches(r *http.Request) bool {
	for i := range in.path {
		value := r.PathValue(in.path[i].Name)
		if in.path[i].Type.isID() && !allDigits(value) {
			return false
		}
		if in.path[i].Type.Rule == RuleEntity && !allDigits(value) && !isEntityID(value) {
			return false
		}
	}
	return true
}

// isID reports whether a path value of the type is written with digits only.
func (t *Type) isID() bool { return t.Rule == RulePosInt || t.Rule == RuleNatural }

// isEntityID reports whether a path value may be an entity id
// (contract/content-data.md 1.4).
func isEntityID(s string) bool {
	const length = 21
	return len(s) == length && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-") == ""
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// pathID reads digits. What is too large is the largest number, which no row
// ever has, so that the handler finds nothing.
func pathID(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return n
}

// decode fills dst, part by part. It returns a *ValidationError, or nil.
func (in *input) decode(c *Call, dst reflect.Value) error {
	if wrong := in.readPath(c.Request, dst); wrong != nil {
		return &ValidationError{Part: Path, Fields: wrong}
	}
	wrong := in.readQuery(c, dst)
	if in.strict {
		wrong = append(wrong, in.unknownQuery(c.query)...)
	}
	if wrong != nil {
		return &ValidationError{Part: Query, Fields: wrong}
	}
	wrong = in.readBody(&c.body, dst)
	if in.strict {
		wrong = append(wrong, in.unknownBody(&c.body)...)
	}
	if wrong != nil {
		return &ValidationError{Part: Body, Fields: wrong}
	}
	return nil
}

func (in *input) readPath(r *http.Request, dst reflect.Value) (wrong []FieldProblem) {
	for i := range in.path {
		f := &in.path[i]
		text := r.PathValue(f.Name)
		if f.Type.isID() {
			text = strconv.FormatInt(pathID(text), 10)
		}
		if p := f.Type.read(dst.FieldByIndex(f.index), text, true); p != nil {
			wrong = append(wrong, FieldProblem{Name: f.Name, Problem: p})
		}
	}
	return wrong
}

func (in *input) readQuery(c *Call, dst reflect.Value) []FieldProblem {
	if len(in.query) == 0 {
		return nil
	}
	return readFields(in.query, dst, fromValues(c.query), true)
}

func (in *input) readBody(b *body, dst reflect.Value) []FieldProblem {
	if !in.takesBody() {
		return nil
	}
	if b.other != nil {
		t := &Type{Rule: RuleMap, Secret: in.secret}
		return []FieldProblem{{Problem: t.fail(b.other, WrongType)}}
	}
	wrong := readFields(in.body, dst, b.object, b.form)
	if in.whole != nil {
		wrong = append(wrong, in.readWhole(b, dst)...)
	}
	return wrong
}
