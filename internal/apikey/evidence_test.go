package apikey_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/usage"
)

// A simulation says what Verify would, without the text and without counting.
func TestSimulationAgreesWithVerify(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, text := n.make(t, apikey.Draft{Name: "k", ExpiresAt: end(3 * day), Restriction: access.Restriction{
			Addresses: []string{"192.0.2.0/24"}, Hours: &access.Hours{Days: []string{"mon"}}, RateLimit: &access.RateLimit{Requests: 100, Seconds: 60},
		}})
		elsewhere := netip.MustParseAddr("198.51.100.1")
		agree := func(what string, from netip.Addr, want apikey.Reason) {
			t.Helper()
			n.checkFrom(t, what, text, from, want)
			for range 3 {
				s, err := n.verifier.Simulate(ctx, admin, k.ID, from, n.clock.Now())
				if err != nil || s.Reason != want || s.Accepted != (want == apikey.Accepted) {
					t.Errorf("%s: simulated %v, %v; want %v", what, s.Reason, err, want)
				}
				if failed := firstFailed(s.Steps); failed != "" && failed != want.String() || failed == "" && !s.Accepted {
					t.Errorf("%s: steps %+v", what, s.Steps)
				}
			}
		}
		agree("from here", here, apikey.Accepted)
		agree("from elsewhere", elsewhere, apikey.WrongAddress)
		c := n.checkFrom(t, "counted", text, here, apikey.Accepted)
		if c.Rate.Remaining != 98 {
			t.Errorf("simulations were counted: %d requests remain, want 98", c.Rate.Remaining)
		}
		n.clock.Advance(day)
		agree("on Tuesday", here, apikey.OutsideHours)
		if _, err := n.keys.Disable(ctx, admin, k.ID, "x", nil); err != nil {
			t.Fatal(err)
		}
		agree("disabled", here, apikey.DisabledKey)
		n.clock.Advance(2 * day)
		agree("expired", here, apikey.ExpiredKey)
		secrets, err := n.keys.Secrets(ctx, admin, k.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.keys.RetireSecret(ctx, admin, k.ID, secrets[0].ID); err != nil {
			t.Fatal(err)
		}
		agree("without a live secret", here, apikey.Retired)
		if err := n.keys.Delete(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		agree("deleted", here, apikey.DeletedKey)
		_, err = n.verifier.Simulate(ctx, admin, 999, here, start)
		wantFault(t, "unknown key", err, fault.NotFound, "Not found.")
	})
}

func firstFailed(steps []access.Step) string {
	for _, s := range steps {
		if !s.Passed {
			return s.Name
		}
	}
	return ""
}

func TestOnlyAdministratorsAndTheKeyItselfSimulate(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		k, text := n.create(t, "k", access.AllUsers)
		other, _ := n.create(t, "other", access.AllUsers)
		who := n.as(t, text)
		if s, err := n.verifier.Simulate(t.Context(), who, k.ID, here, start); err != nil || !s.Accepted || s.Principal.KeyID != k.ID {
			t.Errorf("itself: %+v, %v", s, err)
		}
		_, err := n.verifier.Simulate(t.Context(), who, other.ID, here, start)
		wantFault(t, "another key", err, fault.Forbidden, "")
		_, err = n.verifier.Simulate(t.Context(), nil, k.ID, here, start)
		wantFault(t, "nobody", err, fault.Unauthenticated, "")
	})
}

func TestIsItSafeToDelete(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		ada := n.person(t, "Ada")
		never, _ := n.make(t, apikey.Draft{Name: "never", OwnerID: ada.UserID})
		used, text := n.make(t, apikey.Draft{Name: "used", ExpiresAt: end(20 * day)})
		verdict := func(k apikey.Key, want apikey.Safety, says string) {
			t.Helper()
			v, err := n.keys.Verdict(ctx, admin, k.ID)
			if err != nil || v.Safety != want || !strings.Contains(strings.Join(v.Reasons, " "), says) {
				t.Errorf("%s: %s, %q, %v; want %s with %q", k.Name, v.Safety, v.Reasons, err, want, says)
			}
		}
		verdict(never, apikey.Caution, "has not been used yet")
		n.uses(t, n.checkFrom(t, "use", text, here, apikey.Accepted), here)
		verdict(used, apikey.InUse, "test at 192.0.2.7")
		n.clock.Advance(10 * day)
		verdict(never, apikey.Safe, "ask before you delete it")
		verdict(used, apikey.Caution, "10 days ago")
		n.clock.Advance(30 * day)
		verdict(used, apikey.Safe, "it is expired")
		if err := n.keys.Delete(ctx, admin, used.ID); err != nil {
			t.Fatal(err)
		}
		verdict(used, apikey.Safe, "it is deleted")
		_, err := n.keys.Verdict(ctx, admin, 999)
		wantFault(t, "unknown key", err, fault.NotFound, "Not found.")
	})
}

