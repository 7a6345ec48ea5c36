package matrix_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	"latchkey/internal/apptest"
)

// callRecipes has one for each declared route of both APIs.
func callRecipes() map[string]recipe {
	all := apiRecipes()
	maps.Copy(all, v1Recipes())
	maps.Copy(all, queryRecipes())
	maps.Copy(all, contentRecipes())
	return all
}

// v1Recipes has one for each declared route of our own API.
func v1Recipes() map[string]recipe {
	all := map[string]recipe{
		"GET /v1/docs":           fixed(call{}),
		"GET /v1/docs/style.css": fixed(call{}),
		"GET /v1/openapi.json":   fixed(call{}),
		"GET /v1/vocabulary":     fixed(call{}),
		"GET /v1/audit":          fixed(call{}),
		"GET /v1/audit/export":   fixed(call{}),
		"GET /v1/audit/head":     fixed(call{}),
		"POST /v1/explain": {make: func(w *world, _ principal) call {
			return call{body: body{"key_id": w.apiKey(), "method": "GET", "path": "/api/user/current"}}
		}},

		"GET /v1/self":         fixed(call{}),
		"POST /v1/self/rotate": {make: emptyBody, spends: true},
		"POST /v1/self/revoke": {make: nothing, spends: true},

		"GET /v1/people/{id}/sessions":    on(person, nil),
		"DELETE /v1/people/{id}/sessions": on(person, nil),
		"DELETE /v1/people/{id}/sessions/{session}": {make: func(w *world, _ principal) call {
			person, session := w.signedIn()
			return call{path: values{"id": person, "session": session}}
		}},

		"GET /v1/personal-keys": fixed(call{}),
		"POST /v1/personal-keys": {make: func(w *world, _ principal) call {
			return call{body: body{"name": w.unique("new personal key")}}
		}},
		"GET /v1/personal-keys/{id}":             on(personal, nil),
		"PATCH /v1/personal-keys/{id}":           on(personal, body{"description": "Changed."}),
		"DELETE /v1/personal-keys/{id}":          on(personal, nil),
		"PUT /v1/personal-keys/{id}/restriction": on(personal, body{"read_only": true}),
		"POST /v1/personal-keys/{id}/rotate":     on(personal, body{}),

		"GET /v1/policies":                     fixed(call{}),
		"PUT /v1/policies/{group_id}":          {make: policyCall((*world).group, body{"max_days": 90})},
		"DELETE /v1/policies/{group_id}":       {make: policyCall((*world).policy, nil)},
		"POST /v1/policies/{group_id}/preview": {make: policyCall((*world).group, body{"max_days": 90})},
	}
	maps.Copy(all, v1KeyRecipes())
	maps.Copy(all, bulkRecipes())
	return all
}

// bulkRecipes has one for each route that does many things at once.
func bulkRecipes() map[string]recipe {
	return map[string]recipe{
		"POST /v1/bulk": {make: func(w *world, _ principal) call {
			return call{body: body{"operations": []body{{"op": "create_group", "name": w.unique("bulk group")}}}}
		}},
		"POST /v1/people/import": {make: func(w *world, _ principal) call {
			return call{body: apptest.Text{Media: "text/csv", Body: "email\n" + w.email() + "\n"}}
		}},
	}
}

