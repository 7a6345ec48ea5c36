package revision

import (
	"fmt"
	"strings"
)

// teller puts changes into words.
type teller struct {
	kind Kind
	// collection returns the name of a collection that the reader may see.
	collection func(id int64) (string, bool)
}

// tell says what changed in some fields.
func (t teller) tell(fields []string, before, after State) []string {
	var out []string
	for _, field := range fields {
		out = append(out, t.field(field, before, after)...)
	}
	return out
}

func (t teller) field(field string, before, after State) []string {
	switch field {
	case Name:
		return []string{fmt.Sprintf("renamed this %s from %q to %q", t.kind.Noun, before.text(Name), after.text(Name))}
	case Description:
		return []string{described(before, after)}
	case Archived:
		if string(after[Archived]) == "true" {
			return []string{"trashed this " + t.kind.Noun}
		}
		return []string{"untrashed this " + t.kind.Noun}
	case CollectionID:
		return []string{t.moved(before.number(field), after.number(field))}
	case Position:
		return []string{"changed pin position"}
	}
	if t.kind.Words != nil {
		return t.kind.Words(field, before, after)
	}
	return []string{"changed the " + strings.ReplaceAll(field, "_", " ")}
}

func described(before, after State) string {
	switch {
	case before.isNull(Description):
		return "added a description"
	case after.isNull(Description):
		return "removed the description"
	}
	return "changed the description"
}

// moved names collections only to those who may see them.
func (t teller) moved(from, to int64) string {
	said := "moved this " + t.kind.Noun
	if name, ok := t.collection(from); ok {
		said += " from " + name
	}
	if name, ok := t.collection(to); ok {
		said += " to " + name
	}
	return said
}

// sentence joins parts, as in "a, b and c.".
func sentence(parts []string) string {
	last := len(parts) - 1
	if last == 0 {
		return parts[0] + "."
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last] + "."
}
