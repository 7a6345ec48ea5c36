package matrix_test

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// principal is one kind of caller.
type principal struct {
	name    string
	email   string // of a person who can sign in
	session string
	key     string
}

// api returns the headers with which the principal calls the API.
func (p principal) api() []string {
	switch {
	case p.session != "":
		return []string{"X-Metabase-Session", p.session}
	case p.key != "":
		return []string{"X-API-Key", p.key}
	}
	return nil
}

// pages returns the headers with which the principal asks for a page.
func (p principal) pages() []string {
	if p.session != "" {
		return []string{"Cookie", "metabase.SESSION=" + p.session}
	}
	return p.api()
}

// The names of the callers, which are the columns of the table. The last one
// is an anonymous caller of an instance that nobody has set up.
const (
	anonymous = "anonymous"
	plain     = "plain user"
	admin     = "admin"
	plainKey  = "plain key"
	adminKey  = "admin key"
	deleted   = "deleted key"
	disabled  = "disabled person"
	before    = "before set-up"
)

func columns() []string {
	return []string{anonymous, plain, admin, plainKey, adminKey, deleted, disabled, before}
}

// world is an instance with one caller of each kind, and makes the victims of
// the calls. In a world before set-up, all victims have the id 1.
type world struct {
	*apptest.Server
	t          *testing.T
	fresh      bool // before set-up
	setupToken string
	callers    map[string]principal
	made       int
	shelf      shelf
	hasSchema  bool
}

const password = apptest.AdminPassword

// newWorld starts an instance with all callers.
func newWorld(t *testing.T, kind dbtest.Kind) *world {
	t.Helper()
	w := freshWorld(t, kind)
	w.Setup()
	w.fresh = false
	w.AwaitSample() // queries are about it
	// Policies allow all that they can, so that they hide no missing right.
	w.Admin(200, nil, "PUT", "/v1/policies/0", map[string]any{"allow_personal": true, "self_rotate": true, "self_revoke": true})
	w.callers = map[string]principal{
		anonymous: {name: anonymous},
		plain:     w.caller(plain, nil),
		admin:     w.caller(admin, []int64{2}),
		disabled:  w.caller(disabled, nil),
	}
	for name, group := range map[string]int64{plainKey: 1, adminKey: 2, deleted: 2} {
		id, text := w.Key(name, group)
		w.callers[name] = principal{name: name, key: text}
		if name == deleted {
			w.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", id), nil)
		}
	}
	w.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", w.userID(disabled)), nil)
	return w
}

// freshWorld starts an instance that nobody has set up.
func freshWorld(t *testing.T, kind dbtest.Kind) *world {
	t.Helper()
	w := &world{t: t, fresh: true, callers: map[string]principal{before: {name: before}}}
	w.Server = apptest.Start(t, apptest.Options{Kind: kind, Env: []string{"LATCHKEY_DISABLE_SESSION_THROTTLE=true", "LATCHKEY_TRUSTED_PROXIES=127.0.0.1"}})
	var props struct {
		Token string `json:"setup-token"`
	}
	w.Want(200, &props, "GET", "/api/session/properties", nil)
	w.setupToken = props.Token
	return w
}

// caller makes a person who signs in.
func (w *world) caller(name string, groups []int64) principal {
	email := strings.ReplaceAll(name, " ", "-") + "@example.com"
	_, session := w.Person(email, groups...)
	return principal{name: name, email: email, session: session}
}

// again returns the principal with a session or a key of its own, for calls
// that end it.
func (w *world) again(p principal) principal {
	if group := map[string]int64{plainKey: 1, adminKey: 2}[p.name]; group != 0 {
		_, p.key = w.Key(w.unique(p.name), group)
		return p
	}
	if p.email == "" || p.name == disabled {
		return p
	}
	var session struct{ ID string }
	w.Want(200, &session, "POST", "/api/session", map[string]any{"username": p.email, "password": password})
	p.session = session.ID
	return p
}

// userID returns the user id of a caller.
func (w *world) userID(name string) int64 {
	w.t.Helper()
	var user struct{ ID int64 }
	w.Want(200, &user, "GET", "/api/user/current", nil, w.callers[name].api()...)
	return user.ID
}

