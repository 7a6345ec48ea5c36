package v1

import (
	"context"
	"net/http"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/group"
	"latchkey/internal/opt"
)

// PolicyEndpoints returns the routes of the policies for keys.
func PolicyEndpoints(s Services) []endpoint.Endpoint {
	p := policyRoutes{s.Keys, s.Groups}
	read, write := access.Admin(access.KindPolicies, access.Read), access.Admin(access.KindPolicies, access.Write)
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/v1/policies", "List the policies for keys", read, p.list),
		aboutPolicy(http.MethodPut, "", "Set the policy for the keys of a group, or with 0 of the instance", write, p.set),
		aboutPolicy(http.MethodDelete, "", "Remove the policy of a group, or with 0 of the instance", write, p.remove),
		aboutPolicy(http.MethodPost, "/preview", "List the keys that would not fulfil a policy, and change nothing", read, p.preview),
	}
}

// aboutPolicy declares a route about one policy, which is about all keys of
// its group.
func aboutPolicy[In interface{ group() []access.Ref }, Out any](
	method, rest, doc string, p access.Policy, h func(context.Context, *endpoint.Call, In) (Out, error),
) endpoint.Endpoint {
	p = p.Naming(access.KindPolicies, "group_id").Touching(access.KindKeys)
	group := func(_ context.Context, _ *endpoint.Call, in In) ([]access.Ref, error) { return in.group(), nil }
	return endpoint.Naming(endpoint.New(method, "/v1/policies/{group_id}"+rest, doc, p, h), group, access.KindGroups)
}

type policyRoutes struct {
	keys   *apikey.Service
	groups *group.Service
}

// policyInput names a policy: that of a group, or with 0 that of the instance.
type policyInput struct {
	GroupID int64 `path:"group_id" rule:"natural"`
}

// group names the group of a policy. That of the instance is about all groups,
// and names none.
func (in policyInput) group() []access.Ref {
	if in.GroupID == apikey.Instance {
		return nil
	}
	return []access.Ref{{Kind: access.KindGroups, ID: idText(in.GroupID)}}
}

// wirePolicy is a rule for the keys of the instance or of one group.
type wirePolicy struct {
	GroupID        int64             `json:"group_id"`         // 0: the instance
	Group          *groupRef         `json:"group"`            // null: the instance
	DefaultDays    opt.Value[int]    `json:"default_days"`     // life of a key whose maker names none; null: no end
	MaxDays        opt.Value[int]    `json:"max_days"`         // longest life from now; null: no limit
	MaxOverlapDays opt.Value[int]    `json:"max_overlap_days"` // longest overlap of a rotation; null: no limit
	RateLimit      *access.RateLimit `json:"rate_limit"`       // for each key
	AllowPersonal  bool              `json:"allow_personal"`   // people may make keys for themselves
	SelfRotate     bool              `json:"self_rotate"`      // a key may rotate itself
	SelfRevoke     bool              `json:"self_revoke"`      // a key may end itself
	UpdatedAt      time.Time         `json:"updated_at"`
	UpdatedBy      *userRef          `json:"updated_by"`
}

// daysOrNull makes null of the 0 that stands for no limit.
func daysOrNull(n int) opt.Value[int] {
	if n == 0 {
		return opt.Null[int]()
	}
	return opt.Of(n)
}

func (p policyRoutes) show(ctx context.Context, who *access.Principal, v apikey.Policy) (wirePolicy, error) {
	out := wirePolicy{
		GroupID: v.GroupID, DefaultDays: daysOrNull(v.DefaultDays), MaxDays: daysOrNull(v.MaxDays),
		MaxOverlapDays: daysOrNull(v.MaxOverlapDays), RateLimit: v.RateLimit, AllowPersonal: v.AllowPersonal,
		SelfRotate: v.SelfRotate, SelfRevoke: v.SelfRevoke, UpdatedAt: v.UpdatedAt, UpdatedBy: somebody(who, v.UpdatedBy),
	}
	if v.GroupID == apikey.Instance {
		return out, nil
	}
	name, err := p.groups.Name(ctx, v.GroupID)
	out.Group = &groupRef{v.GroupID, name}
	return out, err
}

func (p policyRoutes) list(ctx context.Context, c *endpoint.Call, _ endpoint.None) (list[wirePolicy], error) {
	all, err := p.keys.Policies(ctx, c.Who)
	out := list[wirePolicy]{Data: make([]wirePolicy, len(all))}
	for i := range all {
		if err == nil {
			out.Data[i], err = p.show(ctx, c.Who, all[i])
		}
	}
	return out, err
}

