package web

import (
	"encoding/json"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
)

// policyPreview is what a policy would do to the keys that are there.
type policyPreview struct {
	Token  string // names the rules that were looked at
	From   string // the day on which the ends in the list stand, "" for none
	Total  int
	List   []policyViolator
	More   int
	Ending bool   // some live too long, so that one can give them an end
	NoCap  string // why they cannot be given one, "" when they can
	Stale  bool   // the rules were changed after the last look
}

// policyViolator is a key that does not fulfil the policy.
type policyViolator struct {
	apikey.Violator
	Word string
	To   string
}

// The fields of a policy's form, for faults.
var policyFields = []string{"default_days", "max_days", "max_overlap_days", "rate_requests", "rate_seconds", "from"}

func (p *page) showPolicy() error {
	v, err := p.onePolicy()
	if err != nil {
		return err
	}
	return p.policyEdit(policyForm(v), v, nil)
}

// policyEdit answers with the dialog that changes a policy.
func (p *page) policyEdit(f *form, v apikey.Policy, preview *policyPreview) error {
	d := policyDialog{Form: f, ID: v.GroupID, Name: p.site.policyName(v.GroupID), Stored: !v.UpdatedAt.IsZero(), Preview: preview}
	return p.policyDialog("policy", "Policy for keys", d)
}

// policyForm returns the form of a policy as it stands.
func policyForm(v apikey.Policy) *form {
	f := newForm()
	number := func(name string, n int64) {
		if n > 0 {
			f.Values.Set(name, strconv.FormatInt(n, 10))
		}
	}
	number("default_days", int64(v.DefaultDays))
	number("max_days", int64(v.MaxDays))
	number("max_overlap_days", int64(v.MaxOverlapDays))
	if r := v.RateLimit; r != nil {
		number("rate_requests", r.Requests)
		number("rate_seconds", r.Seconds)
	}
	for name, on := range map[string]bool{"allow_personal": v.AllowPersonal, "self_rotate": v.SelfRotate, "self_revoke": v.SelfRevoke} {
		if on {
			f.Values.Set(name, "yes")
		}
	}
	return f
}

// readPolicy reads a policy from its form. It returns Invalid for what is no
// number; the domain says which numbers are too large.
func readPolicy(f *form) (apikey.Policy, error) {
	wrong := map[string]string{}
	number := func(name string) int64 {
		text := f.text(name)
		if text == "" {
			return 0
		}
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			wrong[name] = "Type a whole number, or nothing."
		}
		return n
	}
	v := apikey.Policy{
		DefaultDays: int(number("default_days")), MaxDays: int(number("max_days")), MaxOverlapDays: int(number("max_overlap_days")),
		AllowPersonal: f.Get("allow_personal") != "", SelfRotate: f.Get("self_rotate") != "", SelfRevoke: f.Get("self_revoke") != "",
	}
	requests, seconds := number("rate_requests"), number("rate_seconds")
	switch {
	case requests != 0 && seconds != 0:
		v.RateLimit = &access.RateLimit{Requests: requests, Seconds: seconds}
	case requests != 0 && wrong["rate_seconds"] == "":
		wrong["rate_seconds"] = "In how many seconds?"
	case seconds != 0 && wrong["rate_requests"] == "":
		wrong["rate_requests"] = "How many requests?"
	}
	if len(wrong) > 0 {
		return v, &fault.Error{Kind: fault.Invalid, Fields: wrong}
	}
	return v, nil
}

// readExisting reads what a policy does to the keys that are there.
func readExisting(f *form, now time.Time) (apikey.Existing, error) {
	e := apikey.Existing{Cap: f.Get("existing") == "cap"}
	text := f.text("from")
	if !e.Cap || text == "" {
		return e, nil
	}
	t, err := dayOf(text)
	if err != nil {
		return e, fault.Field("from", "Choose a date.")
	}
	if t.Before(now) && t.Add(day).After(now) { // today
		t = now
	}
	e.From = &t
	return e, nil
}

// setPolicy shows what a policy would do or, when that was looked at, puts it
// in force.
func (p *page) setPolicy() error {
	old, err := p.onePolicy()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	v, err := readPolicy(f)
	if err != nil {
		return p.policyWrong(f, old, nil, err)
	}
	e, late := readExisting(f, p.now())
	preview, err := p.previewPolicy(old.GroupID, v, e.From)
	if late == nil && err != nil && fault.As(err).Fields["from"] != "" {
		late = err // it stands beside the preview, where the field is
		preview, err = p.previewPolicy(old.GroupID, v, nil)
	}
	if err != nil {
		return p.policyWrong(f, old, nil, err)
	}
	if e.From != nil {
		preview.From = f.text("from")
	}
	sooner := e.Cap && f.text("from") < f.Get("looked_from") // the ends would be earlier than those that were looked at
	if late == nil && (f.Get("do") != "set" || f.Get("looked") != preview.Token || sooner) {
		preview.Stale = f.Get("do") == "set"
		return p.policyEdit(f, old, preview)
	}
	if late == nil {
		_, _, late = p.site.Keys.SetPolicy(p.ctx(), p.who, old.GroupID, v, e)
	}
	if late != nil {
		return p.policyWrong(f, old, preview, late)
	}
	return p.done(pathPolicies+"#"+rowID("policy", old.GroupID), saidPolicySet)
}

// policyWrong shows what is wrong with a policy that somebody asked for.
func (p *page) policyWrong(f *form, old apikey.Policy, preview *policyPreview, err error) error {
	if err := f.refused(err, append(policyFields, "rate_limit")...); err != nil {
		return err
	}
	if text, ok := f.Errors["rate_limit"]; ok {
		f.Errors["rate_requests"] = text
	}
	return p.policyEdit(f, old, preview)
}

// rulesToken names the rules of a policy, so that nobody switches on what they
// have not looked at.
func rulesToken(v apikey.Policy) string {
	b, err := json.Marshal(v)
	if err != nil { // numbers and truth values always encode
		return ""
	}
	return string(b)
}

// violatorsShown is how many keys a preview lists.
const violatorsShown = 50

// previewPolicy asks which keys would not fulfil a policy, and which end they
// can be given.
func (p *page) previewPolicy(groupID int64, v apikey.Policy, from *time.Time) (*policyPreview, error) {
	found, err := p.site.Keys.Preview(p.ctx(), p.who, groupID, v, apikey.Existing{Cap: true, From: from})
	out := &policyPreview{Token: rulesToken(v)}
	if fault.Is(err, fault.Conflict) {
		out.NoCap = sentence(fault.As(err).Message)
		found, err = p.site.Keys.Preview(p.ctx(), p.who, groupID, v, apikey.Existing{})
	}
	if err != nil {
		return nil, err
	}
	out.Total = found.Total
	shown := found.List[:min(violatorsShown, len(found.List))]
	for _, x := range shown {
		out.List = append(out.List, policyViolator{x, problemWord(x.Problem), keyPath(x.Key.ID)})
	}
	for _, x := range found.List {
		out.Ending = out.Ending || x.Problem == apikey.ProblemMaxDays
	}
	out.More = out.Total - len(shown)
	return out, nil
}

// problemWord says what a key has against a policy.
func problemWord(problem string) string {
	switch problem {
	case apikey.ProblemMaxDays:
		return "Lives too long"
	case apikey.ProblemPersonal:
		return "Personal key not allowed"
	case apikey.ProblemOverlap:
		return "Overlap too long"
	}
	return fieldWord(problem)
}
