package v1_test

import (
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/access"
)

// work lets a key of Administrators do something: two reads, one change and
// one call of what there is not.
func (h *house) work(who string) {
	h.t.Helper()
	for range 2 {
		h.ok(200, who, "GET", "/v1/keys/{member}", "")
		h.clock.Advance(time.Second)
	}
	h.ok(200, who, "PATCH", "/v1/keys/{member}", `{"description":"by `+who+`"}`)
	h.refused(404, "no-route", who, "GET", "/v1/nowhere", "")
	h.clock.Advance(time.Second)
}

func TestUsageOfAKey(t *testing.T) {
	h := newHouse(t)
	h.makeKey("job", access.Administrators, access.Restriction{})
	h.work("job")
	day := h.ok(200, "ada", "GET", "/v1/keys/{job}/usage", "")
	day.are("by", `"day"`, "to", `"2026-11-22T10:00:03Z"`, "from", `"2026-10-23T10:00:03Z"`,
		"totals", `{"failed":0,"ok":3,"redirect":0,"refused":1,"requests":4}`, "routes.0.route", `"GET /v1/keys/{id}"`, "routes.0.count", "2", "routes.0.failed", "0",
		"refusals", "[]", "addresses.0.address", `"192.0.2.1"`, "addresses.0.count", "4", "addresses.0.failed", "1",
		"series.30.start", `"2026-11-22T00:00:00Z"`, "series.30.ok", "3", "series.0.requests", "0")
	hour := h.ok(200, "root", "GET", "/v1/keys/{job}/usage?by=hour&from=2026-11-22T09:30:00Z&to=2026-11-22T11:00:00Z", "")
	hour.are("by", `"hour"`, "from", `"2026-11-22T09:30:00Z"`, "series.0.start", `"2026-11-22T09:00:00Z"`, "series.1.ok", "3", "series.0.by_secret", "{}")
	if n := len(hour.value.(map[string]any)["series"].([]any)); n != 2 {
		t.Errorf("%d hours", n)
	}
	h.ok(200, "ada", "POST", "/v1/keys/{job}/disable", `{"reason":"pause"}`)
	h.refused(401, "unauthenticated", "job", "GET", "/v1/self", "")
	h.ok(200, "ada", "GET", "/v1/keys/{job}/usage?by=hour", "").are("totals.requests", "5", "refusals.0.code", `"key-disabled"`, "refusals.0.count", "1")
	h.ok(200, "ada", "GET", "/v1/keys/{member}/usage", "").are("totals.requests", "0", "routes", "[]", "addresses", "[]")
}

func TestRequestsOfAKey(t *testing.T) {
	h := newHouse(t)
	h.makeKey("job", access.Administrators, access.Restriction{ReadOnly: true})
	h.ok(200, "job", "GET", "/v1/keys", "")
	h.refused(403, "read-only", "job", "DELETE", "/v1/keys/{member}", "")
	page := h.ok(200, "ada", "GET", "/v1/keys/{job}/requests?limit=1", "")
	page.are("data.0.route", `"DELETE /v1/keys/{id}"`, "data.0.status", "403", "data.0.refused", `"read-only"`, "data.0.trial", "null", "data.0.took_ms", "0",
		"data.0.address", `"192.0.2.1"`, "data.0.client", `"curl/8"`, "dropped.total", "0", "dropped.by_why", `{"aged":0,"full":0,"rate":0}`, "dropped.kept", "2")
	h.ids["next"] = page.id("next")
	h.ok(200, "ada", "GET", "/v1/keys/{job}/requests?before={next}", "").are("data.0.route", `"GET /v1/keys"`, "data.0.refused", "null", "next", "null")
	h.ok(200, "ada", "GET", "/v1/keys/{member}/requests", "").are("data", "[]", "next", "null")
}

func TestVerdictOnAKey(t *testing.T) {
	h := newHouse(t)
	h.ok(200, "ada", "GET", "/v1/keys/{member}/verdict", "").are("safety", `"caution"`, "last_used", "null", "recent_requests", "0")
	h.ok(200, "member", "GET", "/v1/self", "")
	h.ok(200, "ada", "GET", "/v1/keys/{member}/verdict", "").are("safety", `"in-use"`, "last_used.client", `"curl/8"`, "recent_requests", "1")
	h.clock.Advance(100 * 24 * time.Hour)
	h.ok(200, "ada", "GET", "/v1/keys/{member}/verdict", "").are("safety", `"safe"`, "recent_requests", "0")
}

