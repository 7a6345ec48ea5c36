package endpoint

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/secret"
)

// Rules are named checks of texts that belong to the domain, such as
// "password" and "locale". A declaration refers to them in its rule tag.
type Rules map[string]func(string) bool

// The rules that this package knows. Every other name is looked up in Rules.
const (
	RulePosInt    = "posint"    // a whole number from 1 up
	RuleNatural   = "natural"   // a whole number from 0 up
	RuleInt       = "int"       // a whole number
	RuleNumber    = "number"    // any number
	RuleBool      = "bool"      // true or false
	RuleBoolQuery = "boolquery" // the same, in a query
	RuleString    = "string"    // any text
	RuleNonEmpty  = "nonempty"  // a text of at least one character
	RuleNonBlank  = "nonblank"  // a text with something other than white space
	RuleEntity    = "entity"    // in a path: a number or the 21 characters of an entity id
	RuleEmail     = "email"     // an e-mail address; Rules may bring its own check
	RulePassword  = "password"  // always a secret; Rules brings the check
	RuleEnum      = "enum"      // one of the given words: enum=a|b
	RuleMap       = "map"       // any object
	RuleParameter = "parameter" // an object with at least an id and a type, both texts
	RuleAny       = "any"       // anything
	RuleList      = "list"      // a list of Elem; its tag's rule is that of the items
	RuleObject    = "object"    // an object with Fields
)

// Type is what a value must be, compiled from a Go type and its rule tag.
type Type struct {
	Rule     string
	Nullable bool     // null is fine too
	Min, Max int      // characters of a text; Max 0 means no bound
	Enum     []string // the words of RuleEnum
	Elem     *Type    // the items of RuleList
	Fields   []Field  // the members of RuleObject, in the order of declaration
	Secret   bool     // the value, or something inside it, must never be shown

	opt   bool              // the Go type is opt.Value
	check func(string) bool // of a named rule
}

// Field is a named member of an object, or a path or query value.
type Field struct {
	Name     string
	Required bool
	Type     *Type
	Kind     string        // of the resources whose ids it holds, "" for none
	Scope    *access.Scope // what is needed as well when it is there; nil for nothing
	index    []int
	names    bool   // it holds ids, or something inside it does
	as       string // of a whole body: the one field that it writes; "" when each key is one
}

// compiler turns Go types into Types.
type compiler struct{ rules Rules }

func (k compiler) typeOf(t reflect.Type, tag ruleTag, part Part) (*Type, error) {
	if isOpt(t) {
		out, err := k.typeOf(t.Field(optV).Type, tag, part)
		if err == nil {
			out.opt, out.Nullable = true, !tag.notNull
		}
		return out, err
	}
	out := &Type{Rule: tag.name, Nullable: tag.optional && !tag.notNull, Min: tag.min, Max: tag.max, Enum: tag.enum}
	var err error
	switch {
	case t == reflect.TypeFor[access.Restriction]():
		err = restrictionType(out, part)
	case t == reflect.TypeFor[IDOrRef]():
		err = choose(out, RuleIDOrRef, RuleIDOrRef)
	case t == reflect.TypeFor[secret.Text]():
		out.Secret = true
		err = k.text(out)
	case t.Kind() == reflect.String:
		err = k.text(out)
	case t.Kind() == reflect.Int64 || t.Kind() == reflect.Int:
		err = choose(out, ifPath(part, RulePosInt, RuleInt), RuleInt, RulePosInt, RuleNatural)
	case t.Kind() == reflect.Float64:
		err = choose(out, RuleNumber, RuleNumber)
	case t.Kind() == reflect.Bool:
		err = choose(out, ifQuery(part, RuleBoolQuery, RuleBool), RuleBool, RuleBoolQuery)
	case t == reflect.TypeFor[map[string]any]():
		err = choose(out, RuleMap, RuleMap, RuleParameter)
	case t == reflect.TypeFor[any]():
		err = choose(out, RuleAny, RuleAny)
	case t.Kind() == reflect.Slice:
		return k.list(t, tag, part, out)
	case t.Kind() == reflect.Struct:
		return k.object(t, out)
	default:
		err = fmt.Errorf("the type %s cannot be an input", t)
	}
	return out, err
}

func ifPath(p Part, yes, no string) string {
	if p == Path {
		return yes
	}
	return no
}

func ifQuery(p Part, yes, no string) string {
	if p == Query {
		return yes
	}
	return no
}

// choose sets the rule, or def when the tag names none.
func choose(t *Type, def string, allowed ...string) error {
	if t.Rule == "" {
		t.Rule = def
	}
	if !slices.Contains(allowed, t.Rule) {
		return fmt.Errorf("the rule %s does not fit the type", t.Rule)
	}
	return nil
}

// text completes the type of a text.
func (k compiler) text(t *Type) error {
	switch t.Rule {
	case "":
		t.Rule = RuleString
	case RuleString, RuleEntity:
	case RuleNonEmpty, RuleNonBlank:
		t.Min = max(t.Min, 1)
	case RuleEnum:
		if len(t.Enum) == 0 {
			return fmt.Errorf("the rule enum names no words")
		}
	default:
		return k.named(t)
	}
	return nil
}

func (k compiler) named(t *Type) error {
	t.check = k.rules[t.Rule]
	if t.check == nil && t.Rule == RuleEmail {
		t.check = isEmail
	}
	if t.check == nil {
		return fmt.Errorf("there is no rule %q for texts", t.Rule)
	}
	t.Secret = t.Secret || t.Rule == RulePassword
	return nil
}

func (k compiler) list(t reflect.Type, tag ruleTag, part Part, out *Type) (*Type, error) {
	elem, err := k.typeOf(t.Elem(), ruleTag{name: tag.name, min: tag.min, max: tag.max, enum: tag.enum}, part)
	if err != nil {
		return nil, err
	}
	*out = Type{Rule: RuleList, Nullable: out.Nullable, Elem: elem, Secret: elem.Secret}
	return out, nil
}

func (k compiler) object(t reflect.Type, out *Type) (*Type, error) {
	if err := choose(out, RuleObject, RuleObject); err != nil {
		return nil, err
	}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name := f.Tag.Get("json")
		if name == "" {
			return nil, fmt.Errorf("%s.%s has no json tag", t, f.Name)
		}
		field, err := k.field(f, name, Body)
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, field)
		out.Secret = out.Secret || field.Type.Secret
	}
	return out, nil
}

func (k compiler) field(f reflect.StructField, name string, part Part) (Field, error) {
	tag, err := parseRule(f.Tag.Get("rule"))
	if err != nil {
		return Field{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	t, err := k.typeOf(f.Type, tag, part)
	if err != nil {
		return Field{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	out := Field{Name: name, Required: tag.required || !t.opt && !tag.optional, Type: t, index: f.Index}
	return out, out.readAccess(f.Tag, part)
}

// The fields of opt.Value, by index.
const (
	optSet = iota
	optNull
	optV
)

// isOpt reports whether t is some opt.Value.
func isOpt(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && strings.HasSuffix(t.PkgPath(), "/internal/opt") && strings.HasPrefix(t.Name(), "Value[")
}
