package sample_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/secret"
	"latchkey/internal/warehouse/sample"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	began := time.Now()
	if err := sample.Write(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	t.Logf("took %s", time.Since(began))
	if err := sample.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	one, _ := os.ReadFile(a)
	two, _ := os.ReadFile(b)
	if !bytes.Equal(one, two) {
		t.Error("two machines would have different samples")
	}
	t.Logf("%d bytes", len(one))
	d, err := sqlite.Driver{Dirs: []string{dir}}.Open(engine.Details{"db": secret.New(a)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	for q, want := range map[string]int64{
		"SELECT count(*) FROM ORDERS": sample.Orders,
		"SELECT count(*) FROM PEOPLE": sample.People,
		"SELECT count(DISTINCT EMAIL) FROM PEOPLE WHERE EMAIL LIKE '%@example.com'":                               sample.People,
		"SELECT count(*) FROM PRODUCTS WHERE PRICE > 0":                                                           sample.Products,
		"SELECT count(*) FROM REVIEWS WHERE RATING BETWEEN 1 AND 5":                                               sample.Reviews,
		"SELECT count(*) FROM ORDERS o JOIN PEOPLE p ON p.ID = o.USER_ID WHERE o.CREATED_AT < date(p.CREATED_AT)": 0,
		"SELECT count(DISTINCT CATEGORY) FROM PRODUCTS":                                                           4,
		"SELECT count(*) FROM ORDERS WHERE abs(TOTAL - SUBTOTAL - TAX + coalesce(DISCOUNT, 0)) > 0.011":           0,
	} {
		rows, err := d.Query(t.Context(), engine.Statement{SQL: q})
		if err != nil {
			t.Fatal(err)
		}
		row, err := rows.Next()
		if err != nil || row[0] != want {
			t.Errorf("%s: %v, %v", q, row, err)
		}
		_ = rows.Close()
	}
}