func TestTrialOfARestriction(t *testing.T) {
	h := newHouse(t)
	h.makeKey("job", access.Administrators, access.Restriction{})
	h.ok(200, "ada", "GET", "/v1/keys/{job}/trial", "").are("restriction", "null", "since", "null", "total", "0", "refusals", "[]")
	h.ok(200, "ada", "PUT", "/v1/keys/{job}/trial", `{"routes":["GET /v1/keys/{id}"]}`).
		are("trial", `{"routes":["GET /v1/keys/{id}"]}`, "trial_since", `"2026-11-22T10:00:00Z"`, "restriction", "{}")
	h.work("job")
	h.ok(200, "ada", "GET", "/v1/keys/{job}/trial", "").are("total", "1", "refusals.0.code", `"route"`, "refusals.0.route", `"PATCH /v1/keys/{id}"`,
		"refusals.0.count", "1", "since", `"2026-11-22T10:00:00Z"`)
	h.ok(200, "ada", "GET", "/v1/keys/{job}/requests", "").are("data.1.trial", `"route"`, "data.1.refused", "null")
	h.ok(200, "ada", "POST", "/v1/keys/{job}/trial/enforce", "").are("trial", "null", "trial_since", "null", "restriction", `{"routes":["GET /v1/keys/{id}"]}`)
	h.refused(403, "route", "job", "PATCH", "/v1/keys/{member}", `{"description":"x"}`)
	h.refused(400, "trial-wider", "ada", "PUT", "/v1/keys/{job}/trial", `{"read_only":true}`, "restriction trial-wider")
	h.ok(200, "ada", "PUT", "/v1/keys/{job}/trial", `{"routes":["GET /v1/keys/{id}"],"read_only":true}`)
	h.ok(204, "ada", "DELETE", "/v1/keys/{job}/trial", "")
	h.ok(204, "ada", "DELETE", "/v1/keys/{job}/trial", "")
	h.ok(200, "ada", "GET", "/v1/keys/{job}", "").are("trial", "null")
}

func TestRestrictKey(t *testing.T) {
	h := newHouse(t)
	h.makeKey("job", access.Administrators, access.Restriction{})
	h.ok(200, "ada", "PUT", "/v1/keys/{job}/restriction", `{"read_only":true,"scopes":["keys:read","audit:read"],"resources":{"keys":[{member},"0{root}"],"settings":["site_name"]},
		"addresses":["::ffff:192.0.2.0/120"],"quota":{"requests":10,"period":"day"},"hours":{"days":["SUN","mon"],"from":"08:00","to":"18:00"}}`).
		are("restriction", h.path(`{"addresses":["192.0.2.0/24"],"hours":{"days":["mon","sun"],"from":"08:00","to":"18:00"},"quota":{"period":"day","requests":10},`+
			`"read_only":true,"resources":{"keys":["{root}","{member}"],"settings":["site-name"]},"scopes":["audit:read","keys:read"]}`))
	h.refused(403, "read-only", "job", "PATCH", "/v1/keys/{member}", `{"name":"x"}`)
	h.from = netip.Addr{}
	h.ok(200, "ada", "PUT", "/v1/keys/{job}/restriction", `{"addresses":["198.51.100.7"]}`)
	h.refused(401, "unauthenticated", "job", "GET", "/v1/self", "")
	h.ok(200, "ada", "PUT", "/v1/keys/{job}/restriction", `{}`).are("restriction", "{}")
	h.ok(200, "job", "GET", "/v1/self", "")
}

// What is suggested is what the key did, and can be put on trial as it is.
func TestSuggestionForAKey(t *testing.T) {
	h := newHouse(t)
	h.makeKey("job", access.Administrators, access.Restriction{})
	h.ok(200, "ada", "GET", "/v1/keys/{job}/suggestion", "").are("requests", "0", "restriction", "{}", "addresses", "[]",
		"since", `"2026-10-23T10:00:00Z"`, "notes.0", `"No call that succeeded tells what the key needs, so there is nothing to learn from."`)
	h.work("job")
	got := h.ok(200, "ada", "GET", "/v1/keys/{job}/suggestion?since=2026-11-22T09:00:00Z", "")
	got.are("requests", "4", "addresses", `["192.0.2.1"]`, "restriction.scopes", `["keys:read","keys:write"]`,
		"restriction.routes", `["GET /v1/keys/{id}","PATCH /v1/keys/{id}"]`, "restriction.resources.keys", h.path(`["{member}"]`), "restriction.fields", `{"keys":["description"]}`)
	h.ok(200, "ada", "PUT", "/v1/keys/{job}/trial", got.at("restriction"))
	h.work("job")
	h.ok(200, "ada", "GET", "/v1/keys/{job}/trial", "").are("total", "0")
	h.ok(200, "ada", "POST", "/v1/keys/{job}/trial/enforce", "")
	h.ok(200, "job", "GET", "/v1/keys/{member}", "")
	h.refused(403, "resource", "job", "GET", "/v1/keys/{root}", "")
}
