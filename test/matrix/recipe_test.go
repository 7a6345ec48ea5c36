package matrix_test

import (
	"fmt"
	"net/url"
	"regexp"

	"latchkey/internal/apptest"
)

// recipe makes the valid call of a route by a caller, victims included.
type recipe struct {
	make   func(w *world, p principal) call
	spends bool // the call may end sessions of the caller, who so gets a new one
	once   bool // the call works on a new instance once
	// tells puts into a word what callers get to see, where one route answers
	// differently to different callers.
	tells func(a apptest.Answer) string
}

type (
	values = map[string]any
	body   = map[string]any
)

// fixed is a recipe that needs nothing.
func fixed(c call) recipe { return recipe{make: func(*world, principal) call { return c }} }

// on is a recipe for a route with one id and a body that does not depend on it.
func on(id func(w *world) int64, json any) recipe {
	return recipe{make: func(w *world, _ principal) call { return call{path: values{"id": id(w)}, body: json} }}
}

func key(w *world) int64      { return w.apiKey() }
func group(w *world) int64    { return w.group() }
func person(w *world) int64   { return w.person() }
func inactive(w *world) int64 { return w.inactive() }

// apiRecipes has one for each declared route of the API.
func apiRecipes() map[string]recipe {
	return map[string]recipe{
		"GET /api/health":            fixed(call{}),
		"GET /livez":                 fixed(call{}),
		"GET /readyz":                fixed(call{}),
		"GET /api/docs":              fixed(call{}),
		"GET /api/docs/style.css":    fixed(call{}),
		"GET /api/docs/openapi.json": fixed(call{}),

		"POST /api/setup":                   {make: setup, once: true},
		"POST /api/session":                 {make: signIn},
		"DELETE /api/session":               {make: nothing, spends: true},
		"GET /api/session/properties":       {make: nothing, tells: properties},
		"POST /api/session/password-check":  fixed(call{body: body{"password": password}}),
		"POST /api/session/forgot_password": fixed(call{body: body{"email": apptest.AdminEmail}}),
		"POST /api/session/reset_password": {make: func(w *world, _ principal) call {
			return call{body: body{"token": w.resetToken(), "password": password}}
		}},
		"GET /api/session/password_reset_token_valid": {make: func(w *world, _ principal) call {
			return call{query: "?token=" + w.resetToken()}
		}, tells: valid},
		"POST /api/session/google_auth": fixed(call{}),

		"GET /api/user":            fixed(call{}),
		"GET /api/user/current":    fixed(call{}),
		"GET /api/user/recipients": fixed(call{}),
		"POST /api/user": {make: func(w *world, _ principal) call {
			return call{body: body{"email": w.email()}}
		}},
		"GET /api/user/{id}":            on(person, nil),
		"PUT /api/user/{id}":            on(person, body{"first_name": "New"}),
		"DELETE /api/user/{id}":         on(person, nil),
		"PUT /api/user/{id}/reactivate": on(inactive, nil),
		"PUT /api/user/{id}/password":   on(person, body{"password": password}),
		"PUT /api/user/{id}/modal/{modal}": {make: func(w *world, _ principal) call {
			return call{path: values{"id": w.person(), "modal": "qbnewb"}}
		}},

		"GET /api/permissions/group": fixed(call{}),
		"POST /api/permissions/group": {make: func(w *world, _ principal) call {
			return call{body: body{"name": w.unique("new group")}}
		}},
		"GET /api/permissions/group/{id}": on(group, nil),
		"PUT /api/permissions/group/{id}": {make: func(w *world, _ principal) call {
			return call{path: values{"id": w.group()}, body: body{"name": w.unique("renamed group")}}
		}},
		"DELETE /api/permissions/group/{id}": on(group, nil),
		"GET /api/permissions/membership":    fixed(call{}),
		"POST /api/permissions/membership": {make: func(w *world, _ principal) call {
			return call{body: body{"group_id": w.group(), "user_id": w.person()}}
		}},
		"PUT /api/permissions/membership/{id}": {make: func(w *world, _ principal) call {
			return call{path: values{"id": w.member().membership}, body: body{"is_group_manager": true}}
		}},
		"PUT /api/permissions/membership/{id}/clear": {make: func(w *world, _ principal) call {
			return call{path: values{"id": w.member().group}}
		}},
		"DELETE /api/permissions/membership/{id}": {make: func(w *world, _ principal) call {
			return call{path: values{"id": w.member().membership}}
		}},
		"GET /api/ee/advanced-permissions/application/graph": fixed(call{}),
		"PUT /api/ee/advanced-permissions/application/graph": fixed(call{body: body{"revision": 0, "groups": body{}}}),

		"GET /api/api-key":       fixed(call{}),
		"GET /api/api-key/count": fixed(call{}),
		"POST /api/api-key": {make: func(w *world, _ principal) call {
			return call{body: body{"name": w.unique("new key"), "group_id": 1}}
		}},
		"PUT /api/api-key/{id}":            on(key, body{"group_id": 2}),
		"PUT /api/api-key/{id}/regenerate": on(key, nil),
		"DELETE /api/api-key/{id}":         on(key, nil),

		"GET /api/setting":       fixed(call{}),
		"PUT /api/setting":       fixed(call{body: body{"site-name": apptest.SiteName}}),
		"GET /api/setting/{key}": fixed(call{path: values{"key": "site-name"}}),
		"PUT /api/setting/{key}": fixed(call{path: values{"key": "site-name"}, body: body{"value": apptest.SiteName}}),
	}
}

