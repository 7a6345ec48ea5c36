package endpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
)

// Two tags on the fields of an input speak to package access:
//
//	kind:"groups"              the value is the id of a group, or a list of them;
//	                           on a map, its keys are
//	scope:"memberships:write"  a call that has the field needs this scope too

// readAccess reads the tags of a field.
func (f *Field) readAccess(tag reflect.StructTag, part Part) error {
	if f.Kind = tag.Get("kind"); f.Kind != "" {
		if err := f.checkKind(); err != nil {
			return err
		}
	}
	if text := tag.Get("scope"); text != "" {
		s, ok := access.ParseScope(text)
		switch {
		case !ok:
			return fmt.Errorf("%s: there is no scope %q", f.Name, text)
		case part == Path:
			return fmt.Errorf("%s: a path value is always there; its scope belongs to the policy", f.Name)
		}
		f.Scope = &s
	}
	if t := f.Type.innermost(); f.Type.Rule == RuleList && slices.ContainsFunc(t.Fields, needsScope) {
		return fmt.Errorf("%s: the items of a list cannot need a scope; the list can", f.Name)
	}
	f.names = f.Kind != "" || slices.ContainsFunc(f.Type.innermost().Fields, func(inner Field) bool { return inner.names })
	return nil
}

func (f *Field) checkKind() error {
	if !access.KnownKind(f.Kind) {
		return fmt.Errorf("%s: there is no kind %q", f.Name, f.Kind)
	}
	switch t := f.Type.innermost(); t.Rule {
	case RuleObject, RuleAny, RuleBool, RuleBoolQuery, RuleNumber, RuleIDOrRef:
		return fmt.Errorf("%s: a value of the rule %s is no id", f.Name, t.Rule)
	default:
		if t.Secret {
			return fmt.Errorf("%s: a secret is no id", f.Name)
		}
	}
	return nil
}

func needsScope(f Field) bool {
	return f.Scope != nil || slices.ContainsFunc(f.Type.innermost().Fields, needsScope)
}

// innermost is the type of what lists of lists hold at last.
func (t *Type) innermost() *Type {
	for t.Rule == RuleList {
		t = t.Elem
	}
	return t
}

// checkNames brings the names of the policy to the path values.
func (in *input) checkNames(e Endpoint) error {
	for _, n := range e.Policy.Names {
		i := slices.IndexFunc(in.path, func(f Field) bool { return f.Name == n.Path })
		if i < 0 {
			return fmt.Errorf("policy names the path value %q, which the input does not have", n.Path)
		}
		if f := &in.path[i]; f.Kind != "" && f.Kind != n.Kind {
			return fmt.Errorf("the path value %q is of two kinds, %s and %s", n.Path, f.Kind, n.Kind)
		}
		in.path[i].Kind, in.path[i].names = n.Kind, true
	}
	if err := e.choosing.fits(e.in); err != nil {
		return err
	}
	return e.naming.fits(e.in)
}

// namer looks up the resources that a call is about.
type namer struct {
	in    reflect.Type
	kinds []string
	refs  func(ctx context.Context, c *Call, in any) ([]access.Ref, error)
}

func (n *namer) fits(in reflect.Type) error {
	switch {
	case n == nil:
		return nil
	case n.in != in:
		return fmt.Errorf("ids are looked up in %s, but the input is %s", n.in, in)
	case len(n.kinds) == 0 || slices.ContainsFunc(n.kinds, func(kind string) bool { return !access.KnownKind(kind) }):
		return fmt.Errorf("ids of unknown kinds %q are looked up", n.kinds)
	}
	return nil
}

// Naming makes f look up the resources that a call names by more than its
// values say, such as the group and the person of a membership. It is asked
// for keys only, after their groups have let the call pass. What does not
// exist has no resources: a NotFound fault of f counts as none. kinds are those
// of which f can return resources.
func Naming[In any](e Endpoint, f func(ctx context.Context, c *Call, in In) ([]access.Ref, error), kinds ...string) Endpoint {
	e.naming = &namer{
		in: reflect.TypeFor[In](), kinds: kinds,
		refs: func(ctx context.Context, c *Call, in any) ([]access.Ref, error) {
			typed, ok := in.(In)
			if !ok {
				return nil, errors.New("the input has another type than its names")
			}
			return f(ctx, c, typed)
		},
	}
	return e
}

