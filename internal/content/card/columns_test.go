package card_test

import (
	"encoding/json"
	"testing"

	"latchkey/internal/content/card"
	"latchkey/internal/opt"
)

// Programs send back the columns that they were shown, or null. They must not
// outlive the query that they belong to.
func TestColumnsFollowTheQuery(t *testing.T) {
	const stale, curated = `[{"name":"old"}]`, `[{"name":"n","display_name":"Orders","semantic_type":"type/Quantity","base_type":"type/Wrong"},{"name":"gone","display_name":"Gone"}]`
	given := func(text string) opt.Value[json.RawMessage] { return opt.Of(json.RawMessage(text)) }
	null := opt.Null[json.RawMessage]()
	next := opt.Of(sql("select 2"))
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			name, typ string
			has       string // before
			change    card.Change
			want      string
		}{
			{"null beside a new query", card.Question, stale, card.Change{Query: next, Metadata: null}, `[{"name":"n"}]`},
			{"old ones beside a new query", card.Question, stale, card.Change{Query: next, Metadata: given(stale)}, `[{"name":"n"}]`},
			{"a new query alone", card.Question, stale, card.Change{Query: next}, `[{"name":"n"}]`},
			{"null alone", card.Question, stale, card.Change{Metadata: null}, stale},
			{"others alone", card.Question, stale, card.Change{Metadata: given(curated)}, curated},
			{"others beside the same query", card.Question, stale, card.Change{Query: opt.Of(sql("select 1")), Metadata: given(curated)}, curated},
			{"nobody knows", card.Question, stale, card.Change{Query: opt.Of(sql("broken")), Metadata: given(curated)}, curated},
			{"nobody knows or says", card.Question, stale, card.Change{Query: opt.Of(sql("broken")), Metadata: null}, ``},
			{"a model with words", card.Model, stale, card.Change{Query: next, Metadata: given(curated)},
				`[{"display_name":"Orders","name":"n","semantic_type":"type/Quantity"}]`},
			{"a model keeps its words", card.Model, curated, card.Change{Query: next},
				`[{"display_name":"Orders","name":"n","semantic_type":"type/Quantity"}]`},
			{"a model whose query stays", card.Model, curated, card.Change{Metadata: null}, curated},
		} {
			c := w.make(card.New{Type: tt.typ, Metadata: json.RawMessage(tt.has)})
			got, err := w.Update(t.Context(), admin, c.ID, tt.change)
			if err != nil || string(got.Metadata) != tt.want {
				t.Errorf("%s: %s, %v, want %s", tt.name, got.Metadata, err, tt.want)
			}
			if again, err := w.Get(t.Context(), admin, c.ID); err != nil || string(again.Metadata) != tt.want {
				t.Errorf("%s: stored %s, %v", tt.name, again.Metadata, err)
			}
		}
	})
}

// Null leaves the parameters of a card, as it leaves its name.
func TestNullParametersStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const list = `[{"id":"a","type":"text"}]`
		c := w.make(card.New{Parameters: json.RawMessage(list), Mappings: json.RawMessage(list)})
		null := opt.Null[json.RawMessage]()
		got, err := w.Update(t.Context(), admin, c.ID, card.Change{Parameters: null, Mappings: null, Name: opt.Of("B")})
		if err != nil || string(got.Parameters) != list || string(got.Mappings) != list || got.Name != "B" {
			t.Errorf("%s, %s, %v", got.Parameters, got.Mappings, err)
		}
	})
}
