package guard_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
)

// resident returns the memory of the program, in MiB.
func (w *world) resident() int {
	w.t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.PID()))
	if err != nil {
		w.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		w.t.Fatal(err)
	}
	return kb >> 10
}

// TestQueriesTakeNoMoreThanThereIs: queries that ask for gigabytes fail, the
// server stays small and answers others meanwhile.
func TestQueriesTakeNoMoreThanThereIs(t *testing.T) {
	const most = 900 // MiB, of a program that bounds what queries take
	w := newWorld(t, dbtest.SQLite)
	large := "WITH x AS (SELECT hex(zeroblob(1900000)) AS a) SELECT "
	for i, sql := range []string{
		large + strings.TrimSuffix(strings.Repeat("a || 'x',", 1500), ",") + " FROM x",
		"SELECT " + strings.TrimSuffix(strings.Repeat("printf('%4000000d', 1),", 50), ","),
		"WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200) SELECT json_group_array(hex(zeroblob(1900000))) FROM n",
	} {
		a := w.as("bo", "POST", "/api/dataset", native(sql))
		if a.Status != 400 || !strings.Contains(a.Body, `"status":"failed"`) {
			t.Errorf("%d: %d %.200s", i, a.Status, a.Body)
		}
		w.ok(200, "ada", "GET", "/api/user/current", "")
	}
	if got := w.resident(); got > most {
		t.Errorf("the program took %d MiB, want at most %d", got, most)
	}
	w.make("a", "ada", "POST", "/api/native-query-snippet", `{"name":"s0","content":"[[{{x}}]]"}`)
	for i := range 15 {
		w.make("a", "ada", "POST", "/api/native-query-snippet", fmt.Sprintf(`{"name":"s%d","content":"%s"}`, i+1, strings.Repeat(fmt.Sprintf("{{snippet: s%d}}", i), 20)))
	}
	began := time.Now()
	if a := w.as("bo", "POST", "/api/dataset", native("SELECT 1 {{snippet: s15}}")); a.Status != 400 || time.Since(began) > 5*time.Second {
		t.Errorf("%d after %s: %s", a.Status, time.Since(began), a.Body)
	}
}

// TestViewsOutliveAStop: what was looked at is in memory for some seconds, and
// written when the program is told to stop.
func TestViewsOutliveAStop(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.make("seen", "ada", "POST", "/api/card", card("seen", "SELECT 1", "{open}"))
		w.ok(200, "bo", "GET", "/api/card/{seen}", "")
		w.ok(200, "bo", "GET", "/api/card/{seen}", "")
		if code := w.Stop(); code != 0 {
			t.Fatalf("stopped with %d:\n%s", code, w.Log())
		}
		var views, recent int
		if err := w.Database().QueryRowContext(t.Context(), "SELECT view_count FROM item WHERE kind = 'card' AND name = 'seen'").Scan(&views); err != nil {
			t.Fatal(err)
		}
		if err := w.Database().QueryRowContext(t.Context(), "SELECT count(*) FROM recent r JOIN item i ON i.no = r.item WHERE i.name = 'seen' AND r.context = 'view'").Scan(&recent); err != nil {
			t.Fatal(err)
		}
		if views != 2 || recent != 1 {
			t.Errorf("%d views, %d recent", views, recent)
		}
	})
}
