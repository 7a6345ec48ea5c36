package matrix_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

var numbers = regexp.MustCompile(`/\d+`)

// public are the routes that anybody may call. A route that is declared public
// and is not here fails the test, and the other way round.
func public() []string {
	return []string{
		"GET /api/health", "GET /livez", "GET /readyz",
		"GET /api/docs", "GET /api/docs/style.css", "GET /api/docs/openapi.json",
		"POST /api/setup",
		"POST /api/session", "DELETE /api/session", "GET /api/session/properties",
		"POST /api/session/password-check", "POST /api/session/forgot_password",
		"POST /api/session/reset_password", "GET /api/session/password_reset_token_valid",
		"POST /api/session/google_auth",
		"GET /v1/docs", "GET /v1/docs/style.css", "GET /v1/openapi.json", "GET /v1/vocabulary",

		"GET /setup", "POST /setup", "GET /auth/login", "POST /auth/login", "POST /auth/logout",
		"GET /auth/forgot_password", "POST /auth/forgot_password",
		"GET /auth/reset_password/{token}", "POST /auth/reset_password/{token}",
	}
}

func TestPublicRoutes(t *testing.T) {
	api, pages := declared(freshWorld(t, dbtest.SQLite))
	var got []string
	for _, r := range slices.Concat(api, pages) {
		if r.who == access.Anyone.String() {
			got = append(got, r.String())
		}
	}
	for _, r := range got {
		if !slices.Contains(public(), r) {
			t.Errorf("%s lets anybody in; if that is meant, add it to the list here", r)
		}
	}
	for _, r := range public() {
		if !slices.Contains(got, r) {
			t.Errorf("%s is on the list of public routes, but is not declared public", r)
		}
	}
}

// told are the routes that tell a caller without rights whether an object
// exists. Metabase's do (contract/identity.md 3.6), so clients see it here too.
func told() []string { return []string{"DELETE /api/permissions/membership/{id}"} }

// tells reports whether a route tells that to a caller. With content, Metabase
// says of a number that it is unknown and of an object that it is closed
// (contract/content-data.md 1), and our pages say the same; only a bookmark that
// is not there is taken away in silence.
func tells(r route, name string) bool {
	ofContent := func(path string) bool { return strings.HasPrefix(r.path, path+"/") }
	found := r.who == access.Authenticated("", "").Who.String() && slices.ContainsFunc(contentPaths(), ofContent) &&
		r.String() != "DELETE /api/bookmark/{model}/{id}"
	return name != anonymous && (found || slices.Contains(told(), r.String())) && (name == plain || !r.page)
}

// contentPaths are where the routes and pages of content are.
func contentPaths() []string {
	return []string{
		"/api/collection", "/api/card", "/api/dashboard", "/api/timeline", "/api/timeline-event", "/api/native-query-snippet",
		"/api/revision", "/api/bookmark", "/collection", "/question", "/dashboard",
	}
}

// missing is an id that nothing has.
const missing = 999_999

// TestForeignLooksMissing: who may not touch an object does not learn whether
// it exists.
func TestForeignLooksMissing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite)
	w.reopen(levelNone)
	api, pages := declared(w)
	recipes := callRecipes()
	maps.Copy(recipes, allPageRecipes())
	for _, r := range slices.Concat(api, pages) {
		rec, ok := recipes[r.String()] // TestMatrix demands one
		if !ok || r.who == access.Anyone.String() || !wildcard.MatchString(r.path) {
			continue
		}
		for _, name := range []string{anonymous, plain, plainKey} {
			p := w.callers[name]
			c := rec.make(w, p)
			foreign := w.send(r, c, p)
			for value, v := range c.path {
				if _, isID := v.(int64); isID || strings.HasSuffix(r.path, "/{id}/end") {
					c.path[value] = int64(missing)
				}
			}
			absent := w.send(r, c, p)
			alike := class(foreign, nil) == class(absent, nil) && (foreign.Status == 303 || plainBody(foreign) == plainBody(absent))
			if alike == tells(r, name) {
				t.Errorf("%s by %s: a foreign object is answered %d, a missing one %d", r, name, foreign.Status, absent.Status)
			}
		}
	}
}

