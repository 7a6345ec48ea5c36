package api_test

import (
	"encoding/json"
	"testing"
)

func TestSettingRoutes(t *testing.T) {
	const unknown = "Unknown setting: :bogus"
	eachInstance(t, func(t *testing.T, in *instance) {
		in.run(t, []row{
			{name: "list", who: "ada", call: "GET /api/setting", status: 200, want: "-", has: []string{
				`{"key":"api-key-prefix","value":null,"is_env_setting":false,"env_name":"LATCHKEY_KEY_PREFIX","description":"How new API keys begin`,
				`"key":"site-name","value":"Acme"`,
				`"key":"site-url","value":null,"is_env_setting":true,"env_name":"LATCHKEY_SITE_URL"`,
				`"default":"Using value of env var $LATCHKEY_SITE_URL"`,
			}, not: []string{"setup-token"}},
			{name: "list, plain person", who: "bo", call: "GET /api/setting", status: 403, want: noPermission},
			{name: "list, anonymous", call: "GET /api/setting", status: 401, want: "Unauthenticated"},

			{name: "get", who: "ada", call: "GET /api/setting/site-name", status: 200, want: `"Acme"`},
			{name: "get, with a key", who: "root", call: "GET /api/setting/site-name/", status: 200, want: `"Acme"`},
			{name: "get, unset", who: "ada", call: "GET /api/setting/report-timezone", status: 204},
			{name: "get, default", who: "ada", call: "GET /api/setting/start-of-week", status: 204},
			{name: "get, of the configuration", who: "ada", call: "GET /api/setting/site-url", status: 204},
			{name: "get, unknown", who: "ada", call: "GET /api/setting/bogus", status: 400, want: unknown},
			{name: "get, internal", who: "ada", call: "GET /api/setting/setup-token", status: 400, want: "Unknown setting: :setup-token"},
			{name: "get, plain person", who: "bo", call: "GET /api/setting/site-name", status: 403, want: noPermission},
			{name: "get, unknown, plain person", who: "bo", call: "GET /api/setting/bogus", status: 403, want: noPermission},
			{name: "get, anonymous", call: "GET /api/setting/site-name", status: 401, want: "Unauthenticated"},

			{name: "put", who: "ada", call: "PUT /api/setting/site-name", body: `{"value":"Data"}`, status: 204},
			{name: "is in force", call: "GET /api/session/properties", status: 200, want: "-", has: []string{`"site-name":"Data"`}},
			{name: "put a switch", who: "root", call: "PUT /api/setting/show-metabase-links", body: `{"value":false}`, status: 204},
			{name: "get a switch", who: "ada", call: "GET /api/setting/show-metabase-links", status: 200, want: `false`},
			{name: "put a number", who: "ada", call: "PUT /api/setting/custom-homepage-dashboard", body: `{"value":7}`, status: 204},
			{name: "get a number", who: "ada", call: "GET /api/setting/custom-homepage-dashboard", status: 200, want: `7`},
			{name: "put an object", who: "ada", call: "PUT /api/setting/custom-formatting", body: `{"value":{"type/Number":{"decimals":2}}}`, status: 204},
			{name: "get an object", who: "ada", call: "GET /api/setting/custom-formatting", status: 200, want: `{"type/Number":{"decimals":2}}`},
			{name: "put null", who: "ada", call: "PUT /api/setting/show-metabase-links", body: `{"value":null}`, status: 204},
			{name: "back to the default", who: "ada", call: "GET /api/setting/show-metabase-links", status: 204},
			{name: "put by form", who: "ada", call: "PUT /api/setting/start_of_week", body: `value=monday`, status: 204},
			{name: "underscores are fine", who: "ada", call: "GET /api/setting/start_of_week", status: 200, want: `"monday"`},
			{name: "put a wrong value", who: "ada", call: "PUT /api/setting/start-of-week", body: `{"value":"x"}`, status: 400, want: "-", has: []string{`{"errors":{"value":"value must be one of: `}},
			{name: "put nothing", who: "ada", call: "PUT /api/setting/start-of-week", body: `{}`, status: 400, want: "-", has: []string{`"errors":{"value":`}},
			{name: "put what the configuration sets", who: "ada", call: "PUT /api/setting/site-url", body: `{"value":"https://x.test"}`, status: 400, want: "-", has: []string{"LATCHKEY_SITE_URL"}},
			{name: "put, unknown", who: "ada", call: "PUT /api/setting/bogus", body: `{"value":1}`, status: 400, want: unknown},
			{name: "put, plain person", who: "bo", call: "PUT /api/setting/site-name", body: `{"value":"x"}`, status: 403, want: noPermission},
			{name: "put, plain key", who: "reader", call: "PUT /api/setting/site-name", body: `{"value":"x"}`, status: 403, want: noPermission},
			{name: "put, anonymous", call: "PUT /api/setting/site-name", body: `{"value":"x"}`, status: 401, want: "Unauthenticated"},

			{name: "several", who: "ada", call: "PUT /api/setting", body: `{"site-name":"Both","landing_page":"/x"}`, status: 204},
			{name: "both are in force", call: "GET /api/session/properties", status: 200, want: "-", has: []string{`"site-name":"Both"`, `"landing-page":"/x"`}},
			{name: "all or none", who: "ada", call: "PUT /api/setting", body: `{"site-name":"None","start-of-week":"x"}`, status: 400, want: "-", has: []string{`{"errors":{"start-of-week":`}},
			{name: "several, one unknown", who: "ada", call: "PUT /api/setting", body: `{"site-name":"None","bogus":1}`, status: 400, want: unknown},
			{name: "none", who: "ada", call: "GET /api/setting/site-name", status: 200, want: `"Both"`},
			{name: "nothing", who: "ada", call: "PUT /api/setting", body: `{}`, status: 204},
			{name: "a list", who: "ada", call: "PUT /api/setting", body: `[1]`, status: 400, want: "-"},
			{name: "several, plain person", who: "bo", call: "PUT /api/setting", body: `{"site-name":"x"}`, status: 403, want: noPermission},
			{name: "several, anonymous", call: "PUT /api/setting", body: `{"site-name":"x"}`, status: 401, want: "Unauthenticated"},
		})
	})
}

// TestSettingListIsBare wants an array of objects with exactly these keys.
func TestSettingListIsBare(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		rec := in.send(t, row{who: "ada", call: "GET /api/setting", status: 200, want: "-"})
		var list []map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			for _, key := range []string{"key", "value", "is_env_setting", "env_name", "description", "default"} {
				if _, ok := s[key]; !ok || len(s) != 6 {
					t.Errorf("%v", s)
				}
			}
		}
	})
}
