package matrix_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// keysGolden is the reviewed table of what keys of each kind get.
const keysGolden = "testdata/keys.golden"

// The columns of the table. All keys are of the group Administrators but
// personal, which is one of a person without rights.
const (
	colFull      = "full"
	colReadOnly  = "read-only"
	colScope     = "its scope"
	colOtherKind = "other scope"
	colOwn       = "bound to it"
	colElsewhere = "bound elsewhere: refused for"
	colField     = "its fields"
	colOther     = "other field"
	colPersonal  = "personal"
	colAdmins    = "admin's personal"
	colLimit     = "over limit"
	colJunk      = "junk"
	colExpired   = "expired"
	colDisabled  = "disabled"
	colRetired   = "retired"
	colAddress   = "address"
	colGone      = "deleted"
	colLeft      = "left"
)

func goodColumns() []string {
	return []string{colFull, colReadOnly, colScope, colOtherKind, colOwn, colElsewhere, colField, colOther, colPersonal, colAdmins, colLimit}
}

// badColumns are keys that must not be told from each other.
func badColumns() []string {
	return []string{colJunk, colExpired, colDisabled, colRetired, colAddress, colGone, colLeft}
}

const notApplicable = "-"

const keysHeader = `# Every route of both APIs by every kind of key. Made by go test ./test/matrix
# -update; review every change.
#
# Behind 403 and 429 stands the code in Latchkey-Reason; behind another error
# what routes.golden has. "-": the call names nothing, or its kind has no other
# field. "bound elsewhere" tries a key that is bound to a thing that the call is
# not about, once for each kind that keys can be bound to, and lists the kinds
# for which it was refused. Keys that never work stand in one column, because
# the test demands that they get the same: junk, expired, disabled, retired
# secret, wrong address, deleted, and personal of a deactivated person.
`

