package matrix_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/web"
)

var update = flag.Bool("update", false, "write the golden tables in testdata anew")

// route is one declared route.
type route struct {
	method, path string
	who          string // the callers of its policy
	scope        string // of its policy; "" for pages
	page         bool
}

func (r route) String() string { return r.method + " " + r.path }

// declared returns the routes of both APIs as the running server declares
// them, in the order of their paths, and those of the pages.
func declared(w *world) (api, pages []route) {
	w.t.Helper()
	for _, place := range []string{"/api/docs/openapi.json", "/v1/openapi.json"} {
		var doc struct {
			Paths map[string]map[string]struct {
				Policy struct{ Who, Scope string } `json:"x-latchkey-policy"`
			}
		}
		w.Want(200, &doc, "GET", place, nil)
		for path, methods := range doc.Paths {
			for method, op := range methods {
				api = append(api, route{method: strings.ToUpper(method), path: path, who: op.Policy.Who, scope: op.Policy.Scope})
			}
		}
	}
	rank := func(m string) int { return slices.Index([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, m) }
	slices.SortFunc(api, func(a, b route) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		return rank(a.method) - rank(b.method)
	})
	for _, d := range web.Routes() {
		pages = append(pages, route{method: d.Method, path: d.Path, who: d.Policy.Who.String(), page: true})
	}
	return api, pages
}

// row is a route with what each caller got.
type row struct {
	route
	cells map[string]string
}

// TestMatrix makes the table and compares it with the one that was reviewed.
// The pages call the same domain functions as the API, so PostgreSQL is asked
// for the API only.
func TestMatrix(t *testing.T) {
	t.Run(string(dbtest.SQLite), func(t *testing.T) {
		after, first := newWorld(t, dbtest.SQLite), freshWorld(t, dbtest.SQLite)
		api, pages := declared(after)
		got := header() +
			render("The API", fill(t, dbtest.SQLite, after, first, api, callRecipes())) +
			render("The pages", fill(t, dbtest.SQLite, after, first, pages, allPageRecipes()))
		if *update && !t.Failed() {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, readGolden(t), got)
		noTrouble(t, after, first)
	})
	t.Run(string(dbtest.PostgreSQL), func(t *testing.T) {
		after, first := newWorld(t, dbtest.PostgreSQL), freshWorld(t, dbtest.PostgreSQL)
		api, _ := declared(after)
		want, _, _ := strings.Cut(readGolden(t), "\n## The pages")
		compare(t, want, header()+render("The API", fill(t, dbtest.PostgreSQL, after, first, api, callRecipes())))
		noTrouble(t, after, first)
	})
}

func header() string {
	return `# Every route by every kind of caller: what a valid call on somebody else's
# object is answered. Made by go test ./test/matrix -update; review every change.
#
# A status stands for its usual body: 401 Unauthenticated, 403 the text about
# permissions, 404 Not found; under /v1 a problem with the code unauthenticated,
# group or not-found. Behind it, where it matters: where a redirect leads, the
# field of an error, the beginning of another text, the code of a problem, what
# is told.
#
# The owner of an object is tested apart (TestSelf), and so is that a foreign
# object looks like a missing one (TestForeignLooksMissing).
`
}

// fill makes all cells of the routes.
func fill(t *testing.T, kind dbtest.Kind, after, first *world, routes []route, recipes map[string]recipe) []row {
	t.Helper()
	var rows []row
	for _, r := range routes {
		rec, ok := recipes[r.String()]
		if !ok {
			t.Errorf("%s is declared, but has no recipe for a valid call: add one to recipe_test.go or recipe_v1_test.go", r)
			continue
		}
		delete(recipes, r.String())
		rw := row{route: r, cells: map[string]string{}}
		for _, name := range columns() {
			w := after
			if name == before {
				if w = first; rec.once {
					w = freshWorld(t, kind)
				}
			}
			p := w.callers[name]
			if rec.spends {
				p = w.again(p)
			}
			rw.cells[name] = class(w.send(r, rec.make(w, p), p), rec.tells)
			if rec.spends {
				w.callers[name] = w.again(p) // other sessions may have ended too
			}
		}
		check(t, rw)
		rows = append(rows, rw)
	}
	for name := range recipes {
		t.Errorf("there is a recipe for %s, but no such route is declared", name)
	}
	return rows
}

