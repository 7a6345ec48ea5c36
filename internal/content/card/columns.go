package card

import (
	"encoding/json"

	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// columnsOf returns what a change makes of the columns that are known of a
// card's result. Programs send back what they were shown beside a new query, so
// the columns that were found out count for that, and what was sent only where
// none were. A model keeps the words that people gave its columns. Null says
// nothing.
func columnsOf(old Card, c Change, a *analysed) (opt.Value[json.RawMessage], error) {
	sent, given := c.Metadata.Get()
	switch {
	case a == nil && !given:
		return opt.Value[json.RawMessage]{}, nil
	case a == nil, a.metadata == nil && given:
		return opt.Of(sent), nil
	case c.Type.Or(old.Type()) != Model || a.metadata == nil:
		return opt.Value[json.RawMessage]{}, nil
	case !given:
		sent = old.Metadata
	}
	blended, err := worded(a.metadata, sent)
	return opt.Of(blended), err
}

// columnWords are the keys of a column that people give it.
var columnWords = [...]string{"display_name", "description", "semantic_type", "visibility_type", "fk_target_field_id", "settings"}

// worded returns columns with the words that others of the same name have.
func worded(columns, others json.RawMessage) (json.RawMessage, error) {
	if len(others) == 0 {
		return columns, nil
	}
	var list, from []map[string]json.RawMessage
	if err := json.Unmarshal(columns, &list); err != nil {
		return nil, fault.Wrap(err, "read columns")
	}
	if err := json.Unmarshal(others, &from); err != nil {
		return nil, fault.Field("result_metadata", "value must be a list of columns.")
	}
	byName := map[string]map[string]json.RawMessage{}
	for _, column := range from {
		byName[string(column["name"])] = column
	}
	for _, column := range list {
		for _, key := range columnWords {
			if word, ok := byName[string(column["name"])][key]; ok {
				column[key] = word
			}
		}
	}
	out, err := json.Marshal(list)
	return out, fault.Wrap(err, "encode columns")
}