// policyRules are a whole policy: what is absent, null or 0 is no rule.
type policyRules struct {
	DefaultDays    opt.Value[int64]     `json:"default_days" rule:"natural"`
	MaxDays        opt.Value[int64]     `json:"max_days" rule:"natural"`
	MaxOverlapDays opt.Value[int64]     `json:"max_overlap_days" rule:"natural"`
	RateLimit      opt.Value[rateInput] `json:"rate_limit"`
	AllowPersonal  opt.Value[bool]      `json:"allow_personal" rule:"notnull"`
	SelfRotate     opt.Value[bool]      `json:"self_rotate" rule:"notnull"`
	SelfRevoke     opt.Value[bool]      `json:"self_revoke" rule:"notnull"`
}

// setPolicyInput is a policy that shall come into force. To change keys that
// are there needs the scope for that.
type setPolicyInput struct {
	policyInput
	policyRules
	Existing opt.Value[existingInput] `json:"existing" scope:"keys:write"`
}

// previewInput is a policy that may come into force.
type previewInput struct {
	policyInput
	policyRules
	Existing opt.Value[existingInput] `json:"existing"`
}

// rateInput is a number of requests in a number of seconds.
type rateInput struct {
	Requests int64 `json:"requests" rule:"posint"`
	Seconds  int64 `json:"seconds" rule:"posint"`
}

// existingInput says what the policy does to the keys that are there.
type existingInput struct {
	Cap  bool              `json:"cap"`                   // give an earlier end to those that live too long
	From opt.Value[string] `json:"from" rule:"date-time"` // but none before this time; a day from now when absent
}

// policy returns the policy that the input describes. Days beyond all bounds
// stay beyond them.
func (in policyRules) policy() apikey.Policy {
	p := apikey.Policy{
		DefaultDays: int(in.DefaultDays.V), MaxDays: int(in.MaxDays.V), MaxOverlapDays: int(in.MaxOverlapDays.V),
		AllowPersonal: in.AllowPersonal.V, SelfRotate: in.SelfRotate.V, SelfRevoke: in.SelfRevoke.V,
	}
	if r, ok := in.RateLimit.Get(); ok {
		p.RateLimit = &access.RateLimit{Requests: r.Requests, Seconds: r.Seconds}
	}
	return p
}

func existing(in opt.Value[existingInput]) apikey.Existing {
	return apikey.Existing{Cap: in.V.Cap, From: optionalTime(in.V.From)}
}

// violators are the keys that do not fulfil a policy.
type violators struct {
	Total int        `json:"total"`
	Data  []violator `json:"data"` // at most 1,000
}

// violator is a key that does not fulfil a policy.
type violator struct {
	Key       keyRef     `json:"key"`
	ExpiresAt *time.Time `json:"expires_at"`
	Problem   string     `json:"problem"` // policy-max-days, personal-not-allowed or overlap
	Detail    string     `json:"detail"`
	NewEnd    *time.Time `json:"new_end"` // the end that the key is given; null: it stays as it is
}

// keyRef names a key.
type keyRef struct {
	ID   int64  `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
}

func showViolators(v apikey.Violators) violators {
	out := violators{Total: v.Total, Data: make([]violator, len(v.List))}
	for i, x := range v.List {
		out.Data[i] = violator{
			Key:       keyRef{ID: x.Key.ID, Kind: string(x.Key.Kind), Name: x.Key.Name},
			ExpiresAt: x.Key.ExpiresAt, Problem: x.Problem, Detail: x.Detail, NewEnd: x.NewEnd,
		}
	}
	return out
}

// setPolicy is a policy that came into force, with the keys that do not fulfil it.
type setPolicy struct {
	Policy    wirePolicy `json:"policy"`
	Violators violators  `json:"violators"`
}

func (p policyRoutes) set(ctx context.Context, c *endpoint.Call, in setPolicyInput) (setPolicy, error) {
	v, found, err := p.keys.SetPolicy(ctx, c.Who, in.GroupID, in.policy(), existing(in.Existing))
	if err != nil {
		return setPolicy{}, err
	}
	shown, err := p.show(ctx, c.Who, v)
	return setPolicy{Policy: shown, Violators: showViolators(found)}, err
}

func (p policyRoutes) remove(ctx context.Context, c *endpoint.Call, in policyInput) (endpoint.None, error) {
	return endpoint.None{}, p.keys.RemovePolicy(ctx, c.Who, in.GroupID)
}

func (p policyRoutes) preview(ctx context.Context, c *endpoint.Call, in previewInput) (violators, error) {
	found, err := p.keys.Preview(ctx, c.Who, in.GroupID, in.policy(), existing(in.Existing))
	return showViolators(found), err
}