// check holds what no golden file may change.
func check(t *testing.T, r row) {
	t.Helper()
	stranger := "401"
	if r.page {
		stranger = "303 /auth/login"
	}
	for name, cell := range r.cells {
		refuse := func(want string) {
			if cell != want {
				t.Errorf("%s is for %s, but %s got %q instead of %q", r, r.who, name, cell, want)
			}
		}
		closed := r.who != access.Anyone.String()
		switch {
		case strings.HasPrefix(cell, "5"):
			t.Errorf("%s answers %q to %s", r, cell, name)
		case r.page && name == before && r.path != "/setup":
			refuse("303 /setup")
		case closed && slices.Contains([]string{anonymous, deleted, disabled, before}, name):
			refuse(stranger)
		case closed && r.page && slices.Contains([]string{plainKey, adminKey}, name):
			refuse(stranger) // a key never opens a page
		case r.who == access.Admins.String() && (name == plain || name == plainKey):
			refuse("403")
		}
	}
	same(t, r, deleted, anonymous)
	same(t, r, disabled, anonymous)
	if r.page {
		same(t, r, plainKey, anonymous)
		same(t, r, adminKey, anonymous)
	}
}

// same makes sure that two callers get the same answer.
func same(t *testing.T, r row, a, b string) {
	t.Helper()
	if r.cells[a] != r.cells[b] {
		t.Errorf("%s tells %s (%q) from %s (%q)", r, a, r.cells[a], b, r.cells[b])
	}
}

// noTrouble makes sure that nothing failed inside, whatever the answers say.
func noTrouble(t *testing.T, worlds ...*world) {
	t.Helper()
	for _, w := range worlds {
		for line := range strings.Lines(w.Log()) {
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
				t.Errorf("the server logged: %s", line)
			}
		}
	}
}

// class puts an answer into a cell.
func class(a apptest.Answer, tells func(apptest.Answer) string) string {
	cell := fmt.Sprint(a.Status)
	switch {
	case a.Status < 300:
		if tells != nil {
			cell += " " + tells(a)
		}
		return cell
	case a.Status < 400:
		to, err := url.Parse(a.Header.Get("Location"))
		if err != nil {
			return cell + " " + err.Error()
		}
		return cell + " " + numbers.ReplaceAllString(to.Path, "/{id}")
	case strings.HasPrefix(a.Header.Get("Content-Type"), "text/html"):
		return cell // a page says it with more words
	}
	usual := map[int]string{401: "Unauthenticated", 403: "You don't have permissions to do that.", 404: "Not found."}
	if a.Body == usual[a.Status] {
		return cell
	}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
		return cell + problem(a)
	}
	var parsed struct {
		Errors map[string]any
		Status string
	}
	if json.Unmarshal([]byte(a.Body), &parsed) == nil {
		if parsed.Status != "" {
			return cell
		}
		for field := range parsed.Errors {
			cell += " " + field
		}
		return cell
	}
	words := strings.Fields(a.Body)
	return cell + " " + strings.Join(words[:min(len(words), 2)], " ")
}

// problem returns what a problem says beside its status: a code that is not
// the usual one, and the fields that are wrong.
func problem(a apptest.Answer) string {
	var p struct {
		Code   string
		Errors []struct{ Field string }
	}
	if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
		return " " + err.Error()
	}
	out := ""
	if usual := map[int]string{400: "invalid", 401: "unauthenticated", 403: "group", 404: "not-found"}; p.Code != usual[a.Status] {
		out = " " + p.Code
	}
	for _, e := range p.Errors {
		out += " " + e.Field
	}
	return out
}

// properties says how much of the settings a caller sees.
func properties(a apptest.Answer) string {
	var p map[string]any
	if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
		return err.Error()
	}
	_, all := p["api-key-prefix"]
	_, some := p["admin-email"]
	_, token := p["setup-token"]
	switch {
	case token:
		return "and the token"
	case all:
		return "all"
	case some:
		return "signed-in"
	}
	return "public"
}

func valid(a apptest.Answer) string {
	if strings.Contains(a.Body, "true") {
		return "yes"
	}
	return "no"
}

// render writes a part of the table in columns.
func render(title string, rows []row) string {
	lines := [][]string{append([]string{"METHOD", "PATH", "POLICY"}, columns()...)}
	for _, r := range rows {
		line := []string{r.method, r.path, r.who}
		for _, name := range columns() {
			line = append(line, r.cells[name])
		}
		lines = append(lines, line)
	}
	return "\n## " + title + "\n\n" + columned(lines)
}

// columned writes lines of cells in columns.
func columned(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var l strings.Builder
		for i, cell := range line {
			fmt.Fprintf(&l, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}

// compare shows the lines that differ.
func compare(t *testing.T, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	old, now := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range old {
		if !slices.Contains(now, line) {
			t.Errorf("was:  %s", line)
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			t.Errorf("is:   %s", line)
		}
	}
	t.Error("the golden table is not what the server answers; if the change is right: go test ./test/matrix -update")
}

// sendForm sends a form as a browser does.
func (w *world) sendForm(method, path string, form url.Values, headers []string) apptest.Answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", w.URL)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return apptest.Answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}
}
