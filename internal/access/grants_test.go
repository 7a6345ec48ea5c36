package access_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"latchkey/internal/access"
)

// TestTable compares a table, and the grants in it, with maps: ids lie close
// together, far apart and on both sides of the bounds of pages.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ids := []int64{1, 3, 31, 32, 33, 63, 64, 65, 95, 96, 1000, 1023, 1024, 1 << 40, math.MaxInt64/10 - 9}
	for range 200 {
		var grants []*access.Grants
		var models []map[int64]access.CollectionLevel
		granted := map[int64]bool{}
		for range 1 + r.IntN(6) {
			model := map[int64]access.CollectionLevel{}
			for _, id := range ids {
				if level := access.CollectionLevel(r.IntN(3)); level != access.NoCollection {
					model[id], granted[id] = level, true
				}
			}
			built := (*access.Grants)(nil).With(model)
			read, err := access.ParseGrants(built.String())
			if err != nil || read.String() != built.String() {
				t.Fatalf("%q became %q, %v", built, read, err)
			}
			grants, models = append(grants, read, nil), append(models, model, nil)
		}
		table := access.NewTable(grants)
		if got := table.Groups(); !slices.Equal(got, slices.Sorted(maps.Keys(granted))) {
			t.Fatalf("groups %v, want %v", got, granted)
		}
		for _, id := range append(slices.Clone(ids), math.MaxInt64) {
			row := table.Row(id)
			for i, model := range models {
				if row[i] != model[id] || grants[i].Of(id) != model[id] {
					t.Fatalf("group %d in %q: %s and %s, want %s", id, grants[i], row[i], grants[i].Of(id), model[id])
				}
			}
		}
	}
}
