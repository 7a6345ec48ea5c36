package search_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/content/search"
	"latchkey/internal/db"
)

// BenchmarkSearch searches for a word that is in the names of 100,000
// questions: as an administrator, as somebody who may see 999 of 1,000
// collections, and for the models that there are.
func BenchmarkSearch(b *testing.B) {
	for _, kind := range dbtest.Kinds() {
		d := dbtest.Open(b, kind)
		if err := fill(b.Context(), d); err != nil {
			b.Fatal(err)
		}
		c, err := content.New(b.Context(), d, audit.New(d), slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		s := search.NewService(d, c)
		bo := &access.Principal{Kind: access.Person, UserID: 1, Groups: []int64{access.AllUsers}}
		for _, who := range []struct {
			name string
			*access.Principal
		}{{"administrator", admin}, {"person", bo}} {
			b.Run(fmt.Sprintf("%s/%s", kind, who.name), func(b *testing.B) {
				for b.Loop() {
					r, err := s.Search(b.Context(), who.Principal, search.Query{Text: "question"}, 20, 0)
					if err != nil || len(r.Hits) != 20 || r.Total != search.MaxHits {
						b.Fatalf("%d hits of %d, %v", len(r.Hits), r.Total, err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%s/models", kind), func(b *testing.B) {
			for b.Loop() {
				m, err := s.Available(b.Context(), bo, search.Query{Text: "question"})
				if err != nil || len(m) != 1 {
					b.Fatal(m, err)
				}
			}
		})
	}
}

// fill writes into the tables directly. PostgreSQL counts them as it would a
// minute later by itself.
func fill(ctx context.Context, d *db.DB) error {
	const n = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) "
	const item = `INSERT INTO item (kind, id, model, rank, name, name_key, description, entity_id, collection_id, created_at, updated_at) `
	err := d.InTx(ctx, func(ctx context.Context) error {
		for _, q := range []string{
			fmt.Sprintf(n, 1000) + item + `SELECT 'collection', 1000 + i, 'collection', 7, 'Place ' || i, 'place ' || i, 'Things.', 'place ' || i, 0, 0, 0 FROM n`,
			`INSERT INTO collection (id, item, path, slug, grants) SELECT id, no, '/', 'x', CASE WHEN id = 1001 THEN '' ELSE '1r' END FROM item WHERE id >= 1000`,
			fmt.Sprintf(n, 100_000) + item + `SELECT 'card', 1 + i, 'card', 5, 'Question ' || (i * 7919 % 100000) || ' of the shop', 'question ' || (i * 7919 % 100000) || ' of the shop',
				'What was sold, by month and by country.', 'card ' || i, 1000 + i % 1000, 0, 1000000 * CAST(i AS bigint) FROM n`,
		} {
			if _, err := d.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !d.Postgres() {
		return err
	}
	_, err = d.Exec(ctx, "ANALYZE")
	return err
}
