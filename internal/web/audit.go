package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/audit"
	"latchkey/internal/fault"
)

const (
	pathAudit       = "/admin/audit"
	pathAuditExport = pathAudit + "/export"
	pathAuditKey    = pathAudit + "/key"
)

func auditRoutes() []route {
	read, keys := access.Admin(access.KindAudit, access.Read), access.Admin(access.KindKeys, access.Read)
	return []route{
		{http.MethodGet, pathAudit, read, (*page).showAudit},
		{http.MethodGet, pathAuditExport, read, (*page).exportAudit},
		{http.MethodGet, pathAudit + "/{id}", read, (*page).showAuditEntry},
		{http.MethodPost, pathAuditKey, keys, (*page).findPastedKey},
	}
}

// auditBody is the audit log.
type auditBody struct {
	Form     *form // the filters
	Filtered bool
	Key      *apikey.Key // whose entries are shown
	About    string      // the person or object whose entries are shown, for a chip
	Rows     []auditRow
	Found    string // how many entries the filters choose
	Older    string // addresses, "" for none
	Newer    string
	Export   string
	Without  string // the address without the key or object
	State    auditState
	Paste    *form
}

// auditState is what one notes about the whole log.
type auditState struct {
	Entries int64
	Head    audit.Head
	Since   time.Time // of the oldest entry
	Keep    string    // how long entries are kept, "" for ever
}

// auditFields are the filters that the address bears.
var auditFields = []string{"q", "who", "user", "key", "action", "kind", "id", "from", "to"}

// auditQuery is what the address asks of the log.
type auditQuery struct {
	form   *form
	filter audit.Filter
}

// readAuditQuery reads the filters. What cannot be read is an error at its
// field, and filters nothing.
func (p *page) readAuditQuery() auditQuery {
	q := p.r.URL.Query()
	f := newForm()
	for _, name := range auditFields {
		if v := q.Get(name); v != "" {
			f.Values.Set(name, v)
		}
	}
	f.Errors = map[string]string{}
	a := auditQuery{form: f, filter: audit.Filter{
		ActorKind: f.Get("who"), Action: f.Get("action"), ObjectKind: f.Get("kind"), Query: f.text("q"),
		ActorID: f.id("user"), ObjectID: f.id("id"), KeyID: f.id("key"),
	}}
	if f.text("key") != "" && a.filter.KeyID == 0 {
		f.Errors["key"] = "A key's number is a whole number from 1 up."
	}
	a.filter.From = a.day("from")
	if a.filter.To = a.day("to"); !a.filter.To.IsZero() {
		a.filter.To = a.filter.To.Add(day)
	}
	if !a.filter.From.IsZero() && !a.filter.To.IsZero() && !a.filter.From.Before(a.filter.To) {
		f.Errors["to"] = "This day is before the first one."
	}
	return a
}

func (a auditQuery) day(name string) time.Time {
	text := a.form.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := dayOf(text)
	if err != nil {
		a.form.Errors[name] = "Choose a date, such as 2026-11-22."
	}
	return t
}