// unique returns a name that nothing has yet.
func (w *world) unique(noun string) string {
	w.made++
	return fmt.Sprintf("%s %d", noun, w.made)
}

// email returns an address that nobody has yet.
func (w *world) email() string {
	return strings.ReplaceAll(w.unique("person"), " ", "-") + "@example.com"
}

// group makes a group and returns its id.
func (w *world) group() int64 {
	if w.fresh {
		return 1
	}
	return w.Group(w.unique("group"))
}

// apiKey makes a key in All Users and returns its id.
func (w *world) apiKey() int64 {
	if w.fresh {
		return 1
	}
	id, _ := w.Key(w.unique("key"), 1)
	return id
}

// person makes a person without a password and returns their id.
func (w *world) person() int64 {
	if w.fresh {
		return 1
	}
	var user struct{ ID int64 }
	w.Admin(200, &user, "POST", "/api/user", map[string]any{"email": w.email(), "first_name": "Victim"})
	return user.ID
}

// inactive makes a person and deactivates them.
func (w *world) inactive() int64 {
	id := w.person()
	if !w.fresh {
		w.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", id), nil)
	}
	return id
}

// member is a person in a group.
type member struct{ user, group, membership int64 }

// member makes a group with one member.
func (w *world) member() member {
	m := member{user: w.person(), group: w.group(), membership: 1}
	if w.fresh {
		return m
	}
	var all []struct {
		Membership int64 `json:"membership_id"`
	}
	w.Admin(200, &all, "POST", "/api/permissions/membership", map[string]any{"group_id": m.group, "user_id": m.user})
	m.membership = all[0].Membership
	return m
}

// resetToken makes a person and a link with which to set their password, and
// returns its token.
func (w *world) resetToken() string {
	if w.fresh {
		return "1_3c2d1f1e-0d6e-4f0e-9a43-0c6f5d0f7c11"
	}
	page := w.sendForm("POST", fmt.Sprintf("/admin/people/user/%d/reset", w.person()), w.token(),
		[]string{"Cookie", "metabase.SESSION=" + w.Session})
	found := resetLink.FindStringSubmatch(page.Body)
	if found == nil {
		w.t.Fatalf("the page shows no link to reset the password: %d", page.Status)
	}
	return found[1]
}

var resetLink = regexp.MustCompile(`/auth/reset_password/(\d+_[0-9a-f-]{36})`)

// sessionOf returns the id of a session of somebody else, the administrator of
// set-up, as the page of their own sessions names it.
func (w *world) sessionOf() string {
	if w.fresh {
		return "1"
	}
	var other struct{ ID string }
	w.Want(200, &other, "POST", "/api/session", map[string]any{"username": apptest.AdminEmail, "password": password})
	page := w.Do("GET", "/account/sessions", nil, "Cookie", "metabase.SESSION="+w.Session)
	found := regexp.MustCompile(`/account/sessions/(\d+)/end`).FindStringSubmatch(page.Body)
	if found == nil {
		w.t.Fatalf("the page of sessions names none that can be ended: %d", page.Status)
	}
	return found[1]
}

// call is one request, ready to be sent by any caller.
type call struct {
	path  map[string]any // values of the wildcards
	query string
	body  any        // sent as JSON
	form  url.Values // sent by a browser
}

// send sends a call to a route as a caller.
func (w *world) send(r route, c call, p principal) apptest.Answer {
	path, headers := w.path(r, c), p.api()
	if r.page {
		headers = p.pages()
	}
	if c.form != nil {
		return w.sendForm(r.method, path, c.form, headers)
	}
	return w.Do(r.method, path, c.body, headers...)
}

// path writes the values of a call into the path of its route.
func (w *world) path(r route, c call) string {
	return wildcard.ReplaceAllStringFunc(r.path, func(s string) string {
		v, ok := c.path[strings.Trim(s, "{}")]
		if !ok {
			w.t.Fatalf("%s: the recipe has no value for %s", r, s)
		}
		return url.PathEscape(fmt.Sprint(v))
	}) + c.query
}

var wildcard = regexp.MustCompile(`\{[a-z_]+\}`)

// golden is the reviewed table.
const golden = "testdata/routes.golden"

func readGolden(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; make it with: go test ./test/matrix -update", err)
	}
	return string(b)
}
