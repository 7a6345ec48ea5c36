package endpoint

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/secret"
)

// inputSchema is the JSON Schema of an input type.
func inputSchema(t *Type) object {
	s := bareSchema(t)
	if t.Nullable && s["$ref"] != nil {
		return nullable(s)
	}
	if t.Nullable {
		switch kind := s["type"].(type) {
		case string:
			s["type"] = []string{kind, "null"}
		case []string:
			s["type"] = append(kind, "null")
		}
		if words, ok := s["enum"].([]any); ok {
			s["enum"] = append(words, nil)
		}
	}
	return s
}

func bareSchema(t *Type) object {
	switch t.Rule {
	case RulePosInt:
		return object{"type": "integer", "format": "int64", "minimum": 1}
	case RuleNatural:
		return object{"type": "integer", "format": "int64", "minimum": 0}
	case RuleInt:
		return object{"type": "integer", "format": "int64"}
	case RuleNumber:
		return object{"type": "number"}
	case RuleBool, RuleBoolQuery:
		return object{"type": "boolean"}
	case RuleAny:
		return object{}
	case RuleIDOrRef:
		return idOrRefSchema()
	case RuleRestriction:
		return restrictionRef()
	case RuleMap, RuleParameter:
		return object{"type": "object"}
	case RuleList:
		return object{"type": "array", "items": inputSchema(t.Elem)}
	case RuleObject:
		return fieldsSchema(t.Fields)
	}
	return textSchema(t)
}

func textSchema(t *Type) object {
	s := object{"type": "string"}
	if t.Min > 0 {
		s["minLength"] = t.Min
	}
	if t.Max > 0 {
		s["maxLength"] = t.Max
	}
	switch {
	case t.Rule == RuleEnum:
		words := make([]any, len(t.Enum))
		for i, w := range t.Enum {
			words[i] = w
		}
		s["enum"] = words
	case t.Rule == RuleNonBlank:
		s["pattern"] = `\S`
	case t.Secret:
		s["format"] = "password"
	case t.check != nil:
		s["format"] = t.Rule
	}
	return s
}

func fieldsSchema(fields []Field) object {
	props, required := object{}, []string{}
	for _, f := range fields {
		props[f.Name] = inputSchema(f.Type)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	s := object{"type": "object", "properties": props}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// closed is a schema that allows no members but the named ones, at any depth.
func closed(schema object) object {
	props, ok := schema["properties"].(object)
	if ok {
		schema["additionalProperties"] = false
	}
	for _, member := range props {
		if inner, ok := member.(object); ok {
			closed(inner)
		}
	}
	if items, ok := schema["items"].(object); ok {
		closed(items)
	}
	return schema
}

// schemas collects the named structs of all outputs.
type schemas struct {
	named object
	types map[string]reflect.Type // beside named
}

// output returns the media type and the schema of an Out type; a nil schema
// means that there is no body.
func (g *schemas) output(t reflect.Type) (media string, schema object) {
	if t == reflect.TypeFor[None]() {
		return "", nil
	}
	if t.Implements(reflect.TypeFor[Responder]()) && !t.Implements(reflect.TypeFor[Documented]()) {
		if m, ok := reflect.Zero(t).Interface().(Media); ok {
			return m.MediaType(), object{"type": "string"}
		}
		return "*/*", object{}
	}
	return "application/json", g.of(t)
}

// of is the JSON Schema of what encoding/json writes for a Go type.
func (g *schemas) of(t reflect.Type) object {
	switch {
	case t == nil || t.Kind() == reflect.Interface || t == reflect.TypeFor[json.RawMessage]():
		return object{}
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[secret.Text]():
		return object{"type": "string"}
	case t == reflect.TypeFor[access.Restriction]():
		return g.restriction()
	case isOpt(t):
		return nullable(g.of(t.Field(optV).Type))
	case t.Kind() != reflect.Pointer && t.Implements(reflect.TypeFor[Documented]()):
		return g.of(documented(t))
	case t.Kind() == reflect.Struct:
		return g.structOf(t)
	case t.Implements(reflect.TypeFor[json.Marshaler]()):
		return object{}
	}
	return g.kind(t)
}

// documented is the type of the value that stands for t in documents.
func documented(t reflect.Type) reflect.Type {
	if d, ok := reflect.Zero(t).Interface().(Documented); ok {
		return reflect.TypeOf(d.Documents())
	}
	return nil
}

func (g *schemas) kind(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(g.of(t.Elem()))
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	}
	return object{}
}

func nullable(s object) object {
	return object{"anyOf": []object{s, {"type": "null"}}}
}

// structOf refers to a named struct, and describes it on first sight.
func (g *schemas) structOf(t reflect.Type) object {
	name := schemaName(t)
	if name == "" {
		return g.properties(t)
	}
	for g.types[name] != nil && g.types[name] != t {
		name += "_" // two packages may have a type of one name
	}
	if g.types[name] == nil {
		g.types[name] = t // before its members: a type may hold itself
		g.named[name] = g.properties(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// schemaName is the type's name as readers of the document know it, such as
// PageOfUser for wirePage[wireUser]: without packages, without the word "wire"
// that marks such types in the code, and in the letters that OpenAPI allows.
func schemaName(t reflect.Type) string {
	base, args, _ := strings.Cut(t.Name(), "[")
	name := readable(base)
	for arg := range strings.SplitSeq(strings.TrimRight(args, "]"), ",") {
		if arg != "" {
			name += "Of" + readable(arg[strings.LastIndexByte(arg, '.')+1:])
		}
	}
	return name
}

func readable(name string) string {
	if name = strings.TrimPrefix(name, "wire"); name == "" {
		return ""
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

func (g *schemas) properties(t reflect.Type) object {
	props, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" || hidden(t, f) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		props[name] = g.of(f.Type)
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": props}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// hidden reports whether a promoted field stands inside a named member, where
// encoding/json does not lift it to the top.
func hidden(t reflect.Type, f reflect.StructField) bool {
	for i := 1; i < len(f.Index); i++ {
		if name, _, _ := strings.Cut(t.FieldByIndex(f.Index[:i]).Tag.Get("json"), ","); name != "" {
			return true
		}
	}
	return false
}

func sortWays(ways []object) {
	slices.SortFunc(ways, func(a, b object) int { return strings.Compare(only(a), only(b)) })
}

// only returns the one key of an object.
func only(o object) string {
	for key := range o {
		return key
	}
	return ""
}