// v1KeyRecipes has one for each route about keys that administrators manage.
func v1KeyRecipes() map[string]recipe {
	const one = " /v1/keys/{id}"
	return map[string]recipe{
		"GET /v1/keys": fixed(call{}),
		"POST /v1/keys": {make: func(w *world, _ principal) call {
			return call{body: body{"name": w.unique("new key"), "group_ids": []int64{w.group()}}}
		}},
		"POST /v1/keys/lookup": {make: func(w *world, _ principal) call {
			sum := sha256.Sum256([]byte(w.keyText()))
			return call{body: body{"digest": hex.EncodeToString(sum[:])}}
		}},
		"GET" + one:                     on(key, nil),
		"PATCH" + one:                   on(key, body{"description": "Changed."}),
		"DELETE" + one:                  on(key, nil),
		"POST" + one + "/disable":       on(key, body{"reason": "A test."}),
		"POST" + one + "/enable":        on(disabledKey, nil),
		"POST" + one + "/rotate":        on(key, body{"overlap_days": 1}),
		"GET" + one + "/secrets":        on(key, nil),
		"PUT" + one + "/restriction":    on(key, body{"read_only": true}),
		"GET" + one + "/trial":          on(triedKey, nil),
		"PUT" + one + "/trial":          on(key, body{"read_only": true}),
		"DELETE" + one + "/trial":       on(triedKey, nil),
		"POST" + one + "/trial/enforce": on(triedKey, nil),
		"GET" + one + "/suggestion":     on(key, nil),
		"GET" + one + "/usage":          on(key, nil),
		"GET" + one + "/requests":       on(key, nil),
		"GET" + one + "/verdict":        on(key, nil),
		"POST" + one + "/secrets/{secret}/retire": {make: func(w *world, _ principal) call {
			key, secret := w.rotatedKey()
			return call{path: values{"id": key, "secret": secret}}
		}},
	}
}

func emptyBody(*world, principal) call { return call{body: body{}} }

// policyCall makes a call about the policy of a group.
func policyCall(group func(w *world) int64, json any) func(*world, principal) call {
	return func(w *world, _ principal) call { return call{path: values{"group_id": group(w)}, body: json} }
}

func disabledKey(w *world) int64 { return w.changedKey("POST", "/disable", body{"reason": "A test."}) }
func triedKey(w *world) int64    { return w.changedKey("PUT", "/trial", body{"read_only": true}) }
func personal(w *world) int64    { return w.personalKey() }

// changedKey makes a key and changes it by a route under /v1/keys/{id}.
func (w *world) changedKey(method, rest string, json any) int64 {
	id := w.apiKey()
	if !w.fresh {
		w.Admin(200, nil, method, fmt.Sprintf("/v1/keys/%d%s", id, rest), json)
	}
	return id
}

// keyText makes a key and returns its text.
func (w *world) keyText() string {
	if w.fresh {
		return "made up"
	}
	_, text := w.Key(w.unique("key"), 1)
	return text
}

// personalKey makes a key of the administrator of set-up and returns its id.
func (w *world) personalKey() int64 {
	if w.fresh {
		return 1
	}
	var key struct{ ID int64 }
	w.Admin(201, &key, "POST", "/v1/personal-keys", body{"name": w.unique("personal key")})
	return key.ID
}

// rotatedKey makes a key with two secrets and returns its id and that of the
// older one.
func (w *world) rotatedKey() (id, secret int64) {
	id = w.changedKey("POST", "/rotate", body{"overlap_days": 1})
	if w.fresh {
		return id, 1
	}
	var all struct {
		Data []struct {
			ID    int64
			State string
		}
	}
	w.Admin(200, &all, "GET", fmt.Sprintf("/v1/keys/%d/secrets", id), nil)
	for _, s := range all.Data {
		if s.State == "retiring" {
			return id, s.ID
		}
	}
	w.t.Fatalf("a rotated key has no secret that retires: %+v", all)
	return 0, 0
}

// signedIn makes a person with a session and returns the ids of both.
func (w *world) signedIn() (person, session int64) {
	if w.fresh {
		return 1, 1
	}
	person, _ = w.Person(w.email())
	var all struct{ Data []struct{ ID int64 } }
	w.Admin(200, &all, "GET", fmt.Sprintf("/v1/people/%d/sessions", person), nil)
	if len(all.Data) != 1 {
		w.t.Fatalf("a person who signed in once has the sessions %+v", all)
	}
	return person, all.Data[0].ID
}

// policy makes a group with a policy and returns its id.
func (w *world) policy() int64 {
	id := w.group()
	if !w.fresh {
		w.Admin(200, nil, "PUT", fmt.Sprintf("/v1/policies/%d", id), body{"max_days": 365})
	}
	return id
}