// address returns a path with the filters, and one more parameter when it has
// a value.
func (a auditQuery) address(path, name, value string) string {
	q := maps.Clone(a.form.Values)
	if value != "" {
		q.Set(name, value)
	} else {
		q.Del(name)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// auditBody reads the log as the address says.
func (p *page) auditBody() (auditBody, error) {
	a := p.readAuditQuery()
	b := auditBody{
		Form: a.form, Paste: newForm(), Filtered: len(a.form.Values) > 0,
		Export: a.address(pathAuditExport, "", ""),
	}
	if err := p.auditRows(&b, a); err != nil {
		return b, err
	}
	if err := p.auditAbout(&b, a); err != nil {
		return b, err
	}
	n, err := p.site.Audit.Count(p.ctx(), a.filter)
	if err != nil {
		return b, err
	}
	b.Found = plural(n, "entry", "entries")
	if n >= audit.MaxCount {
		b.Found = number(audit.MaxCount) + " entries or more"
	}
	b.State, err = p.auditState()
	return b, err
}

// auditRows reads a page of entries: those before an id, or the nearest after
// one, and always the newest first.
func (p *page) auditRows(b *auditBody, a auditQuery) error {
	q := p.r.URL.Query()
	before, _ := positive(q.Get("before"))
	after, _ := positive(q.Get("after"))
	f := a.filter
	f.Limit = pageSize + 1
	if after > 0 {
		f.After = after
		newer, err := p.site.Audit.List(p.ctx(), f)
		if err != nil {
			return err
		}
		if len(newer) > pageSize {
			newer = newer[:pageSize]
			slices.Reverse(newer)
			b.place(newer, a, true, true)
			return nil
		}
		f.After = 0 // this is the first page
	}
	f.Newest, f.Before = true, before
	found, err := p.site.Audit.List(p.ctx(), f)
	if err != nil {
		return err
	}
	b.place(found[:min(pageSize, len(found))], a, before > 0 && after == 0, len(found) > pageSize)
	return nil
}

// place puts entries on the page, with the ways to the pages beside it.
func (b *auditBody) place(list []audit.Record, a auditQuery, newer, older bool) {
	here := "" // what leads back to this page of the list
	if newer && len(list) > 0 {
		here = idText(list[0].ID + 1)
	}
	for _, r := range list {
		row := newAuditRow(r)
		row.To = a.address(pathAudit+"/"+idText(r.ID), "before", here)
		b.Rows = append(b.Rows, row)
	}
	if len(list) == 0 {
		if newer {
			b.Newer = a.address(pathAudit, "", "")
		}
		return
	}
	if newer {
		b.Newer = a.address(pathAudit, "after", idText(list[0].ID))
	}
	if older {
		b.Older = a.address(pathAudit, "before", idText(list[len(list)-1].ID))
	}
}

// auditAbout names the key, the person or the object whose entries are shown.
func (p *page) auditAbout(b *auditBody, a auditQuery) error {
	if a.filter.KeyID != 0 {
		k, err := p.site.Keys.GetAny(p.ctx(), p.who, a.filter.KeyID)
		if err == nil {
			b.Key = &k
		}
		b.Without = a.address(pathAudit, "key", "")
		if fault.Is(err, fault.NotFound) {
			b.Form.Errors["key"] = "There never was a key with this number."
			return nil
		}
		return err
	}
	var name string
	if len(b.Rows) > 0 {
		name = b.Rows[0].Object
	}
	switch {
	case a.filter.ObjectID != 0 && a.filter.ObjectKind != "":
		b.About, b.Without = kindWord(a.filter.ObjectKind)+" "+name, a.address(pathAudit, "id", "")
	case a.filter.ActorID != 0 && len(b.Rows) > 0:
		b.About, b.Without = "by "+b.Rows[0].Who, a.address(pathAudit, "user", "")
	case a.filter.ActorID != 0:
		b.About, b.Without = "by one person", a.address(pathAudit, "user", "")
	}
	return nil
}

// auditState reads what holds for the whole log. Ids have no gaps, so the
// first and the last say how many there are.
func (p *page) auditState() (auditState, error) {
	var s auditState
	var err error
	if s.Head, err = p.site.Audit.Head(p.ctx()); err != nil {
		return s, err
	}
	oldest, err := p.site.Audit.List(p.ctx(), audit.Filter{Limit: 1})
	if err == nil && len(oldest) > 0 {
		s.Entries, s.Since = s.Head.ID-oldest[0].ID+1, oldest[0].At
	}
	if keep := p.site.Settings.AuditRetention(); keep > 0 {
		s.Keep = inWords(keep)
	}
	return s, err
}

func (p *page) showAudit() error {
	b, err := p.auditBody()
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(b.Form.Errors) > 0 {
		status = http.StatusBadRequest
	}
	return p.answer(status, "audit", "Audit log", b, nil)
}

// exportAudit streams the entries that the filters choose, the oldest first.
func (p *page) exportAudit() error {
	a := p.readAuditQuery()
	if len(a.form.Errors) > 0 {
		return p.redirect(a.address(pathAudit, "", ""))
	}
	p.w.Header().Set("Content-Type", "application/x-ndjson")
	p.w.Header().Set("Content-Disposition", `attachment; filename="audit.ndjson"`)
	out := &counted{w: p.w}
	err := p.site.Audit.Export(p.ctx(), a.filter, out)
	if err == nil {
		return nil
	}
	if out.n == 0 {
		p.w.Header().Del("Content-Disposition")
		return err
	}
	p.report(err)
	panic(http.ErrAbortHandler) // nobody may take the part for all
}

// counted knows whether something was written.
type counted struct {
	w http.ResponseWriter
	n int
}

// Write implements io.Writer.
func (c *counted) Write(b []byte) (int, error) {
	c.n += len(b)
	return c.w.Write(b)
}

// Choices of a filter, with the one that is chosen among them.
type choice struct {
	Value, Label string
	Chosen       bool
}

// choiceGroup is choices under a heading.
type choiceGroup struct {
	Label   string
	Choices []choice
}

// Actors returns the choices of who did it.
func (b auditBody) Actors() []choice {
	return choices(b.Form.Get("who"), actorKinds, actorWord)
}

// Kinds returns the choices of what it was done to.
func (b auditBody) Kinds() []choice {
	return choices(b.Form.Get("kind"), objectKinds, kindWord)
}

func choices(chosen string, values []string, word func(string) string) []choice {
	var out []choice
	if chosen != "" && !slices.Contains(values, chosen) {
		values = append([]string{chosen}, values...)
	}
	for _, v := range values {
		out = append(out, choice{v, word(v), v == chosen})
	}
	return out
}

// Actions returns the choices of what was done, by area.
func (b auditBody) Actions() []choiceGroup {
	chosen := b.Form.Get("action")
	known := false
	var out []choiceGroup
	for _, area := range actionAreas {
		g := choiceGroup{Label: area.label, Choices: []choice{{area.prefix, area.label + ": everything", area.prefix == chosen}}}
		for _, act := range area.actions {
			g.Choices = append(g.Choices, choice{act.name, act.words, act.name == chosen})
		}
		known = known || slices.ContainsFunc(g.Choices, func(c choice) bool { return c.Chosen })
		out = append(out, g)
	}
	if chosen != "" && !known {
		out = append([]choiceGroup{{Label: "From the address", Choices: []choice{{chosen, chosen, true}}}}, out...)
	}
	return out
}

// objectPath returns the page of an object, "" when there is none.
func objectPath(kind string, id int64, name string) string {
	switch kind {
	case "api-key":
		if id > 0 {
			return keyPath(id)
		}
	case "user":
		if id > 0 {
			return personPath(id)
		}
	case "group", "membership":
		if id > 0 {
			return groupPath(id)
		}
	case "key-policy":
		return pathPolicies + "#" + rowID("policy", id)
	case "setting":
		if slices.Contains(generalKeys(), name) {
			return pathGeneral + "#field-" + url.PathEscape(name)
		}
	}
	return ""
}

// auditOf returns the log's address for all about one object.
func auditOf(kind string, id int64) string {
	if kind == "api-key" {
		return pathAudit + "?key=" + idText(id)
	}
	return pathAudit + "?" + url.Values{"kind": {kind}, "id": {strconv.FormatInt(id, 10)}}.Encode()
}

// Kept returns the filters that the form does not show, and keeps.
func (b auditBody) Kept() []string {
	return slices.DeleteFunc([]string{"user", "id"}, func(name string) bool { return b.Form.Get(name) == "" })
}