// TestKeys makes the table of keys and compares it with the reviewed one. What
// no table may change is demanded of every cell.
func TestKeys(t *testing.T) {
	w := newKeyWorld(t)
	api, _ := declared(w.world)
	recipes := callRecipes()
	head := append([]string{"METHOD", "PATH", "POLICY", "SCOPE"}, goodColumns()...)
	lines := [][]string{append(head, "never works")}
	for _, r := range api {
		rec, ok := recipes[r.String()]
		if !ok {
			t.Errorf("%s is declared, but has no recipe for a valid call", r)
			continue
		}
		cells := w.keyCells(r, rec)
		w.demand(r, cells)
		line := []string{r.method, r.path, r.who, r.scope}
		for _, name := range goodColumns() {
			line = append(line, cells[name])
		}
		lines = append(lines, append(line, cells[colJunk]))
	}
	got := keysHeader + "\n" + columned(lines)
	if *update && !t.Failed() {
		if err := os.WriteFile(keysGolden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(keysGolden)
	if err != nil {
		t.Fatalf("%v; make it with: go test ./test/matrix -update", err)
	}
	compare(t, string(want), got)
	noTrouble(t, w.world)
}

// keyCells makes all cells of a route.
func (w *keyWorld) keyCells(r route, rec recipe) map[string]string {
	cells := map[string]string{}
	for _, name := range goodColumns() {
		if name == colElsewhere {
			continue
		}
		k := w.adminKeyWith(nil)
		d := w.wish(r, rec, k.ID)
		restriction, ok := w.restriction(name, d)
		switch {
		case !ok:
			cells[name] = notApplicable
			continue
		case name == colPersonal:
			k = w.personalKeyOf(w.callers[plain])
		case name == colAdmins:
			k = w.personalKeyOf(w.callers[admin], 2)
		case restriction != nil:
			w.Admin(200, nil, "PUT", fmt.Sprintf("/v1/keys/%d/restriction", k.ID), restriction)
		}
		cells[name] = w.cell(name, d, k)
	}
	cells[colElsewhere] = w.elsewhereCell(r, rec, cells[colFull])
	w.badCells(r, rec, cells)
	return cells
}

// restriction returns what the key of a column is restricted to. It reports
// false when the column says nothing about the call.
func (w *keyWorld) restriction(column string, d wish) (body, bool) {
	switch column {
	case colReadOnly:
		return body{"read_only": true}, true
	case colScope:
		if open(d.kind) {
			return nil, false
		}
		return body{"scopes": append([]string{d.route.scope}, furtherScopes()[d.route.String()]...)}, true
	case colOtherKind:
		other := access.KindSettings
		if d.kind == other {
			other = access.KindPeople
		}
		return body{"scopes": []string{other + ":read", other + ":write"}}, true
	case colOwn:
		return body{"resources": d.resources}, len(d.resources) > 0
	case colField:
		known := !slices.ContainsFunc(d.writes, func(f string) bool { return !slices.Contains(w.fields[d.fieldKind()], f) })
		return body{"fields": body{d.fieldKind(): d.writes}}, known && len(d.writes) > 0
	case colOther:
		field, ok := w.otherField(d)
		return body{"fields": body{d.fieldKind(): []string{field}}}, ok
	case colLimit:
		return body{"rate_limit": body{"requests": 1, "seconds": 3600}}, true
	}
	return nil, true
}

// furtherScopes are those that a field needs without which there is no call.
func furtherScopes() map[string][]string {
	return map[string][]string{
		"POST /api/user":            {"passwords:write"},
		"PUT /api/collection/graph": {"groups:write"},
	}
}

// open reports whether the routes of a kind need no scope.
func open(kind string) bool {
	return slices.ContainsFunc(access.Kinds(), func(k access.ResourceKind) bool { return k.Name == kind && k.Open })
}

// cell makes a call with a key, after asking the server what it will do.
func (w *keyWorld) cell(column string, d wish, k newKey) string {
	if column == colLimit {
		w.Want(200, nil, "GET", "/v1/self", nil, "X-API-Key", k.Key)
	}
	said := w.explain(d.route, d.call, k.ID)
	a := w.send(d.route, d.call, principal{key: k.Key})
	cell := keyClass(a)
	if column == colLimit {
		w.demandLimit(d.route, a)
		return cell
	}
	w.demandExplained(column, d.route, said, a)
	return cell
}

// elsewhereCell lists the kinds for which a key that is bound to another thing
// is refused. Where it is not refused, it must not see what the call is about.
func (w *keyWorld) elsewhereCell(r route, rec recipe, full string) string {
	var refused []string
	k := w.adminKeyWith(nil)
	for _, kind := range slices.Sorted(maps.Keys(w.elsewhere)) {
		d := w.wish(r, rec, k.ID)
		k = w.adminKeyWith(body{"resources": body{kind: []string{w.elsewhere[kind]}}})
		said := w.explain(r, d.call, k.ID)
		a := w.send(r, d.call, principal{key: k.Key})
		w.demandExplained(colElsewhere+" "+kind, r, said, a)
		cell := keyClass(a)
		if cell == "403 resource" {
			refused = append(refused, kind)
			continue
		}
		if kind == access.KindCollections && ofContent(d.kind) {
			if w.decidedByCollection(d, a, cell, full) {
				refused = append(refused, kind)
			}
			continue
		}
		if said.Anonymous || r.who == access.Anyone.String() {
			continue
		}
		if slices.Contains(w.touched(d), kind) && ownAlone()[d.route.String()] != kind {
			w.t.Errorf("%s shows or changes %s, but a key that is bound to other %s got %q", r, kind, kind, cell)
		}
		if (cell == "403 group" || cell == "403 query-permission") && full != cell { // the domain refuses, as it does when a query is of another database
			refused = append(refused, kind)
			continue
		}
		if seen := traces[kind]; seen != nil && seen.MatchString(a.Body) {
			w.t.Errorf("%s shows %q to a key that is bound to other %s: %.300s", r, seen.FindString(a.Body), kind, a.Body)
		}
		if cell != full && !strings.HasPrefix(cell, "403 ") {
			w.t.Errorf("%s answers %q to a key that is bound to other %s, and %q to one that is not", r, cell, kind, full)
		}
	}
	if refused == nil {
		return "none"
	}
	return strings.Join(refused, " ")
}

// ofContent reports whether a key that is bound to collections may call routes
// of the kind, which then know only what lies in them.
func ofContent(kind string) bool { return slices.Contains(contentKinds(), kind) }

func contentKinds() []string {
	return []string{access.KindCollections, access.KindCards, access.KindDashboards, access.KindSnippets, access.KindTimelines}
}

// decidedByCollection wants a call to know nothing of what lies outside of the
// collection that a key is bound to. It reports whether the call is refused,
// which it must be when it names something there.
func (w *keyWorld) decidedByCollection(d wish, a apptest.Answer, cell, full string) bool {
	w.t.Helper()
	if seen := traces[access.KindCollections].FindString(a.Body); seen != "" {
		w.t.Errorf("%s shows %q to a key that is bound to another collection: %.300s", d.route, seen, a.Body)
	}
	if cell == "403 group" || cell == outside()[d.route.String()] {
		return true
	}
	named := slices.ContainsFunc(contentKinds(), func(kind string) bool { return len(d.resources[kind]) > 0 })
	if named && !slices.Contains(blind(), d.route.String()) {
		w.t.Errorf("%s names what lies outside of the collection that a key is bound to, and is answered %q", d.route, cell)
	}
	if cell != full {
		w.t.Errorf("%s answers %q to a key that is bound to another collection, and %q to one that is not", d.route, cell, full)
	}
	return false
}

// blind are routes that do not look at what they name: who takes away a bookmark
// takes away their own.
func blind() []string { return []string{"DELETE /api/bookmark/{model}/{id}"} }

// ownAlone are routes that show a key which is bound to some things of a kind
// what is about those alone, though the call names none.
func ownAlone() map[string]string {
	return map[string]string{"GET /api/collection/graph": access.KindGroups}
}

// outside are how routes refuse that do not find what lies elsewhere.
func outside() map[string]string {
	return map[string]string{"POST /api/collection/root/move-dashboard-question-candidates": "400 card_ids"}
}

// traces are what the victims of the calls are called.
var traces = map[string]*regexp.Regexp{
	access.KindPeople:    regexp.MustCompile(`person-\d+@example\.com`),
	access.KindGroups:    regexp.MustCompile(`"(renamed )?group \d+"`),
	access.KindKeys:      regexp.MustCompile(`"(renamed )?key \d+"`),
	access.KindDatabases: regexp.MustCompile(`Sample Database`),
	// What lies in the collection that a key is bound to, it may see.
	access.KindCollections: regexp.MustCompile(`"(collection|card|dashboard|timeline|snippet|event|shelf|hidden-from-all) \d+"`),
}

// badCells makes the cells of keys that do not work, which must look like each
// other to the caller.
func (w *keyWorld) badCells(r route, rec recipe, cells map[string]string) {
	var junk apptest.Answer
	for _, name := range badColumns() {
		a := w.send(r, rec.make(w.world, principal{}), principal{key: w.bad[name]})
		cells[name] = keyClass(a)
		if name == colJunk {
			junk = a
			continue
		}
		if cells[name] != cells[colJunk] || a.Status >= 400 && plainBody(a) != plainBody(junk) || headerNames(a) != headerNames(junk) {
			w.t.Errorf("%s tells a key that is %s from junk:\n%d %s %s\n%d %s %s", r, name,
				a.Status, headerNames(a), a.Body, junk.Status, headerNames(junk), junk.Body)
		}
	}
}

func headerNames(a apptest.Answer) string {
	return strings.Join(slices.Sorted(maps.Keys(a.Header)), " ")
}

// keyClass puts an answer to a key into a cell.
func keyClass(a apptest.Answer) string {
	if reason := a.Header.Get("Latchkey-Reason"); a.Status == http.StatusForbidden || a.Status == http.StatusTooManyRequests {
		return strings.TrimSpace(fmt.Sprint(a.Status, " ", reason))
	}
	return class(a, nil)
}

// demand holds what no golden file may change.
func (w *keyWorld) demand(r route, cells map[string]string) {
	w.t.Helper()
	refused := func(column string, want ...string) {
		if cell := cells[column]; !slices.Contains(want, cell) {
			w.t.Errorf("%s answers %q to a key that is %s, instead of %q", r, cell, column, want)
		}
	}
	public, self := r.who == access.Anyone.String(), strings.HasPrefix(r.scope, access.KindSelf+":")
	if !public && strings.HasSuffix(r.scope, ":write") {
		refused(colReadOnly, "403 read-only")
	}
	if !public && !self {
		refused(colOtherKind, "403 scope")
	}
	if !public {
		refused(colJunk, "401")
	}
	if r.who == access.Admins.String() {
		refused(colPersonal, "403 group")
		refused(colAdmins, cells[colFull])
	}
	if !public && strings.HasSuffix(r.scope, ":read") {
		refused(colReadOnly, cells[colFull])
		refused(colField, cells[colFull], notApplicable)
		refused(colOther, cells[colFull], notApplicable)
	}
	if cells[colScope] != notApplicable && !public {
		refused(colScope, cells[colFull], "403 wider-than-caller", "403 protected-admin")
	}
	own := []string{cells[colFull], notApplicable, "403 wider-than-caller"}
	if slices.Contains(bringsIn(), r.String()) {
		own = append(own, "403 resource")
	}
	refused(colOwn, own...)
	refused(colField, cells[colFull], notApplicable, "403 wider-than-caller")
	for column, cell := range cells {
		if strings.HasPrefix(cell, "5") || slices.Contains(goodColumns(), column) && (cell == "403" || cell == "429") {
			w.t.Errorf("%s answers %q to a key that is %s", r, cell, column)
		}
	}
}

// demandLimit wants a key that is over its limit to be told so.
func (w *keyWorld) demandLimit(r route, a apptest.Answer) {
	w.t.Helper()
	if strings.HasPrefix(r.scope, access.KindHealth+":") {
		return // answered before anybody asks who calls
	}
	if a.Status != http.StatusTooManyRequests || a.Header.Get("Latchkey-Reason") != access.CodeRateLimit {
		w.t.Errorf("%s answers %d %q to a key that is over its limit", r, a.Status, a.Header.Get("Latchkey-Reason"))
	}
	for name, want := range map[string]string{
		"Retry-After":      `^\d+$`,
		"Ratelimit":        `^"rate-limit";r=0;t=\d+$`,
		"Ratelimit-Policy": `^"rate-limit";q=1;w=3600$`,
	} {
		if got := a.Header.Get(name); !regexp.MustCompile(want).MatchString(got) {
			w.t.Errorf("%s: a key that is over its limit gets %s: %q", r, name, got)
		}
	}
}

// demandExplained wants the server to do what it said it would.
func (w *keyWorld) demandExplained(column string, r route, said explanation, a apptest.Answer) {
	w.t.Helper()
	reason := ""
	if a.Status == http.StatusForbidden || a.Status == http.StatusTooManyRequests {
		reason = a.Header.Get("Latchkey-Reason")
	}
	same := said.Code == reason
	if said.Allowed { // what the domain refuses is not known beforehand
		same = a.Status != http.StatusUnauthorized && (!slices.Contains(decided(), reason) || slices.Contains(undecided(), r.String()))
		same = same || reason == access.CodeGroup && lateGroup(r)
	}
	if !same && !said.Anonymous {
		w.t.Errorf("%s by a key that is %s: /v1/explain says %+v, and the answer is %d %q %.200s", r, column, said, a.Status, reason, a.Body)
	}
}

// lateGroup reports whether it is only in the domain that a call turns out to be
// for other groups: collections say who may do what in them.
func lateGroup(r route) bool {
	scope, _, _ := strings.Cut(r.scope, ":")
	return ofContent(scope) && r.who != access.Admins.String()
}

// bringsIn are routes that bring something into a collection that they name. A
// key that is bound to that collection does not reach what still lies elsewhere.
func bringsIn() []string { return []string{"POST /api/card/collections", "POST /api/cards/move"} }

// decided are the codes that are known before the domain is asked.
func decided() []string {
	return []string{
		access.CodeGroup, access.CodeReadOnly, access.CodeScope, access.CodeRoute, access.CodeResource, access.CodeField,
		access.CodeAddress, access.CodeHours, access.CodeUnreadable,
	}
}

// undecided are routes that let every caller in and leave it to the domain to
// ask for a group: everybody may leave a group, and ask about keys of their own,
// and what is done in bulk is decided one by one.
func undecided() []string {
	return []string{"DELETE /api/permissions/membership/{id}", "POST /v1/explain", "POST /v1/bulk"}
}
