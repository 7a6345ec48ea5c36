package apikey_test

import (
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
)

// TestOverviewRotating finds the keys whose old secret works for a while.
func TestOverviewRotating(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		var all []int64
		for name, o := range map[string]apikey.Overlap{"none": {}, "silent": {SilentDays: 3}, "dated": {Until: ptr(at(day))}} {
			k, _ := n.create(t, name, access.AllUsers)
			if _, _, err := n.keys.Rotate(t.Context(), admin, k.ID, o); err != nil {
				t.Fatal(err)
			}
			all = append(all, k.ID)
		}
		check := func(what string, want ...string) {
			t.Helper()
			got, err := n.keys.Rotating(t.Context(), admin, all)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%s: %v, %v", what, got, err)
			}
			for _, name := range want {
				found := false
				for id := range got {
					found = found || n.get(t, id).Name == name
				}
				if !found {
					t.Errorf("%s: %s is missing in %v", what, name, got)
				}
			}
		}
		check("at first", "silent", "dated")
		n.clock.Advance(2 * day)
		check("after the date", "silent")
		_, err := n.keys.Rotating(t.Context(), nil, all)
		wantFault(t, "nobody", err, fault.Unauthenticated, "")
		n.setPolicy(t, apikey.Instance, apikey.Policy{MaxDays: 90})
		if p, err := n.keys.PolicyFor(t.Context(), admin, nil); err != nil || p.MaxDays != 90 {
			t.Errorf("the policy is %+v, %v", p, err)
		}
	})
}
