package api_test

import (
	"strconv"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

// A personal key is told what it may do, which can be less than what its
// person may.
func TestCurrentUserOfAPersonalKey(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		ctx := t.Context()
		_, _, err := in.keys.SetPolicy(ctx, access.CommandLine(), apikey.Instance, apikey.Policy{AllowPersonal: true}, apikey.Existing{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := strconv.ParseInt(in.names["ada"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ada := &access.Principal{Kind: access.Person, UserID: id, Groups: []int64{access.AllUsers, access.Administrators}}
		for name, groups := range map[string][]int64{"plain": nil, "full": {access.Administrators}} {
			_, text, err := in.keys.MakePersonal(ctx, ada, apikey.Draft{Name: name, Groups: groups})
			if err != nil {
				t.Fatal(err)
			}
			in.callers[name] = [2]string{"X-API-Key", text.Reveal()}
		}
		in.run(t, []row{
			{"less", "plain", "GET /api/user/current", ``, 200, "-", []string{`"id":{ada}`, `"is_superuser":false`, `"group_ids":[1]`}, nil},
			{"as much", "full", "GET /api/user/current", ``, 200, "-", []string{`"id":{ada}`, `"is_superuser":true`, `"group_ids":[1,2]`}, nil},
		})
	})
}