// plainBody is a body without the id of the request, which a problem bears.
func plainBody(a apptest.Answer) string { return requestID.ReplaceAllString(a.Body, "") }

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// TestMissing: for an administrator, what is missing is 404 and nothing else,
// and a number beyond all rows is missing too.
func TestMissing(t *testing.T) {
	w := newWorld(t, dbtest.PostgreSQL)
	api, pages := declared(w)
	recipes := callRecipes()
	maps.Copy(recipes, allPageRecipes())
	// DELETE of an unknown group is 204, which clients rely on (3.5). In the
	// pages, deleting a key that is gone is what was wanted. Changing a
	// membership is always 402. A policy for a group that there is not is a
	// mistake in what is sent. Nobody is told what is not bookmarked, and who asks
	// for a version that is gone is led to those that there are.
	others := map[string]string{
		"DELETE /api/permissions/group/{id}":                       "204",
		"PUT /api/permissions/membership/{id}":                     "402",
		"PUT /v1/policies/{group_id}":                              "400",
		"POST /v1/policies/{group_id}/preview":                     "400",
		"DELETE /api/bookmark/{model}/{id}":                        "204",
		"GET /question/{id}/history/{revision}/revert":             "303 404",
		"GET /dashboard/{id}/history/{revision}/revert":            "303 404",
		"POST /admin/settings/authentication/api-keys/{id}/delete": "303 404",
	}
	for _, r := range slices.Concat(api, pages) {
		p, rec := w.callers[admin], recipes[r.String()]
		if rec.make == nil {
			continue // TestMatrix demands one
		}
		for _, name := range []string{"id", "group_id", "secret", "session", "dashcard", "card", "revision"} {
			if !strings.Contains(r.path, "{"+name+"}") {
				continue
			}
			for _, id := range []any{int64(missing), "99999999999999999999"} {
				c := rec.make(w, p)
				c.path[name] = id
				want := cmp.Or(others[r.String()], "404")
				if got := w.send(r, c, p); !strings.Contains(want, fmt.Sprint(got.Status)) {
					t.Errorf("%s with the %s %v: %d %.200s, want %s", r, name, id, got.Status, got.Body, want)
				}
			}
		}
	}
	noTrouble(t, w)
}

// TestSelf: what callers may do to themselves, and that it gives them nothing
// more than they had.
func TestSelf(t *testing.T) {
	w := newWorld(t, dbtest.SQLite)
	own := map[string]int64{plain: w.userID(plain), plainKey: w.userID(plainKey), adminKey: w.userID(adminKey), admin: w.userID(admin)}
	other := w.person()
	group := w.group()
	tests := []struct {
		who    string
		method string
		path   string // %d is the caller's own id
		body   any
		want   int
	}{
		{plain, "GET", "/api/user/%d", nil, 200},
		{plainKey, "GET", "/api/user/%d", nil, 200},
		{plain, "PUT", "/api/user/%d", body{"first_name": "Bo"}, 200},
		{plain, "PUT", "/api/user/%d", body{"is_superuser": true}, 200}, // ignored, see below
		{plain, "PUT", "/api/user/%d", body{"user_group_memberships": []body{{"id": 1}, {"id": 2}}}, 403},
		{plain, "PUT", "/api/user/%d", body{"user_group_memberships": []body{{"id": 1}, {"id": group}}}, 403},
		{plain, "PUT", "/api/user/%d", body{"user_group_memberships": []body{{"id": 1}}}, 200},
		{plain, "PUT", "/api/user/%d/modal/qbnewb", nil, 200},
		{plain, "PUT", "/api/user/%d/password", body{"password": "new horse 43"}, 400}, // the old one is missing
		{plain, "PUT", "/api/user/%d/password", body{"password": "new horse 43", "old_password": "wrong 42"}, 400},
		{plain, "DELETE", "/api/user/%d", nil, 403},
		{plain, "PUT", "/api/user/%d/reactivate", nil, 403},
		{plainKey, "PUT", "/api/user/%d", body{"is_superuser": true}, 200},
		{plainKey, "PUT", "/api/user/%d", body{"user_group_memberships": []body{{"id": 1}, {"id": 2}}}, 403},
		{plainKey, "PUT", "/api/user/%d", body{"email": "colleague@example.com"}, 400},
		{adminKey, "PUT", "/api/user/%d", body{"email": "colleague@example.com"}, 400},
		{plain, "PUT", "/api/user/%d", body{"email": apptest.AdminEmail}, 400}, // taken
		{plainKey, "PUT", "/api/user/%d/password", body{"password": "new horse 43"}, 404},
		{plainKey, "DELETE", "/api/user/%d", nil, 403},
		{admin, "DELETE", "/api/user/%d/nonsense", nil, 404},
	}
	for _, tt := range tests {
		path := fmt.Sprintf(tt.path, own[tt.who])
		if got := w.Do(tt.method, path, tt.body, w.callers[tt.who].api()...); got.Status != tt.want {
			t.Errorf("%s %s %v by %s: %d %s, want %d", tt.method, tt.path, tt.body, tt.who, got.Status, got.Body, tt.want)
		}
	}
	for _, name := range []string{plain, plainKey} {
		if got := w.Do("GET", "/api/permissions/group", nil, w.callers[name].api()...); got.Status != 403 {
			t.Errorf("%s made itself an administrator: %d", name, got.Status)
		}
		for _, id := range []int64{other, missing} {
			if got := w.Do("GET", fmt.Sprintf("/api/user/%d", id), nil, w.callers[name].api()...); got.Status != 403 {
				t.Errorf("GET /api/user/%d by %s: %d, want 403", id, name, got.Status)
			}
		}
	}
}

