package endpoint

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"latchkey/internal/secret"
)

// read checks v and stores it in dst. text says that v came as text, from a
// path, a query or a form, where lists and objects are written as JSON and a
// list of one may stand without brackets.
func (t *Type) read(dst reflect.Value, v any, text bool) *Problem {
	if s, ok := v.(string); ok && text {
		v, text = t.fromText(s)
	}
	if t.opt {
		dst.Field(optSet).SetBool(true)
	}
	if v == nil && t.Nullable {
		if t.opt {
			dst.Field(optNull).SetBool(true)
		}
		return nil
	}
	if t.opt {
		dst = dst.Field(optV)
	}
	return t.readValue(dst, v, text)
}

// fromText reads a list or an object that is written as JSON in a text. A text
// that is no JSON stays what it is; in place of a list it is its only item.
func (t *Type) fromText(s string) (v any, text bool) {
	switch t.Rule {
	case RuleList, RuleMap, RuleObject:
		if parsed, err := parseJSON([]byte(s)); err == nil && isStructure(parsed) {
			return parsed, false
		}
		if t.Rule == RuleList {
			return []any{s}, true
		}
	}
	return s, true
}

func isStructure(v any) bool {
	switch v.(type) {
	case nil, []any, map[string]any:
		return true
	}
	return false
}

func (t *Type) readValue(dst reflect.Value, v any, text bool) *Problem {
	switch t.Rule {
	case RuleInt, RulePosInt, RuleNatural:
		return t.readInt(dst, v)
	case RuleNumber:
		return t.readNumber(dst, v)
	case RuleBool, RuleBoolQuery:
		return t.readBool(dst, v)
	case RuleList:
		return t.readList(dst, v, text)
	case RuleObject:
		return t.readObject(dst, v, text)
	case RuleMap, RuleParameter:
		return t.readMap(dst, v)
	case RuleAny:
		return t.readAny(dst, v)
	case RuleIDOrRef:
		return t.readIDOrRef(dst, v)
	case RuleRestriction:
		return t.readRestriction(dst, v)
	}
	return t.readText(dst, v)
}

func (t *Type) fail(received any, failed ...Failure) *Problem {
	return &Problem{Want: t, Failed: failed, Received: received}
}

func (t *Type) readInt(dst reflect.Value, v any) *Problem {
	n, ok := toInt(v)
	if !ok {
		return t.fail(v, WrongType)
	}
	if t.Rule == RulePosInt && n <= 0 || t.Rule == RuleNatural && n < 0 {
		return t.fail(n, Refused)
	}
	dst.SetInt(n)
	return nil
}

// toInt coerces 5, "5" and 5.0.
func toInt(v any) (int64, bool) {
	switch v := v.(type) {
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			return 0, false
		}
		return int64(f), true
	}
	return 0, false
}

func (t *Type) readNumber(dst reflect.Value, v any) *Problem {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = string(v)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return t.fail(v, WrongType)
	}
	dst.SetFloat(f)
	return nil
}

func (t *Type) readBool(dst reflect.Value, v any) *Problem {
	s, _ := v.(string)
	switch { // Python writes True
	case v == true, strings.EqualFold(s, "true"):
		dst.SetBool(true)
	case v == false, strings.EqualFold(s, "false"):
		dst.SetBool(false)
	default:
		return t.fail(v, WrongType)
	}
	return nil
}

func (t *Type) readText(dst reflect.Value, v any) *Problem {
	s, ok := v.(string)
	switch {
	case !ok && t.Rule == RuleNonBlank:
		return t.fail(v, WrongType, Blank)
	case !ok:
		return t.fail(v, WrongType)
	case !cleanText(s):
		return t.fail(s, BadText)
	}
	if failed := t.checkText(s); failed != nil {
		return t.fail(s, failed...)
	}
	if dst.Kind() == reflect.String {
		dst.SetString(s)
	} else {
		dst.Set(reflect.ValueOf(secret.New(s)))
	}
	return nil
}

// checkText returns how a text fails its rule, nil when it does not.
func (t *Type) checkText(s string) (failed []Failure) {
	if n := utf8.RuneCountInString(s); n < t.Min || t.Max > 0 && n > t.Max {
		failed = append(failed, Length)
	}
	switch {
	case t.Rule == RuleNonBlank && strings.TrimSpace(s) == "":
		failed = append(failed, Blank)
	case t.Rule == RuleEnum && !slices.Contains(t.Enum, s), t.check != nil && !t.check(s):
		failed = append(failed, Refused)
	}
	return failed
}

func (t *Type) readMap(dst reflect.Value, v any) *Problem {
	m, ok := v.(map[string]any)
	switch {
	case !ok, t.Rule == RuleParameter && !isParameter(m):
		return t.fail(v, WrongType)
	case !cleanValue(m):
		return t.fail(m, BadText)
	}
	dst.Set(reflect.ValueOf(m))
	return nil
}

// isParameter reports whether a map has what every parameter of a question or
// dashboard has (contract/content-data.md 1.3).
func isParameter(m map[string]any) bool {
	id, _ := m["id"].(string)
	kind, _ := m["type"].(string)
	return strings.TrimSpace(id) != "" && strings.TrimSpace(kind) != ""
}

func (t *Type) readAny(dst reflect.Value, v any) *Problem {
	switch {
	case v == nil:
		return t.fail(v, WrongType)
	case !cleanValue(v):
		return t.fail(v, BadText)
	}
	dst.Set(reflect.ValueOf(v))
	return nil
}

func (t *Type) readList(dst reflect.Value, v any, text bool) *Problem {
	list, ok := v.([]any)
	if !ok {
		return t.fail(v, WrongType)
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	var wrong []*Problem
	for i, item := range list {
		if p := t.Elem.read(out.Index(i), item, text); p != nil {
			wrong = append(wrong, make([]*Problem, i-len(wrong))...)
			wrong = append(wrong, p)
		}
	}
	if wrong != nil {
		return &Problem{Want: t, Items: wrong, Received: v}
	}
	dst.Set(out)
	return nil
}

func (t *Type) readObject(dst reflect.Value, v any, text bool) *Problem {
	m, ok := v.(map[string]any)
	if !ok {
		return t.fail(v, WrongType)
	}
	if wrong := readFields(t.Fields, dst, m, text); wrong != nil {
		return &Problem{Want: t, Fields: wrong, Received: v}
	}
	return nil
}

// readFields reads the declared keys of m; all others are dropped.
func readFields(fields []Field, dst reflect.Value, m map[string]any, text bool) (wrong []FieldProblem) {
	for i := range fields {
		f := &fields[i]
		v, ok := m[f.Name]
		var p *Problem
		switch {
		case ok:
			p = f.Type.read(dst.FieldByIndex(f.index), v, text)
		case f.Required:
			p = f.Type.fail(nil, Missing)
		}
		if p != nil {
			wrong = append(wrong, FieldProblem{Name: f.Name, Problem: p})
		}
	}
	return wrong
}
