package web

import (
	"net/http"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
)

const pathPolicies = pathSignIns + "/key-policies"

func policyRoutes() []route {
	read, write := access.Admin(access.KindPolicies, access.Read), access.Admin(access.KindPolicies, access.Write)
	return []route{
		{http.MethodGet, pathPolicies, read, (*page).showPolicies},
		{http.MethodGet, pathPolicies + "/new", read, (*page).showPolicyNew},
		{http.MethodPost, pathPolicies + "/new", write, (*page).choosePolicyGroup},
		{http.MethodGet, pathPolicies + "/{id}", read, (*page).showPolicy},
		{http.MethodPost, pathPolicies + "/{id}", write, (*page).setPolicy},
		{http.MethodGet, pathPolicies + "/{id}/remove", read, (*page).showPolicyRemove},
		{http.MethodPost, pathPolicies + "/{id}/remove", write, (*page).removePolicy},
	}
}

// policiesBody is the list of policies for keys, the instance's first.
type policiesBody struct{ Rows []policyRow }

// policyRow is a policy in words.
type policyRow struct {
	ID        int64
	Name      string
	Rules     []string
	UpdatedAt time.Time
	UpdatedBy string
	Stored    bool
}

// policyDialog is a dialog over the list.
type policyDialog struct {
	Form    *form
	ID      int64
	Name    string
	Stored  bool
	Groups  picker
	Preview *policyPreview // nil until somebody asked for it
	Rules   []string       // of the policy that is to be removed
	Here    string
	Back    string
}

// Instance reports whether the policy is that of the instance.
func (d policyDialog) Instance() bool { return d.ID == apikey.Instance }

// policyName names what a policy is about, "" for a group that is gone.
func (s *site) policyName(id int64) string {
	if id == apikey.Instance {
		return "All keys of this instance"
	}
	g, _ := s.Groups.Snapshot().ByID(id)
	return g.Name
}

func (p *page) policiesBody() (policiesBody, error) {
	var b policiesBody
	all, err := p.site.Keys.Policies(p.ctx(), p.who)
	if err != nil {
		return b, err
	}
	if len(all) == 0 || all[0].GroupID != apikey.Instance {
		b.Rows = append(b.Rows, policyRow{ID: apikey.Instance, Name: p.site.policyName(apikey.Instance)})
	}
	for _, v := range all {
		b.Rows = append(b.Rows, policyRow{
			ID: v.GroupID, Name: p.site.policyName(v.GroupID), Rules: policyWords(v),
			UpdatedAt: v.UpdatedAt, UpdatedBy: v.UpdatedBy.Name, Stored: true,
		})
	}
	return b, nil
}

// policyWords lists the rules of a policy.
func policyWords(v apikey.Policy) []string {
	var out []string
	add := func(on bool, text string) {
		if on {
			out = append(out, text)
		}
	}
	days := func(n int) string { return plural(n, "day", "days") }
	add(v.DefaultDays > 0, "keys end after "+days(v.DefaultDays)+" unless their maker says otherwise")
	add(v.MaxDays > 0, "no key lives longer than "+days(v.MaxDays))
	add(v.MaxOverlapDays > 0, "rotations overlap for at most "+days(v.MaxOverlapDays))
	if r := v.RateLimit; r != nil {
		add(true, "each key: at most "+plural(r.Requests, "request", "requests")+" in "+plural(r.Seconds, "second", "seconds"))
	}
	add(v.AllowPersonal, "people make personal keys")
	add(v.SelfRotate, "keys may rotate themselves")
	add(v.SelfRevoke, "keys may end themselves")
	return out
}

func (p *page) showPolicies() error {
	b, err := p.policiesBody()
	if err != nil {
		return err
	}
	return p.show("policies", "Policies for keys", b)
}

// policyDialog answers with a dialog over the list.
func (p *page) policyDialog(name, title string, d policyDialog) error {
	b, err := p.policiesBody()
	if err != nil {
		return err
	}
	d.Here, d.Back = p.r.URL.RequestURI(), pathPolicies
	return p.answer(d.Form.status, name, title, b, d)
}

func (p *page) showPolicyNew() error { return p.policyNew(newForm()) }

func (p *page) policyNew(f *form) error {
	d := policyDialog{Form: f, Groups: p.site.newPicker(f, "group_id", "Group", false)}
	d.Groups.Hint = "The policy holds for the keys of this group, beside that of the instance. Of several, the strictest limit counts."
	return p.policyDialog("policy-new", "Policy for a group", d)
}

// choosePolicyGroup leads to the policy of a group.
func (p *page) choosePolicyGroup() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.policyNew(f)
	}
	id, err := p.chosenGroup(f, "group_id")
	if err != nil {
		if err := f.refused(err, "group_id"); err != nil {
			return err
		}
		return p.policyNew(f)
	}
	return p.redirect(policyPath(id))
}

// policyPath returns the address of the policy of a group or of the instance.
func policyPath(id int64) string { return pathPolicies + "/" + idText(id) }

// onePolicy returns the policy that the path names; 0 is the instance's.
func (p *page) onePolicy() (apikey.Policy, error) {
	id, err := strconv.ParseInt(p.r.PathValue("id"), 10, 64)
	if err != nil || id < 0 {
		return apikey.Policy{}, fault.New(fault.NotFound, "Not found.")
	}
	return p.site.Keys.PolicyOf(p.ctx(), p.who, id)
}

func (p *page) showPolicyRemove() error {
	v, err := p.onePolicy()
	if err != nil {
		return err
	}
	d := policyDialog{Form: newForm(), ID: v.GroupID, Name: p.site.policyName(v.GroupID), Rules: policyWords(v)}
	return p.policyDialog("policy-remove", "Remove the policy", d)
}

// removePolicy takes a policy out of force. One that is gone already is what
// was wanted.
func (p *page) removePolicy() error {
	v, err := p.onePolicy()
	if err != nil {
		return err
	}
	err = p.site.Keys.RemovePolicy(p.ctx(), p.who, v.GroupID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return p.done(pathPolicies, saidPolicyRemoved)
}
