package matrix_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
)

// evidenceRecipes has one for each page of personal keys, of policies, of the
// audit log and of explanations.
func evidenceRecipes() map[string]recipe {
	const policies = "/admin/settings/authentication/key-policies"
	return map[string]recipe{
		"GET /account/api-keys":              fixed(call{}),
		"GET /account/api-keys/new":          fixed(call{}),
		"POST /account/api-keys/new":         {make: newOwnKeyForm},
		"GET /account/api-keys/{id}/rotate":  on(personal, nil),
		"POST /account/api-keys/{id}/rotate": onceForm(personal),
		"GET /account/api-keys/{id}/end":     on(personal, nil),
		"POST /account/api-keys/{id}/end":    onceForm(personal),

		"GET " + policies:                   fixed(call{}),
		"GET " + policies + "/new":          fixed(call{}),
		"POST " + policies + "/new":         form("group_id", "1"),
		"GET " + policies + "/{id}":         on((*world).policy, nil),
		"POST " + policies + "/{id}":        {make: policyForm},
		"GET " + policies + "/{id}/remove":  on((*world).policy, nil),
		"POST " + policies + "/{id}/remove": onceForm((*world).policy),

		"GET /admin/audit":        fixed(call{}),
		"GET /admin/audit/{id}":   fixed(call{path: values{"id": 1}}),
		"GET /admin/audit/export": fixed(call{}),
		"POST /admin/audit/key": {make: func(w *world, _ principal) call {
			return call{form: url.Values{"digest": {digest(w.keyText())}}}
		}},
		"GET /admin/explain": fixed(call{}),
		"POST /admin/explain": {make: func(w *world, _ principal) call {
			return call{form: url.Values{"key": {fmt.Sprint(w.apiKey())}, "method": {"GET"}, "path": {"/api/user"}}}
		}},
	}
}

func newOwnKeyForm(w *world, _ principal) call {
	f := w.token()
	f.Set("name", w.unique("own key"))
	return call{form: f}
}

// policyForm asks for a preview, which changes nothing for the others.
func policyForm(w *world, _ principal) call {
	return call{path: values{"id": w.policy()}, form: url.Values{"do": {"preview"}, "max_days": {"30"}}}
}

// digest is what a browser sends of a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// allPageRecipes has one for each declared page and form.
func allPageRecipes() map[string]recipe {
	all := pageRecipes()
	maps.Copy(all, evidenceRecipes())
	maps.Copy(all, browseRecipes())
	return all
}
