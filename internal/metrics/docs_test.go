package metrics_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/metrics"
)

const docs = "../../docs/"

// table is what a scrape shows of ours, as the documentation has it.
func table(f families) string {
	b := "| metric | type | labels | what it says |\n|---|---|---|---|\n"
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !strings.HasPrefix(name, "latchkey_") {
			continue
		}
		var labels []string
		for _, l := range f[name].Metric[0].Label {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		b += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, strings.ToLower(f[name].GetType().String()), strings.Join(labels, ", "), f[name].GetHelp())
	}
	return b
}

// The table in docs is what a scrape shows. UPDATE_DOCS=1 writes it anew.
func TestTableInDocs(t *testing.T) {
	const path, begin, end = docs + "metrics.md", "<!-- metrics: made by the test in internal/metrics -->\n", "<!-- /metrics -->"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost its marks %s and %s", path, begin, end)
	}
	want := head + begin + table(scrape(t, metrics.New(full()))) + end + tail
	if want == string(b) {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s does not hold the metrics; run: UPDATE_DOCS=1 go test ./internal/metrics", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// unknown returns the metrics that a text names and a scrape does not show.
// Prometheus stores a histogram as series of three names.
func unknown(f families, text string) []string {
	var out []string
	for _, name := range regexp.MustCompile(`\b(latchkey|go|process)_[a-z_]+[a-z]\b`).FindAllString(text, -1) {
		plain := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if f[name] == nil && f[plain].GetType().String() != "HISTOGRAM" {
			out = append(out, name)
		}
	}
	return out
}

func TestUnknown(t *testing.T) {
	f := scrape(t, metrics.New(full()))
	got := unknown(f, `latchkey_keys latchkey_key latchkey_keys_bucket latchkey_key_check_seconds_bucket{le="1"} go_goroutines go_routines`)
	if want := []string{"latchkey_key", "latchkey_keys_bucket", "go_routines"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAlertsNameMetrics(t *testing.T) {
	b, err := os.ReadFile(docs + "metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^ +expr: .*$`).FindAllString(string(b), -1)
	if len(rules) < 5 {
		t.Errorf("the page has %d rules", len(rules))
	}
	if bad := unknown(scrape(t, metrics.New(full())), string(b)); len(bad) > 0 {
		t.Errorf("the page names metrics that do not exist: %v", bad)
	}
}

// panel is what the tests look at of a panel of the dashboard.
type panel struct {
	ID         int
	Type       string
	Title      string
	GridPos    struct{ X, Y, W, H int }
	Datasource struct{ UID string }
	Targets    []struct {
		Expr       string
		Datasource struct{ UID string }
	}
}

func TestDashboard(t *testing.T) {
	b, err := os.ReadFile(docs + "grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title, UID    string
		SchemaVersion int
		Panels        []panel
		Templating    struct {
			List []struct{ Name, Type, Query any }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if d.Title != "Latchkey" || d.UID == "" || d.SchemaVersion < 39 {
		t.Errorf("title %q, uid %q, schema %d", d.Title, d.UID, d.SchemaVersion)
	}
	if v := d.Templating.List[0]; v.Name != "datasource" || v.Type != "datasource" || v.Query != "prometheus" {
		t.Errorf("the data source cannot be chosen: %v", v)
	}
	f := scrape(t, metrics.New(full()))
	var shown strings.Builder
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q has no title, or an id that is taken", p.ID, p.Title)
		}
		ids[p.ID] = true
		p.fit(t, cells)
		p.queries(t, f, &shown)
	}
	for name := range f {
		if strings.HasPrefix(name, "latchkey_") && !strings.Contains(shown.String(), name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// fit demands that a panel lies over no other and within the width.
func (p panel) fit(t *testing.T, cells map[[2]int]string) {
	t.Helper()
	g := p.GridPos
	if g.W < 1 || g.H < 1 || g.X+g.W > 24 {
		t.Errorf("%s: does not fit: %+v", p.Title, g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if other := cells[[2]int{x, y}]; other != "" {
				t.Errorf("%s lies over %s", p.Title, other)
				return
			}
			cells[[2]int{x, y}] = p.Title
		}
	}
}

// queries demands that a panel asks for metrics that exist, and adds them.
func (p panel) queries(t *testing.T, f families, shown *strings.Builder) {
	t.Helper()
	if p.Type == "row" {
		return
	}
	if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("%s: data source %q, %d queries", p.Title, p.Datasource.UID, len(p.Targets))
	}
	for _, q := range p.Targets {
		if bad := unknown(f, q.Expr); q.Datasource.UID != "${datasource}" || !strings.Contains(q.Expr, `instance=~"$instance"`) || len(bad) > 0 {
			t.Errorf("%s: %s asks %q for %v, which do not exist, or not the node that was chosen", p.Title, q.Expr, q.Datasource.UID, bad)
		}
		shown.WriteString(q.Expr + "\n")
	}
}