func nothing(*world, principal) call { return call{} }

// setup sends the token that was good before set-up.
func setup(w *world, _ principal) call {
	return call{body: body{
		"token": w.setupToken,
		"user":  body{"email": "eve@example.com", "password": password},
		"prefs": body{"site_name": "Eve"},
	}}
}

func signIn(*world, principal) call {
	return call{body: body{"username": apptest.AdminEmail, "password": password}}
}

// pageRecipes has one for each declared page and form.
func pageRecipes() map[string]recipe {
	const (
		keys   = "/admin/settings/authentication/api-keys"
		people = "/admin/people/user"
		groups = "/admin/people/groups"
	)
	return map[string]recipe{
		"GET /setup":                 fixed(call{}),
		"POST /setup":                {make: setupForm, once: true},
		"GET /auth/login":            fixed(call{}),
		"POST /auth/login":           form("username", apptest.AdminEmail, "password", password),
		"POST /auth/logout":          {make: emptyForm, spends: true},
		"GET /auth/forgot_password":  fixed(call{}),
		"POST /auth/forgot_password": form("email", apptest.AdminEmail),
		"GET /auth/reset_password/{token}": {make: func(w *world, _ principal) call {
			return call{path: values{"token": w.resetToken()}}
		}},
		"POST /auth/reset_password/{token}": {make: func(w *world, _ principal) call {
			return call{path: values{"token": w.resetToken()}, form: url.Values{"password": {password}}}
		}},

		"GET /":                fixed(call{}),
		"GET /account":         fixed(call{}),
		"GET /account/profile": fixed(call{}),
		"POST /account/profile": {make: func(_ *world, p principal) call {
			return call{form: url.Values{"email": {p.email}, "first_name": {"New"}}}
		}},
		"GET /account/password": fixed(call{}),
		"POST /account/password": {make: func(*world, principal) call {
			return call{form: url.Values{"old_password": {password}, "password": {password}}}
		}, spends: true},
		"GET /account/sessions":             fixed(call{}),
		"POST /account/sessions/end-others": {make: emptyForm, spends: true},
		"POST /account/sessions/{id}/end": {make: func(w *world, _ principal) call {
			return call{path: values{"id": w.sessionOf()}, form: url.Values{}}
		}},

		"GET /admin":                         fixed(call{}),
		"GET /admin/settings":                fixed(call{}),
		"GET /admin/settings/general":        fixed(call{}),
		"POST /admin/settings/general":       form("site-name", apptest.SiteName),
		"GET /admin/settings/authentication": fixed(call{}),

		"GET " + keys:                       fixed(call{}),
		"GET " + keys + "/new":              fixed(call{}),
		"POST " + keys + "/new":             {make: newKeyForm},
		"GET " + keys + "/{id}/edit":        on(key, nil),
		"POST " + keys + "/{id}/edit":       {make: editKeyForm},
		"GET " + keys + "/{id}/regenerate":  on(key, nil),
		"POST " + keys + "/{id}/regenerate": onceForm(key),
		"GET " + keys + "/{id}/delete":      on(key, nil),
		"POST " + keys + "/{id}/delete":     onceForm(key),

		"GET " + keys + "/{id}":              on(key, nil),
		"GET " + keys + "/{id}/rotate":       on(key, nil),
		"POST " + keys + "/{id}/rotate":      {make: rotateForm},
		"GET " + keys + "/{id}/disable":      on(key, nil),
		"POST " + keys + "/{id}/disable":     {make: disableForm},
		"GET " + keys + "/{id}/enable":       on(key, nil),
		"POST " + keys + "/{id}/enable":      onceForm(key),
		"GET " + keys + "/{id}/restriction":  on(key, nil),
		"POST " + keys + "/{id}/restriction": {make: restrictForm},
		"POST " + keys + "/{id}/trial":       {make: trialForm},
		"POST " + keys + "/{id}/trial/end":   onceForm(key),

		"GET " + keys + "/{id}/trial/enforce":            on(keyOnTrial, nil),
		"POST " + keys + "/{id}/trial/enforce":           onceForm(keyOnTrial),
		"GET " + keys + "/{id}/secrets/{secret}/retire":  {make: oneSecret},
		"POST " + keys + "/{id}/secrets/{secret}/retire": {make: retireForm},

		"GET /admin/people":      fixed(call{}),
		"GET /admin/people/new":  fixed(call{}),
		"POST /admin/people/new": {make: newPersonForm},

		"GET " + people + "/{id}":             on(person, nil),
		"POST " + people + "/{id}":            {make: personForm},
		"POST " + people + "/{id}/groups":     {make: joinForm},
		"GET " + people + "/{id}/reset":       on(person, nil),
		"POST " + people + "/{id}/reset":      onceForm(person),
		"GET " + people + "/{id}/deactivate":  on(person, nil),
		"POST " + people + "/{id}/deactivate": onceForm(person),
		"POST " + people + "/{id}/reactivate": onceForm(inactive),

		"GET " + people + "/{id}/groups/{group}/leave":  membership("id", "group", false),
		"POST " + people + "/{id}/groups/{group}/leave": membership("id", "group", true),

		"GET " + groups:                   fixed(call{}),
		"GET " + groups + "/options":      fixed(call{}),
		"GET " + groups + "/new":          fixed(call{}),
		"POST " + groups + "/new":         {make: newGroupForm},
		"GET " + groups + "/{id}":         on(group, nil),
		"GET " + groups + "/{id}/rename":  on(group, nil),
		"POST " + groups + "/{id}/rename": {make: renameForm},
		"GET " + groups + "/{id}/delete":  on(group, nil),
		"POST " + groups + "/{id}/delete": onceForm(group),
		"GET " + groups + "/{id}/add":     on(group, nil),
		"POST " + groups + "/{id}/add":    {make: addForm},

		"GET " + groups + "/{id}/members/{user}/remove":  membership("user", "id", false),
		"POST " + groups + "/{id}/members/{user}/remove": membership("user", "id", true),
	}
}

