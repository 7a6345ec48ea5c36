package web

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

const pathExplain = "/admin/explain"

func explainRoutes() []route {
	read := access.Admin(access.KindKeys, access.Read)
	return []route{
		{http.MethodGet, pathExplain, read, (*page).showExplain},
		{http.MethodPost, pathExplain, read, (*page).explain},
	}
}

// explainBody asks what a key may do, and says it.
type explainBody struct {
	Form    *form
	Key     *apikey.Key // nil until one is chosen
	Badge   badge
	KeyTo   string
	Query   string
	Found   []apikey.Key // by the search
	More    int
	Methods []choice
	Paths   []string // that routes have, to choose from
	Answer  *explainAnswer
}

// explainAnswer is what would be decided, in words.
type explainAnswer struct {
	Verdict string // allowed, anonymous or refused
	Heading string
	Because string
	Route   *endpoint.Route
	Scopes  []string
	Wants   []string // what the call names and writes
	Steps   []explainedStep
	Trial   *access.Refusal
	Call    string
	Fix     *link // where one changes what decided; nil when there is no such place
}

// link leads to another page.
type link struct{ Text, To string }

// explainedStep is a check in words.
type explainedStep struct {
	access.Step
	Label   string
	Decided bool
	Late    bool // after the step that decided
}

func (p *page) showExplain() error {
	q := p.r.URL.Query()
	f := newForm("method", q.Get("method"), "path", q.Get("path"), "key", q.Get("key"))
	return p.explainPage(f, nil)
}

func (p *page) explainPage(f *form, answer *explainAnswer) error {
	b := explainBody{Form: f, Query: strings.TrimSpace(p.r.URL.Query().Get("find")), Answer: answer}
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead}
	b.Methods = choices(f.Get("method"), methods, func(m string) string { return m })
	for _, rt := range p.site.Vocabulary().Routes() {
		if _, path, _ := strings.Cut(rt.Route, " "); !slices.Contains(b.Paths, path) {
			b.Paths = append(b.Paths, path)
		}
	}
	slices.Sort(b.Paths)
	err := p.explainedKey(&b)
	if err != nil {
		return err
	}
	return p.answer(f.status, "explain", "Explain a call", b, nil)
}

// explainedKey finds the key that is chosen, or those to choose from.
func (p *page) explainedKey(b *explainBody) error {
	if id := b.Form.id("key"); id != 0 {
		k, err := p.site.Keys.GetAny(p.ctx(), p.who, id)
		if err == nil {
			b.Key, b.KeyTo, b.Badge = &k, keyPath(id), stateBadge(k, p.now())
		}
		return err
	}
	const hits = 10
	found, total, err := p.site.Keys.List(p.ctx(), p.who, apikey.Filter{Query: b.Query, AnyKind: true, Limit: hits})
	b.Found, b.More = found, total-len(found)
	return err
}

// explain answers what a key may do. It changes nothing, and is sent as a form
// so that no body stands in an address.
func (p *page) explain() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	call, err := p.asked(f)
	if err == nil {
		var e endpoint.Explanation
		if e, err = p.site.Explain(p.ctx(), p.who, call); err == nil {
			a := newExplainAnswer(e, call)
			if a.Verdict == "refused" {
				a.Fix = fixOf(call.KeyID, e.DecidedBy)
			}
			return p.explainPage(f, a)
		}
	}
	if err := f.refused(err, "path", "body", "address", "at"); err != nil {
		return err
	}
	return p.explainPage(f, nil)
}

// fixOf returns where one changes what a step looks at.
func fixOf(keyID int64, step string) *link {
	switch step {
	case access.CodeReadOnly, access.CodeScope, access.CodeRoute, access.CodeResource, access.CodeField,
		access.CodeAddress, access.CodeHours, access.CodeProtectedAdmin, access.CodeUnreadable:
		return &link{"Change the restriction of the key", keyPath(keyID) + "/restriction"}
	case access.CodeGroup:
		return &link{"Change the groups of the key", keyPath(keyID) + "/edit"}
	case "key-disabled", "key-expired", "secret-retired", "key-inactive":
		return &link{"Open the key", keyPath(keyID)}
	}
	return nil
}