// TestKeyOpensNoPage: an administrator's key beside a bad session, as header
// or cookie, opens no page and ends no session of anybody.
func TestKeyOpensNoPage(t *testing.T) {
	w := newWorld(t, dbtest.SQLite)
	key := w.callers[adminKey].key
	for name, headers := range map[string][]string{
		"key":                   {"X-API-Key", key},
		"key and bad session":   {"X-API-Key", key, "Cookie", "metabase.SESSION=3c2d1f1e-0d6e-4f0e-9a43-0c6f5d0f7c11"},
		"key as session":        {"Cookie", "metabase.SESSION=" + key},
		"key as session header": {"X-Metabase-Session", key},
		"key as bearer":         {"Authorization", "Bearer " + key},
	} {
		if got := w.Do("GET", "/admin/people", nil, headers...); got.Status != 303 {
			t.Errorf("%s: /admin/people is answered %d, want 303", name, got.Status)
		}
		form := url.Values{"name": {"made by a key"}}
		if got := w.sendForm("POST", "/admin/people/groups/new", form, headers); got.Status != 303 || !strings.HasPrefix(got.Header.Get("Location"), "/auth/login") {
			t.Errorf("%s: a form is answered %d to %s", name, got.Status, got.Header.Get("Location"))
		}
	}
	if got := w.Do("GET", "/api/permissions/group", nil, w.callers[admin].api()...); strings.Contains(got.Body, "made by a key") {
		t.Error("a form that was sent with a key was carried out")
	}
	if got := w.Do("GET", "/api/user/current?x-api-key="+url.QueryEscape(key)+"&api_key="+url.QueryEscape(key), nil); got.Status != 401 {
		t.Errorf("a key in the query is answered %d, want 401", got.Status)
	}
}

// TestPathVariants: no way of writing a path leads past its policy.
func TestPathVariants(t *testing.T) {
	w := newWorld(t, dbtest.SQLite)
	api, pages := declared(w)
	for _, r := range slices.Concat(api, pages) {
		if r.who != access.Admins.String() || r.method != "GET" || wildcard.MatchString(r.path) {
			continue
		}
		rest, encoded := r.path[1:], fmt.Sprintf("/%%%x", r.path[1])+r.path[2:]
		for _, path := range []string{
			r.path + "/", "/" + r.path, "/./" + rest, "/x/../" + rest, r.path + "/.", r.path + "//", encoded, strings.ToUpper(r.path),
			r.path + ";a=b", r.path + "%00", r.path + "%20", r.path + "/%2e", r.path + ".json", strings.Replace(r.path, "/", "/%2f", 1), r.path + "?a=/..",
		} {
			for _, name := range []string{anonymous, plain, plainKey, deleted, disabled} {
				for _, method := range []string{"GET", "HEAD"} {
					headers := w.callers[name].api()
					if r.page {
						headers = w.callers[name].pages()
					}
					if got := w.Do(method, path, nil, headers...); got.Status < 300 || got.Status >= 500 {
						t.Errorf("%s %s by %s: %d %.100s", method, path, name, got.Status, got.Body)
					}
				}
			}
		}
	}
	noTrouble(t, w)
}
