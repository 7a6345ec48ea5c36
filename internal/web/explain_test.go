package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

const explainPath = "/admin/explain"

// oneUser names a person and a field of theirs.
type oneUser struct {
	ID        int64  `path:"id" rule:"posint" kind:"people"`
	FirstName string `json:"first_name"`
}

// explainer explains the calls of a small API, with the checks of the server.
func (w *world) explainer() endpoint.Explainer {
	table, err := endpoint.Compile([]endpoint.Endpoint{
		endpoint.New(http.MethodPut, "/api/user/{id}", "Change a person", access.Admin("people", access.Write).Naming("people", "id"),
			func(context.Context, *endpoint.Call, oneUser) (endpoint.None, error) { return endpoint.None{}, nil }),
		endpoint.New(http.MethodGet, "/api/health", "Whether it lives", access.Public("health", access.Read),
			func(context.Context, *endpoint.Call, endpoint.None) (endpoint.None, error) {
				return endpoint.None{}, nil
			}),
	}, nil)
	w.must(err)
	return endpoint.Explainer{
		Simulate: func(ctx context.Context, who *access.Principal, keyID int64, from netip.Addr, at time.Time) (*access.Principal, []access.Step, error) {
			s, err := w.verifier.Simulate(ctx, who, keyID, from, at)
			return s.Principal, s.Steps, err
		},
		Table: func(string) *endpoint.Table { return table },
		Status: func(reason string) int {
			if reason == access.CodeScope || reason == access.CodeGroup || reason == access.CodeField {
				return http.StatusForbidden
			}
			return http.StatusUnauthorized
		},
		NoRoute: func() endpoint.Answered {
			return endpoint.Answered{Status: http.StatusNotFound, Code: "no-route", Detail: "There is no such route."}
		},
		Bad: func(error) *endpoint.Answered {
			return &endpoint.Answered{Status: http.StatusBadRequest, Code: "invalid", Detail: "The request is not valid."}
		},
	}
}

func TestExplainChoosesAKey(t *testing.T) {
	w := ready(t)
	b := w.admin()
	b.get(explainPath).wants(t, 200, "There are no keys yet")
	k := w.key("nightly-export", access.AllUsers)
	w.key("other", access.AllUsers)
	b.get(explainPath).wants(t, 200, "nightly-export", "other", fmt.Sprintf("%s?key=%d", explainPath, k.ID))
	b.get(explainPath+"?find=night").wants(t, 200, "nightly-export").lacks(t, ">other<")
	b.get(explainPath+"?find=zzz").wants(t, 200, "No key matches “zzz”.")
	b.get(fmt.Sprintf("%s?key=%d", explainPath, k.ID)).wants(t, 200, "no restriction of its own", "/admin/people/groups/1", "/api/user/{id}", "Another key")
	b.get(explainPath+"?key=4711").wants(t, 404)
	b.post(explainPath, "method", "GET", "path", "/api/user").wants(t, 400, "Choose a key first.")
}

func TestExplainSaysWhatDecides(t *testing.T) {
	w := ready(t)
	b := w.admin()
	reader := w.key("reader", access.Administrators)
	_, err := w.keys.SetRestriction(t.Context(), boss(), reader.ID, access.Restriction{Scopes: []string{"groups:read"}})
	w.must(err)
	plain := w.key("plain", access.AllUsers)
	full := w.key("full", access.Administrators)
	_, err = w.keys.SetTrial(t.Context(), boss(), full.ID, access.Restriction{ReadOnly: true})
	w.must(err)
	gone := w.key("gone", access.Administrators)
	w.must(w.keys.Delete(t.Context(), boss(), gone.ID))
	tests := []struct {
		name  string
		key   int64
		call  []string
		wants []string
	}{
		{"scope", reader.ID, []string{"method", "PUT", "path", "/api/user/7"},
			[]string{"Refused with status 403, reason: scope", "people 7", "field first_name of people", "people:write", "decides"}},
		{"group", plain.ID, []string{"method", "PUT", "path", "/api/user/7"}, []string{"Refused with status 403, reason: group", "Administrators"}},
		{"allowed, on trial", full.ID, []string{"method", "PUT", "path", "/api/user/7"}, []string{"Allowed", "The restriction on trial would have refused it (read-only)", "Change a person"}},
		{"deleted", gone.ID, []string{"method", "PUT", "path", "/api/user/7"}, []string{"Refused with status 401, reason: key-deleted", "The key was deleted."}},
		{"open route", gone.ID, []string{"method", "GET", "path", "/api/health"}, []string{"Answered as if no key was sent"}},
		{"no route", full.ID, []string{"method", "GET", "path", "/api/nothing"}, []string{"Refused with status 404, reason: no-route", "There is no such route."}},
		{"expired by then", plain.ID, []string{"method", "GET", "path", "/api/health", "at", "2050-01-02T10:00", "address", "2001:db8::7"}, []string{"Allowed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.post(explainPath, append(tt.call, "key", fmt.Sprint(tt.key), "body", `{"first_name":"A"}`)...).wants(t, 200, tt.wants...)
		})
	}
}

func TestExplainFaultsStandAtTheirFields(t *testing.T) {
	w := ready(t)
	b := w.admin()
	k := fmt.Sprint(w.key("one", access.AllUsers).ID)
	tests := []struct{ field, value, text string }{
		{"path", "api/user", "Type the path of a call"},
		{"body", "{", "This is not JSON."},
		{"address", "nowhere", "Type an address such as"},
		{"at", "yesterday", "Choose a date and a time."},
	}
	for _, tt := range tests {
		pairs := []string{"key", k, "method", "GET", tt.field, tt.value}
		if tt.field != "path" {
			pairs = append(pairs, "path", "/api/health")
		}
		b.post(explainPath, pairs...).wants(t, 400, tt.text, `id="error-`+tt.field+`"`).lacks(t, "Step by step")
	}
}
