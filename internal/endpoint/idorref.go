package endpoint

import (
	"reflect"
	"strings"
)

// IDOrRef is an id, or "$name" for the id of what an earlier part of the same
// call makes under that name.
type IDOrRef struct {
	ID  int64
	Ref string // without the $; "" for an id
}

// RuleIDOrRef is the rule of IDOrRef: a whole number from 1 up, or "$name".
const RuleIDOrRef = "id-or-ref"

// maxRef is the longest name of a reference.
const maxRef = 64

// ValidRef reports whether a text can be the name of a reference: letters,
// digits, dots, dashes and underscores.
func ValidRef(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return name != "" && len(name) <= maxRef && strings.Trim(name, letters) == ""
}

func (t *Type) readIDOrRef(dst reflect.Value, v any) *Problem {
	if s, ok := v.(string); ok {
		if name, isRef := strings.CutPrefix(s, "$"); isRef {
			if !ValidRef(name) {
				return t.fail(s, Refused)
			}
			dst.Set(reflect.ValueOf(IDOrRef{Ref: name}))
			return nil
		}
	}
	n, ok := toInt(v)
	switch {
	case !ok:
		return t.fail(v, WrongType)
	case n <= 0:
		return t.fail(n, Refused)
	}
	dst.Set(reflect.ValueOf(IDOrRef{ID: n}))
	return nil
}

func idOrRefSchema() object {
	return object{"type": []string{"integer", "string"}, "minimum": 1, "pattern": `^\$[A-Za-z0-9._-]{1,64}$`}
}