// form is a recipe that sends fields, given as name and value in turn.
func form(pairs ...string) recipe {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return fixed(call{form: f})
}

// onceForm is a recipe for a form about one object, with nothing to fill in.
func onceForm(id func(w *world) int64) recipe {
	return recipe{make: func(w *world, _ principal) call {
		return call{path: values{"id": id(w)}, form: w.token()}
	}}
}

// token returns a form with the token that makes it work one time.
func (w *world) token() url.Values { return url.Values{"token": {w.unique("form")}} }

func emptyForm(*world, principal) call { return call{form: url.Values{}} }

func setupForm(w *world, _ principal) call {
	return call{form: url.Values{
		"token": {w.setupToken}, "email": {"eve@example.com"}, "password": {password}, "site_name": {"Eve"},
	}}
}

func newKeyForm(w *world, _ principal) call {
	f := w.token()
	f.Set("name", w.unique("new key"))
	f.Set("group_id", "1")
	return call{form: f}
}

func editKeyForm(w *world, _ principal) call {
	return call{path: values{"id": w.apiKey()}, form: url.Values{"name": {w.unique("renamed key")}, "group_id": {"2"}}}
}

func rotateForm(w *world, _ principal) call {
	f := w.token()
	f.Set("overlap", "silent")
	f.Set("silent_days", "7")
	return call{path: values{"id": w.apiKey()}, form: f}
}

