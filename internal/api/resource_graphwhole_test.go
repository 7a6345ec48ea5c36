package api_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/db"
)

// TestWholeGraph compares graphs that are larger than what is written at once
// with those of a plain writer, byte by byte, packed and not.
func TestWholeGraph(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		r := rand.New(rand.NewPCG(3, 5))
		places := []int64{access.RootCollection}
		for i := range 260 {
			places = append(places, in.addFolder(t, fmt.Sprint("Place ", i), access.RootCollection).ID)
		}
		groups := []int64{access.AllUsers, access.Administrators}
		for i := range 120 {
			g, err := in.groups.Create(t.Context(), access.CommandLine(), fmt.Sprint("Group ", i))
			if err != nil {
				t.Fatal(err)
			}
			if i%4 > 0 { // the others never had a grant, or are gone
				groups = append(groups, g.ID)
			}
		}
		for _, density := range []int{0, 1, 50, 100} {
			levels := in.setRandomGrants(t, r, groups, places, density)
			revision := in.graphRevision(t)
			want := plainGraph(revision, groups, places, levels)
			for _, encoding := range []string{"identity", "gzip"} {
				if got := in.wholeGraph(t, encoding); got != want {
					t.Fatalf("%d of 100 grants, %s: %d bytes, want %d", density, encoding, len(got), len(want))
				}
			}
		}
	})
}

// setRandomGrants writes grants as they are stored, and some of a group that is
// gone.
func (in *instance) setRandomGrants(t *testing.T, r *rand.Rand, groups, places []int64, density int) map[[2]int64]string {
	t.Helper()
	out := map[[2]int64]string{}
	err := in.db.InTx(t.Context(), func(ctx context.Context) error {
		for _, place := range places {
			var stored []string
			for _, group := range groups {
				if group == access.Administrators {
					out[[2]int64{group, place}] = "write"
				} else if r.IntN(100) < density {
					letter, word := []string{"r", "c"}, []string{"read", "write"}
					n := r.IntN(2)
					stored = append(stored, fmt.Sprint(group, letter[n]))
					out[[2]int64{group, place}] = word[n]
				}
			}
			q, of := "UPDATE collection SET grants = ?2 WHERE id = ?1", any(place)
			if place == access.RootCollection {
				q, of = "UPDATE collection_root SET grants = ?2 WHERE namespace = ?1", ""
			}
			if _, err := in.db.Exec(ctx, q, of, strings.Join(append(stored, "123456r"), " ")); err != nil {
				return err
			}
			if err := in.db.Record(ctx, db.ChangedGrants, place); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (in *instance) graphRevision(t *testing.T) int64 {
	t.Helper()
	n, err := db.One(t.Context(), in.db, db.Scalar[int64], "SELECT revision FROM collection_root WHERE namespace = ''")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// plainGraph writes a graph the simple way.
func plainGraph(revision int64, groups, places []int64, levels map[[2]int64]string) string {
	var rows []string
	for _, group := range groups {
		var cells []string
		for _, place := range places {
			key := fmt.Sprint(place)
			if place == access.RootCollection {
				key = "root"
			}
			if word := levels[[2]int64{group, place}]; word != "" {
				cells = append(cells, fmt.Sprintf("%q:%q", key, word))
			}
		}
		if len(cells) > 0 {
			rows = append(rows, fmt.Sprintf(`"%d":{%s}`, group, strings.Join(cells, ",")))
		}
	}
	return fmt.Sprintf(`{"revision":%d,"groups":{%s}}`, revision, strings.Join(rows, ","))
}

// wholeGraph returns the graph as the key of Administrators gets it.
func (in *instance) wholeGraph(t *testing.T, encoding string) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), "GET", "/api/collection/graph", nil)
	req.Header.Set("X-API-Key", in.callers["root"][1])
	req.Header.Set("Accept-Encoding", encoding)
	rec := httptest.NewRecorder()
	in.api.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	if encoding != "gzip" {
		return rec.Body.String()
	}
	z, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
