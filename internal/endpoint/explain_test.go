package endpoint_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// What is looked up is told to those only who may see everything: by asking
// about itself, any key would learn who is in which group.
func TestExplanationsHideWhatIsLookedUp(t *testing.T) {
	type byID struct {
		ID int64 `path:"id"`
	}
	lookUp := func(_ context.Context, _ *endpoint.Call, in byID) ([]access.Ref, error) {
		if in.ID == 404 {
			return nil, fault.New(fault.NotFound, "no")
		}
		return []access.Ref{access.NewRef("groups", "2"), access.NewRef("people", "7")}, nil
	}
	e := endpoint.New("DELETE", "/m/{id}", "D", access.Authenticated("memberships", access.Write).Naming("memberships", "id"), takes[byID]())
	tab := namingTable(t, endpoint.Compile, endpoint.Naming(e, lookUp, "groups", "people"))
	limits := func(r access.Restriction) *access.Limits {
		l, err := r.Compile()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	bound := limits(access.Restriction{Resources: map[string][]string{"people": {"9"}}})
	key := &access.Principal{Kind: access.ServiceKey, UserID: 8, KeyID: 3, Groups: []int64{1}, Limits: bound, Trial: bound}
	x := endpoint.Explainer{
		Simulate: func(context.Context, *access.Principal, int64, netip.Addr, time.Time) (*access.Principal, []access.Step, error) {
			return key, nil, nil
		},
		Table:  func(string) *endpoint.Table { return tab },
		Status: func(string) int { return http.StatusForbidden },
	}
	ask := func(who *access.Principal, path string) (string, string) {
		t.Helper()
		e, err := x.Explain(t.Context(), who, endpoint.Asked{Method: "DELETE", Path: path})
		if err != nil {
			t.Fatal(err)
		}
		said := fmt.Sprint(e.Message, e.Steps, e.Code)
		if e.Trial != nil {
			said += e.Trial.Detail
		}
		return show(e.Request.Refs, nil), said
	}
	if refs, said := ask(adaAdmin, "/m/5"); refs != "memberships/5 groups/2 people/7" || !strings.Contains(said, "people 7") {
		t.Errorf("an administrator is told %q: %s", refs, said)
	}
	narrowed := *bareKey
	narrowed.Limits = limits(access.Restriction{Scopes: []string{"keys:read"}})
	for _, who := range []*access.Principal{key, &narrowed} {
		refs, said := ask(who, "/m/5")
		if refs != "memberships/5" || strings.Contains(said, "people 7") {
			t.Errorf("%v is told %q: %s", who.Groups, refs, said)
		}
		if _, missing := ask(who, "/m/404"); missing != said {
			t.Errorf("%v can tell what is there:\n%s\n%s", who.Groups, said, missing)
		}
	}
	key.Limits = nil
	if _, said := ask(key, "/m/5"); strings.Contains(said, "people 7") {
		t.Errorf("on trial: %s", said)
	}
}