// refs returns the resources that the values of an input name.
func (in *input) refs(v reflect.Value) (out []access.Ref) {
	for _, fields := range [...][]Field{in.path, in.query, in.body} {
		out = appendFields(out, fields, v)
	}
	if in.whole != nil {
		out = appendRefs(out, in.whole.Kind, in.whole.Type, v.FieldByIndex(in.whole.index))
	}
	return out
}

func appendFields(out []access.Ref, fields []Field, v reflect.Value) []access.Ref {
	for i := range fields {
		if f := &fields[i]; f.names {
			out = appendRefs(out, f.Kind, f.Type, v.FieldByIndex(f.index))
		}
	}
	return out
}

func appendRefs(out []access.Ref, kind string, t *Type, v reflect.Value) []access.Ref {
	if t.opt {
		if !v.Field(optSet).Bool() || v.Field(optNull).Bool() {
			return out
		}
		v = v.Field(optV)
	}
	switch {
	case t.Rule == RuleList:
		for i := range v.Len() {
			out = appendRefs(out, kind, t.Elem, v.Index(i))
		}
	case t.Rule == RuleObject:
		out = appendFields(out, t.Fields, v)
	case kind == "" || !t.opt && t.Nullable && v.IsZero():
	case t.Rule == RuleMap:
		for _, key := range slices.Sorted(maps.Keys(v.Interface().(map[string]any))) { //nolint:errcheck // the rule says the type
			out = append(out, access.NewRef(kind, key))
		}
	case v.CanInt():
		out = append(out, access.Ref{Kind: kind, ID: strconv.FormatInt(v.Int(), 10)})
	default:
		out = append(out, access.NewRef(kind, v.String()))
	}
	return out
}

// written collects what a body writes, and the scopes that it needs for that.
type written struct {
	kind   string
	form   bool
	writes []access.FieldWrite
	extra  []access.Scope
}

// written goes through the declared keys that are there. Members of objects
// have dotted names; a value that stands in for a whole object, such as null,
// has the object's.
func (in *input) written(kind string, c *Call) written {
	w := written{kind: kind, form: c.body.form}
	for i := range in.query {
		if f := &in.query[i]; f.Scope != nil && c.query.Has(f.Name) {
			w.extra = append(w.extra, *f.Scope)
		}
	}
	w.fields(in.body, c.body.object, "")
	if in.whole != nil {
		w.whole(in.whole, c.body.object)
	}
	return w
}

// whole adds every key of a body, or the one field that a body stands for.
func (w *written) whole(f *Field, body map[string]any) {
	if f.as != "" {
		w.add(f.as)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(body)) {
		w.add(key)
	}
}

func (w *written) add(field string) {
	w.writes = append(w.writes, access.FieldWrite{Kind: w.kind, Field: field})
}

func (w *written) fields(fields []Field, object map[string]any, prefix string) {
	for i := range fields {
		f := &fields[i]
		v, ok := object[f.Name]
		if !ok {
			continue
		}
		if f.Scope != nil {
			w.extra = append(w.extra, *f.Scope)
		}
		if s, text := v.(string); text && w.form {
			v, _ = f.Type.fromText(s)
		}
		members, isObject := v.(map[string]any)
		switch name := prefix + f.Name; {
		case !isObject || len(members) == 0:
			w.add(name)
		case f.Type.Rule == RuleObject:
			w.object(f.Type.Fields, members, name)
		case f.Type.Rule == RuleMap && plainKeys(members):
			w.members(members, name)
		default:
			w.add(name)
		}
	}
}

// object adds the declared members of an object, or the object itself when
// none of them is there.
func (w *written) object(fields []Field, members map[string]any, name string) {
	before := len(w.writes)
	if w.fields(fields, members, name+"."); len(w.writes) == before {
		w.add(name)
	}
}

// members adds what a free map holds, to any depth.
func (w *written) members(m map[string]any, name string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		inner, isObject := m[key].(map[string]any)
		if isObject && len(inner) > 0 && plainKeys(inner) {
			w.members(inner, name+"."+key)
			continue
		}
		w.add(name + "." + key)
	}
}

// plainKeys reports whether keys can be told from dotted names. A map with
// others counts as one whole, so that "a.b" never passes for the member b of a.
func plainKeys(m map[string]any) bool {
	for key := range m {
		if key == "" || strings.Contains(key, ".") {
			return false
		}
	}
	return true
}
