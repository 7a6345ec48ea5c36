package v1_test

import (
	"testing"

	"latchkey/internal/access"
)

func TestPolicies(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "ada", "GET", "/v1/policies", "").are("data", "[]")
	set := h.ok(200, "ada", "PUT", "/v1/policies/0", `{"default_days":30,"max_days":90,"max_overlap_days":7,"rate_limit":{"requests":100,"seconds":60},
		"allow_personal":true,"self_rotate":true,"self_revoke":true}`)
	set.are("policy", h.path(`{"allow_personal":true,"default_days":30,"group":null,"group_id":0,"max_days":90,"max_overlap_days":7,`+
		`"rate_limit":{"requests":100,"seconds":60},"self_revoke":true,"self_rotate":true,"updated_at":"2026-11-22T10:00:00Z","updated_by":{"id":{ada},"name":"ada"}}`),
		"violators.total", "2", "violators.data.0", h.path(`{"detail":"It never ends.","expires_at":null,"key":{"id":{root},"kind":"service","name":"root"},"new_end":null,"problem":"policy-max-days"}`))
	h.ok(200, "root", "PUT", "/v1/policies/{Analysts}", `{"max_days":60}`).are("policy.group", h.path(`{"id":{Analysts},"name":"Analysts"}`),
		"policy.default_days", "null", "policy.rate_limit", "null", "policy.allow_personal", "false", "violators.total", "1", "violators.data.0.key.name", `"member"`)
	h.ok(200, "ada", "GET", "/v1/policies", "").are("data.0.group_id", "0", "data.1.group_id", h.path("{Analysts}"))
	h.ok(201, "ada", "POST", "/v1/keys", `{"name":"a"}`).are("expires_at", `"2026-12-22T10:00:00Z"`)
	h.refused(400, "policy-max-days", "ada", "POST", "/v1/keys", `{"name":"b","expires_at":null}`, "expires_at policy-max-days")
	h.refused(400, "policy-max-days", "ada", "PATCH", "/v1/keys/{member}", `{"expires_at":"2027-02-01T00:00:00Z"}`, "expires_at policy-max-days")
	h.refused(400, "policy-max-overlap", "ada", "POST", "/v1/keys/{member}/rotate", `{"overlap_days":8}`, "overlap_until policy-max-overlap")
	h.ok(204, "ada", "DELETE", "/v1/policies/{Analysts}", "")
	h.refused(404, "not-found", "ada", "DELETE", "/v1/policies/{Analysts}", "")
	h.ok(200, "ada", "PUT", "/v1/policies/0", `{"max_days":0,"default_days":null,"rate_limit":null}`).are("policy.max_days", "null", "violators", `{"data":[],"total":0}`)
}

func TestPreviewAndCap(t *testing.T) {
	h := newHouse(t)
	h.makeKey("reader", access.Administrators, access.Restriction{ReadOnly: true})
	before := h.head()
	h.ok(200, "ada", "POST", "/v1/policies/{Analysts}/preview", `{"max_days":10,"existing":{"cap":true,"from":"2026-12-24T00:00:00Z"}}`).
		are("total", "1", "data.0.key.name", `"member"`, "data.0.problem", `"policy-max-days"`, "data.0.new_end", `"2026-12-24T00:00:00Z"`)
	h.ok(200, "reader", "POST", "/v1/policies/{Analysts}/preview", `{"max_days":10,"existing":{"cap":true}}`).are("total", "1")
	if h.ok(200, "ada", "GET", "/v1/keys/{member}", "").at("expires_at") != "null" || h.head() != before {
		t.Error("a preview changed a key")
	}
	h.makeKey("policies", access.Administrators, access.Restriction{Scopes: []string{"policies:read", "policies:write"}})
	h.refused(403, "scope", "policies", "PUT", "/v1/policies/{Analysts}", `{"max_days":10,"existing":{"cap":true}}`)
	h.ok(200, "policies", "PUT", "/v1/policies/{Analysts}", `{"max_days":11}`)
	h.ok(200, "ada", "PUT", "/v1/policies/{Analysts}", `{"max_days":10,"existing":{"cap":true}}`).are("violators.data.0.new_end", `"2026-12-02T10:00:00Z"`)
	h.ok(200, "ada", "GET", "/v1/keys/{member}", "").are("expires_at", `"2026-12-02T10:00:00Z"`)
}

func TestBadInputOfPolicies(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/v1/policies/{Analysts}", "/v1/policies/{Analysts}/preview"} {
		method := "PUT"
		if path != "/v1/policies/{Analysts}" {
			method = "POST"
		}
		for _, tt := range []struct {
			body, code string
			fields     []string
		}{
			{`[]`, "invalid", []string{"body type"}},
			{`{"max_days":"many"}`, "invalid", []string{"max_days type"}},
			{`{"max_days":-1}`, "invalid", []string{"max_days refused"}},
			{`{"max_days":3651}`, "invalid", []string{"max_days refused"}},
			{`{"max_days":9223372036854775807}`, "invalid", []string{"max_days refused"}},
			{`{"max_days":30,"default_days":31}`, "invalid", []string{"default_days refused"}},
			{`{"rate_limit":{"requests":5}}`, "invalid", []string{"rate_limit.seconds missing"}},
			{`{"rate_limit":{"requests":5,"seconds":86401}}`, "invalid", []string{"rate_limit refused"}},
			{`{"rate_limit":{"requests":5,"seconds":60,"burst":2}}`, "invalid", []string{"rate_limit.burst unknown"}},
			{`{"allow_personal":null}`, "invalid", []string{"allow_personal type"}},
			{`{"self_rotate":"perhaps"}`, "invalid", []string{"self_rotate type"}},
			{`{"group_id":3}`, "invalid", []string{"group_id unknown"}},
			{`{"existing":{}}`, "invalid", []string{"existing.cap missing"}},
			{`{"existing":{"cap":true,"from":"soon"}}`, "invalid", []string{"existing.from refused"}},
			{`{"max_days":5,"existing":{"cap":true,"from":"2026-11-01T00:00:00Z"}}`, "in-the-past", []string{"from in-the-past"}},
		} {
			h.refused(400, tt.code, "ada", method, path, tt.body, tt.fields...)
		}
	}
	h.refused(400, "unknown-group", "ada", "PUT", "/v1/policies/999999", `{}`, "group_id unknown-group")
	h.refused(400, "unknown-group", "ada", "POST", "/v1/policies/999999/preview", `{}`, "group_id unknown-group")
	h.refused(404, "not-found", "ada", "DELETE", "/v1/policies/999999", "")
	h.refused(404, "no-route", "ada", "DELETE", "/v1/policies/-1", "")
	h.refused(404, "no-route", "ada", "PUT", "/v1/policies/all", `{}`)
	h.refused(405, "method-not-allowed", "ada", "GET", "/v1/policies/0", "")
}