func disableForm(w *world, _ principal) call {
	return call{path: values{"id": w.apiKey()}, form: url.Values{"reason": {"to see"}}}
}

func restrictForm(w *world, _ principal) call {
	return call{path: values{"id": w.apiKey()}, form: url.Values{"read_only": {"yes"}}}
}

func trialForm(w *world, _ principal) call {
	return call{path: values{"id": w.apiKey()}, form: url.Values{"restriction": {`{"read_only": true}`}}}
}

// keyOnTrial makes a key with a restriction on trial.
func keyOnTrial(w *world) int64 {
	id := w.apiKey()
	if !w.fresh {
		w.sendForm("POST", fmt.Sprintf("/admin/settings/authentication/api-keys/%d/trial", id),
			url.Values{"restriction": {`{"read_only": true}`}}, []string{"Cookie", "metabase.SESSION=" + w.Session})
	}
	return id
}

// oneSecret names the secret of a new key.
func oneSecret(w *world, _ principal) call {
	id, secret := w.apiKey(), "1"
	if !w.fresh {
		page := w.Do("GET", fmt.Sprintf("/admin/settings/authentication/api-keys/%d", id), nil, "Cookie", "metabase.SESSION="+w.Session)
		found := secretRow.FindStringSubmatch(page.Body)
		if found == nil {
			w.t.Fatalf("the page of a key shows no secret: %d", page.Status)
		}
		secret = found[1]
	}
	return call{path: values{"id": id, "secret": secret}}
}

var secretRow = regexp.MustCompile(`/secrets/(\d+)/retire`)

func retireForm(w *world, p principal) call {
	c := oneSecret(w, p)
	c.form = url.Values{}
	return c
}

func newPersonForm(w *world, _ principal) call {
	f := w.token()
	f.Set("email", w.email())
	return call{form: f}
}

func personForm(w *world, _ principal) call {
	return call{path: values{"id": w.person()}, form: url.Values{"email": {w.email()}, "first_name": {"New"}}}
}

func joinForm(w *world, _ principal) call {
	return call{path: values{"id": w.person()}, form: url.Values{"group_id": {fmt.Sprint(w.group())}}}
}

func newGroupForm(w *world, _ principal) call {
	return call{form: url.Values{"name": {w.unique("new group")}}}
}

func renameForm(w *world, _ principal) call {
	return call{path: values{"id": w.group()}, form: url.Values{"name": {w.unique("renamed group")}}}
}

func addForm(w *world, _ principal) call {
	return call{path: values{"id": w.group()}, form: url.Values{"user_id": {fmt.Sprint(w.person())}}}
}

// membership is a recipe for a route that names a user and a group.
func membership(user, group string, post bool) recipe {
	return recipe{make: func(w *world, _ principal) call {
		m := w.member()
		c := call{path: values{user: m.user, group: m.group}}
		if post {
			c.form = url.Values{}
		}
		return c
	}}
}
