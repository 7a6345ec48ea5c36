package access_test

import (
	"maps"
	"slices"
	"testing"

	"latchkey/internal/access"
)

func TestVocabulary(t *testing.T) {
	v := access.Merge(words(), nil, access.NewVocabulary(access.DeclaredRoute{
		Route: "PUT /v1/x", Policy: access.Admin("keys", access.Write), Fields: []string{"name"},
		Extra: []access.Scope{{Resource: "policies", Verb: access.Write}},
	}))
	if len(v.Routes()) != 3 || !v.HasRoute("PUT /v1/x") || v.HasRoute("PUT /v1/y") {
		t.Errorf("routes %v", v.Routes())
	}
	if got := v.Scopes(); !slices.Equal(got, []string{"keys:write", "people:read", "people:write", "policies:write"}) {
		t.Errorf("scopes %v", got)
	}
	if got := v.FieldKinds(); !slices.Equal(got, []string{"keys", "people"}) {
		t.Errorf("kinds of fields %v", got)
	}
	if (*access.Vocabulary)(nil).HasRoute("GET /api/user") || (*access.Vocabulary)(nil).HasField("people", "first_name") {
		t.Error("no vocabulary knows something")
	}
	names := map[string]bool{}
	for _, k := range access.Kinds() {
		names[k.Name] = true
		for _, other := range k.Touches {
			if !access.KnownKind(other) {
				t.Errorf("%s touches the unknown kind %s", k.Name, other)
			}
		}
	}
	if len(names) != len(access.Kinds()) {
		t.Errorf("kinds %v", slices.Sorted(maps.Keys(names)))
	}
}