// The proposal allows all that the key really did, and no more than it must.
func TestSuggestedRestrictionAllowsWhatWasDone(t *testing.T) {
	update := access.Request{
		Policy: access.Admin("people", access.Write).Naming("people", "id"), Route: "PUT /api/user/{id}",
		Refs: []access.Ref{{Kind: "people", ID: "7"}}, Writes: []access.FieldWrite{{Kind: "people", Field: "first_name"}},
	}
	list := access.Request{Policy: access.Admin("people", access.Read), Route: "GET /api/user"}
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		call := func(k apikey.Key, status int, reqs ...access.Request) {
			t.Helper()
			for _, r := range reqs {
				n.usage.Record(&usage.Use{
					KeyID: k.ID, SecretID: 1, Route: r.Route, Status: status, Addr: here, At: n.clock.Now(), Took: time.Millisecond, Refs: r.Refs, Writes: r.Writes,
				})
			}
			if err := n.usage.FlushNow(ctx); err != nil {
				t.Fatal(err)
			}
		}
		suggest := func(k apikey.Key, allows ...access.Request) access.Restriction {
			t.Helper()
			s, err := n.keys.Suggest(ctx, admin, k.ID, start.Add(-day))
			if err != nil {
				t.Fatal(err)
			}
			limits, err := s.Restriction.Compile()
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Restriction.Validate(vocabulary()); err != nil {
				t.Errorf("it cannot be set: %v", err)
			}
			for _, r := range allows {
				if refused := limits.Check(&r); refused != nil {
					t.Errorf("%s is refused: %s", r.Route, refused.Detail)
				}
			}
			return s.Restriction
		}
		writer, _ := n.create(t, "writer", access.Administrators)
		call(writer, 200, update)
		call(writer, 403, list) // what failed need not be allowed
		want := access.Restriction{
			Scopes: []string{"people:write"}, Routes: []string{"PUT /api/user/{id}"},
			Resources: map[string][]string{"people": {"7"}}, Fields: map[string][]string{"people": {"first_name"}},
		}
		if got := suggest(writer, update); !got.Equal(want) {
			t.Errorf("proposed %+v", got)
		}
		reader, _ := n.create(t, "reader", access.Administrators)
		call(reader, 200, list)
		if got := suggest(reader, list); !got.ReadOnly || got.Resources != nil {
			t.Errorf("proposed %+v", got)
		}
		both, _ := n.create(t, "both", access.Administrators)
		call(both, 200, update, list)
		if got := suggest(both, update, list); got.Resources != nil || len(got.Routes) != 2 {
			t.Errorf("proposed %+v", got)
		}
		ofGroup := access.Request{Policy: access.Admin("groups", access.Read), Route: "GET /api/member", Refs: []access.Ref{{Kind: "groups", ID: "3"}}}
		chooser, _ := n.create(t, "chooser", access.Administrators)
		call(chooser, 200, ofGroup)
		if got := suggest(chooser, ofGroup); !slices.Equal(got.Scopes, []string{"groups:read"}) {
			t.Errorf("proposed %+v for a key that asked about a group alone", got)
		}
		ofAny := access.Request{Policy: access.Admin("groups", access.Read), Route: "GET /api/member"}
		blind, _ := n.create(t, "blind", access.Administrators)
		call(blind, 200, ofAny)
		if got := suggest(blind, ofAny); !slices.Equal(got.Scopes, []string{"groups:read", "people:read"}) {
			t.Errorf("proposed %+v for a key that named nothing", got)
		}
		idle, _ := n.make(t, apikey.Draft{Name: "idle", Restriction: access.Restriction{Addresses: []string{"192.0.2.7"}}})
		if got := suggest(idle); !got.Equal(idle.Restriction) {
			t.Errorf("proposed %+v for a key that did nothing", got)
		}
	})
}
