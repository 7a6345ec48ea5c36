package revision

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
)

// keep is how many revisions of one item stay.
const keep = 100

// State is an item at one time: its fields by the names that the kind gives
// them.
type State map[string]json.RawMessage

// The fields that the log itself has words for. Kinds use these names.
const (
	Name         = "name"
	Description  = "description"
	Archived     = "archived"
	CollectionID = "collection_id" // a number, 0 for the root
	Position     = "collection_position"
)

// Kind says how the items of a kind are kept and brought back.
type Kind struct {
	// Noun is what the words call an item, such as Card.
	Noun string
	// State returns what an item is now. Its JSON is an object.
	State func(ctx context.Context, i content.Item) (any, error)
	// Restore writes an item as it was, inside a transaction, without a new
	// revision. It decides whether who may, beyond writing the item.
	Restore func(ctx context.Context, who *access.Principal, i content.Item, state json.RawMessage) error
	// Words says what a changed field means that the log has no words for, one
	// text for each change and none for what is not worth telling. Without it
	// such fields are told by their names.
	Words func(field string, before, after State) []string
}

// Revision is what one change left of an item.
type Revision struct {
	ID        int64
	Object    json.RawMessage
	UserID    int64 // 0 when nobody is known
	Message   *string
	Creation  bool
	Reversion bool
	At        time.Time
	Newest    bool
	Changes   []string // in words, in the order in which they are told
	Before    State    // only the fields that changed
	After     State
}

// Text returns the changes as one sentence (contract/content-data.md 8.2).
func (r Revision) Text() string {
	switch {
	case r.Creation:
		return "created this."
	case r.Reversion:
		return "reverted to an earlier version."
	case len(r.Changes) == 0:
		return "created a revision with no change."
	}
	return sentence(r.Changes)
}

// Note is what is known of a change beside the state that it leaves.
type Note struct {
	Message   *string
	Creation  bool
	reversion bool
}

func (s State) text(field string) string {
	var text string
	if err := json.Unmarshal(s[field], &text); err != nil {
		return ""
	}
	return text
}

func (s State) number(field string) int64 {
	var n int64
	if err := json.Unmarshal(s[field], &n); err != nil {
		return 0
	}
	return n
}

func (s State) isNull(field string) bool {
	return len(s[field]) == 0 || bytes.Equal(s[field], []byte("null"))
}

func readState(raw json.RawMessage) (State, error) {
	var s State
	err := json.Unmarshal(raw, &s)
	return s, fault.Wrap(err, "read state of a revision")
}

// told is the order in which the fields that the log knows are told, before all
// others.
func told() []string { return []string{Name, Description, Archived, CollectionID, Position} }

func inOrder(a, b string) int {
	rank := func(field string) int {
		if i := slices.Index(told(), field); i >= 0 {
			return i
		}
		return len(told())
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// differences returns the fields in which two states differ, in the order in
// which they are told.
func differences(before, after State) []string {
	var fields []string
	for name := range maps.Keys(after) {
		if !same(before[name], after[name]) {
			fields = append(fields, name)
		}
	}
	for name := range maps.Keys(before) {
		if _, ok := after[name]; !ok && !before.isNull(name) {
			fields = append(fields, name)
		}
	}
	slices.SortFunc(fields, inOrder)
	return fields
}

// same compares two values whatever the order of their keys is.
func same(a, b json.RawMessage) bool {
	return bytes.Equal(a, b) || bytes.Equal(sorted(a), sorted(b))
}

func sorted(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return []byte("null")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}

func (s State) only(fields []string) State {
	out := State{}
	for _, name := range fields {
		if v, ok := s[name]; ok {
			out[name] = v
		} else {
			out[name] = json.RawMessage("null")
		}
	}
	return out
}