// asked reads the call from the form.
func (p *page) asked(f *form) (endpoint.Asked, error) {
	call := endpoint.Asked{KeyID: f.id("key"), Method: f.Get("method"), Path: f.text("path"), At: p.now()}
	if call.KeyID == 0 {
		return call, fault.New(fault.Invalid, "Choose a key first.")
	}
	if !strings.HasPrefix(call.Path, "/") {
		return call, fault.Field("path", "Type the path of a call, such as /api/user/7.")
	}
	if text := f.text("body"); text != "" {
		if call.Body = []byte(text); !json.Valid(call.Body) {
			return call, fault.Field("body", "This is not JSON.")
		}
	}
	var err error
	if text := f.text("address"); text != "" {
		if call.From, err = netip.ParseAddr(text); err != nil {
			return call, fault.Field("address", "Type an address such as 192.0.2.7 or 2001:db8::7.")
		}
	}
	if text := f.text("at"); text != "" {
		if call.At, err = readMinute(text); err != nil {
			return call, fault.Field("at", "Choose a date and a time.")
		}
	}
	return call, nil
}

// readMinute reads what a field of the type datetime-local holds.
func readMinute(text string) (time.Time, error) {
	t, err := time.ParseInLocation("2006-01-02T15:04", text, time.UTC)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02T15:04:05", text, time.UTC)
	}
	return t, err
}

func newExplainAnswer(e endpoint.Explanation, call endpoint.Asked) *explainAnswer {
	a := &explainAnswer{Because: stopped(sentence(e.Message)), Route: e.Route, Trial: e.Trial, Call: call.Method + " " + call.Path}
	switch {
	case e.Anonymous:
		a.Verdict, a.Heading = "anonymous", "Answered as if no key was sent"
	case e.Allowed:
		a.Verdict, a.Heading = "allowed", "Allowed"
	default:
		a.Verdict, a.Heading = "refused", "Refused with status "+idText(int64(e.Status))+", reason: "+e.Code
	}
	if e.Route != nil {
		a.Scopes = append(a.Scopes, e.Route.Policy.Scope.String())
	}
	for _, s := range e.Request.Extra {
		a.Scopes = append(a.Scopes, s.String())
	}
	for _, r := range e.Request.Refs {
		a.Wants = append(a.Wants, r.Kind+" "+r.ID)
	}
	for _, w := range e.Request.Writes {
		a.Wants = append(a.Wants, "field "+w.Field+" of "+w.Kind)
	}
	late := false
	for _, s := range e.Steps {
		step := explainedStep{Step: s, Label: stepWord(s.Name), Decided: s.Name == e.DecidedBy && !late, Late: late}
		step.Detail = stopped(sentence(s.Detail))
		a.Steps = append(a.Steps, step)
		late = late || step.Decided && !s.Passed
	}
	return a
}

// stopped ends a text with a full stop when nothing else ends it.
func stopped(text string) string {
	if text == "" || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// stepWord says what a step looks at.
func stepWord(name string) string {
	words := map[string]string{
		endpoint.StepRoute: "Route", endpoint.StepInput: "What is sent",
		"key-deleted": "Key exists", "secret-retired": "Secret", "key-expired": "End of the key", "key-disabled": "Switched on",
		"key-inactive": "Who stands behind it", access.CodeAddress: "Address", access.CodeHours: "Hours",
		access.CodeGroup: "Groups", access.CodeReadOnly: "Read-only", access.CodeScope: "Scopes", access.CodeRoute: "Routes",
		access.CodeResource: "Resources", access.CodeField: "Fields",
		access.CodeProtectedAdmin: "Administrators", access.CodeUnreadable: "Restriction",
	}
	if w := words[name]; w != "" {
		return w
	}
	return fieldWord(name)
}
