package endpoint_test

import (
	"slices"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

type ofInput struct {
	Of string `json:"of"`
	ID int64  `json:"id" rule:"posint"`
}

// TestACallNeedsTheScopeOfTheKindThatItChooses: the scope, what is touched and
// the kind of the fields follow the input; an unknown kind leaves the policy.
func TestACallNeedsTheScopeOfTheKindThatItChooses(t *testing.T) {
	policy := access.Authenticated("people", access.Write).Touching("groups", "keys")
	e := endpoint.New("POST", "/x", "D", policy, takes[ofInput]())
	tab := namingTable(t, endpoint.Compile, endpoint.Choosing(e, func(in ofInput) string { return in.Of }, "groups"))
	for _, c := range []struct {
		restriction, of, reason string
	}{
		{`{"scopes":["people:write"]}`, "people", ""},
		{`{"scopes":["people:write"]}`, "groups", "scope"},
		{`{"scopes":["groups:write"]}`, "people", "scope"},
		{`{"scopes":["groups:write"]}`, "groups", ""},
		{`{"scopes":["groups:read"]}`, "groups", "scope"},
		{`{"scopes":["keys:write"]}`, "keys", "scope"}, // not among the kinds: that of the policy
		{`{"scopes":["people:write"]}`, "keys", ""},
		{`{"read_only":true}`, "groups", "read-only"},
		{`{"resources":{"groups":[1]}}`, "people", ""},
		{`{"resources":{"keys":[1]}}`, "people", "resource"},
		{`{"fields":{"groups":["of"]}}`, "groups", "field"},
		{`{"fields":{"groups":["id","of"]}}`, "groups", ""},
	} {
		r, err := access.ParseRestriction([]byte(c.restriction))
		if err != nil {
			t.Fatal(err)
		}
		limits, err := r.Compile()
		if err != nil {
			t.Fatal(err)
		}
		who := *bareKey
		who.Limits = limits
		call, _ := asked(tab, &who, jsonRequest("POST", "/x", `{"of":"`+c.of+`","id":7}`))
		reason := ""
		if call.Refused != nil {
			reason = call.Refused.Code
		}
		if reason != c.reason {
			t.Errorf("%s, %s: %q, want %q", c.restriction, c.of, reason, c.reason)
		}
	}
	d := tab.Routes()[0].Declared()
	if !slices.Equal(d.Kinds(), []string{"people", "groups"}) || !slices.Contains(d.Extra, access.Scope{Resource: "groups", Verb: access.Write}) {
		t.Errorf("declared %+v", d)
	}
	words := tab.Vocabulary()
	if !words.HasField("groups", "of") || !words.HasField("people", "of") || !slices.Contains(words.Scopes(), "groups:write") {
		t.Errorf("words %v", words.Scopes())
	}
}
