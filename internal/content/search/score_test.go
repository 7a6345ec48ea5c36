package search_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/content"
	"latchkey/internal/content/search"
)

// scored is an item as TestScores makes it, with what it should score.
type scored struct {
	name   string
	total  float64
	scores map[string]float64
}

// TestScores compares the order and the scores of more items than a search
// finds with sums that are made one by one.
func TestScores(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := rand.New(rand.NewPCG(7, 9))
		now := w.db.Now(t.Context())
		const text = "shop orders"
		var model []scored
		w.tx(func(ctx context.Context) error {
			for i := range 1200 {
				name := []string{"Shop orders %d", "Orders of the shop %d", "Shop orders", "Revenue %d, by order"}[min(r.IntN(90), 3)] // few but the last
				if strings.Contains(name, "%") {
					name = fmt.Sprintf(name, i)
				}
				about := "All orders of the shop."
				item, err := w.content.Create(ctx, admin, content.NewItem{Kind: content.Card, Model: content.ModelCard, Name: name, Description: &about})
				if err != nil {
					return err
				}
				views, age := r.IntN(3)*r.IntN(40), time.Duration(r.IntN(2000))*time.Hour
				pinned := any(nil)
				if r.IntN(5) == 0 {
					pinned = 1
				}
				if _, err := w.db.Exec(ctx, "UPDATE item SET view_count = ?2, updated_at = ?3, position = ?4 WHERE no = ?1", item.No, views, now.Add(-age), pinned); err != nil {
					return err
				}
				model = append(model, score(name, text, views, age, pinned != nil))
			}
			return nil
		})
		slices.SortStableFunc(model, func(a, b scored) int {
			return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(strings.ToLower(a.name), strings.ToLower(b.name)))
		})
		got, err := w.Search(t.Context(), admin, search.Query{Text: text}, -1, 0)
		if err != nil || len(got.Hits) != search.MaxHits || got.Total != search.MaxHits {
			t.Fatalf("%d hits of %d, %v", len(got.Hits), got.Total, err)
		}
		for i, h := range got.Hits {
			if h.Item.Name != model[i].name {
				t.Fatalf("hit %d is %q, want %q", i, h.Item.Name, model[i].name)
			}
			for _, s := range h.Scores {
				if math.Abs(s.Score-model[i].scores[s.Name]) > 1e-9 {
					t.Fatalf("%q: %s is %v, want %v", h.Item.Name, s.Name, s.Score, model[i].scores[s.Name])
				}
			}
		}
	})
}

// score sums up as docs and weights say.
func score(name, text string, views int, age time.Duration, pinned bool) scored {
	shown := name
	name = strings.ToLower(name)
	one := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	const month = 30 * 24 * time.Hour
	s := scored{name: shown, scores: map[string]float64{
		"exact": one(name == text), "prefix": one(strings.HasPrefix(name, text)), "pinned": one(pinned),
		"recency": float64(month) / float64(month+age), "view-count": float64(views) / float64(views+10),
	}}
	words := strings.Fields(text)
	for _, word := range words {
		s.scores["text"] += one(strings.Contains(name, word)) / float64(len(words))
	}
	for key, weight := range search.Weights() {
		s.total += weight * s.scores[key]
	}
	return s
}
