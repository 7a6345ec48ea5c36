// Package opt tells absent, null and a value apart, as partial updates need.
//
// Owns: Value. Does not own: validation.
package opt

import "encoding/json"

// Value is absent (the zero value), null, or a T.
type Value[T any] struct {
	Set  bool // the field was present
	Null bool // it was present and null
	V    T    // the value when Set and not Null
}

// Of returns a present value.
func Of[T any](v T) Value[T] { return Value[T]{Set: true, V: v} }

// Null returns a present null.
func Null[T any]() Value[T] { return Value[T]{Set: true, Null: true} }

// Get returns the value and whether there is one (present and not null).
func (o Value[T]) Get() (T, bool) { return o.V, o.Set && !o.Null }

// Or returns the value, or def when absent or null.
func (o Value[T]) Or(def T) T {
	if v, ok := o.Get(); ok {
		return v
	}
	return def
}

// Ptr returns a pointer to the value, or nil when absent or null.
func (o Value[T]) Ptr() *T {
	if v, ok := o.Get(); ok {
		return &v
	}
	return nil
}

// UnmarshalJSON marks the value as present.
func (o *Value[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	if string(b) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.V)
}

// MarshalJSON writes null for absent and null.
func (o Value[T]) MarshalJSON() ([]byte, error) {
	if v, ok := o.Get(); ok {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}
