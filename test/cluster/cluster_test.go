package cluster_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

// promise is how soon a node knows what another one changed.
const promise = time.Second

// pepper is the one that both nodes of a test share. Plainly made up.
func pepper() string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("pepper42"), 4)) }

// pair is two nodes on one PostgreSQL, set up, with the session of the first
// administrator in both.
func pair(t *testing.T) (a, b *apptest.Server) {
	t.Helper()
	url := dbtest.Postgres(t)
	a = node(t, url)
	a.Setup()
	b = node(t, url)
	b.Session = a.Session
	return a, b
}

// node starts a server with a data directory of its own, as on another machine.
func node(t *testing.T, url string) *apptest.Server {
	t.Helper()
	return apptest.Start(t, apptest.Options{Kind: dbtest.PostgreSQL, URL: url, Env: []string{"LATCHKEY_PEPPER=" + pepper()}})
}

// soon waits until holds, for as long as the promise; what it waits for is in
// the failure, with what else there is to say.
func soon(t *testing.T, what string, holds func() bool, more ...func() string) {
	t.Helper()
	start := time.Now()
	for !holds() {
		if time.Since(start) > promise {
			for _, m := range more {
				t.Log(m())
			}
			t.Fatalf("not within %v: %s", promise, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Logf("%v: %s", time.Since(start).Round(time.Millisecond), what)
}

// becomes waits until a call is answered with a status, and returns the answer.
func becomes(t *testing.T, what string, s *apptest.Server, status int, method, path string, headers ...string) apptest.Answer {
	t.Helper()
	var last apptest.Answer
	soon(t, what, func() bool {
		last = s.Do(method, path, nil, headers...)
		return last.Status == status
	}, func() string { return fmt.Sprintf("last answer: %d %s, want %d", last.Status, last.Body, status) })
	return last
}

// warm makes the call that fills a node's memory, so that the test proves that
// memory is dropped and not only that the database is read.
func warm(t *testing.T, s *apptest.Server, status int, path string, headers ...string) {
	t.Helper()
	for range 3 {
		if got := s.Do("GET", path, nil, headers...); got.Status != status {
			t.Fatalf("GET %s: %d %s, want %d", path, got.Status, got.Body, status)
		}
	}
}

const (
	me     = "/api/user/current"
	groups = "/api/permissions/group"
)

func TestKeysFollow(t *testing.T) {
	a, b := pair(t)
	id, text := a.Key("nightly export", 2)
	becomes(t, "a key made on A works on B", b, 200, "GET", me, "x-api-key", text)

	var made struct {
		Text string `json:"unmasked_key"`
	}
	a.Admin(200, &made, "PUT", fmt.Sprintf("/api/api-key/%d/regenerate", id), nil)
	becomes(t, "a key regenerated on A is refused on B", b, 401, "GET", me, "x-api-key", text)
	becomes(t, "its new text works on B", b, 200, "GET", me, "x-api-key", made.Text)

	warm(t, b, 200, groups, "x-api-key", made.Text)
	a.Admin(200, nil, "PUT", fmt.Sprintf("/api/api-key/%d", id), map[string]any{"group_id": 1})
	becomes(t, "a key moved out of Administrators on A loses its rights on B", b, 403, "GET", groups, "x-api-key", made.Text)

	a.Admin(200, nil, "PUT", fmt.Sprintf("/api/api-key/%d", id), map[string]any{"name": "weekly export"})
	soon(t, "a key renamed on A has its name on B", func() bool {
		return strings.Contains(b.Do("GET", me, nil, "x-api-key", made.Text).Body, `"weekly export"`)
	})

	a.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", id), nil)
	becomes(t, "a key deleted on A is refused on B", b, 401, "GET", me, "x-api-key", made.Text)
}

// TestManyKeysFollow changes keys on both nodes at the same time: no change
// may be passed over, whatever the order of commits.
func TestManyKeysFollow(t *testing.T) {
	a, b := pair(t)
	const n = 24
	type key struct {
		id   int64
		text string
	}
	var keys [n]key
	for i := range keys {
		keys[i].id, keys[i].text = a.Key(fmt.Sprintf("key %d", i), 1)
		warm(t, a, 200, me, "x-api-key", keys[i].text)
		warm(t, b, 200, me, "x-api-key", keys[i].text)
	}
	t.Run("delete", func(t *testing.T) {
		for i, k := range keys {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				on := []*apptest.Server{a, b}[i%2]
				on.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", k.id), nil)
			})
		}
	})
	for i, k := range keys {
		for name, s := range map[string]*apptest.Server{"A": a, "B": b} {
			becomes(t, fmt.Sprintf("key %d is refused on %s", i, name), s, 401, "GET", me, "x-api-key", k.text)
		}
	}
}

// TestFollowsWithoutNotify ends the connection on which B is told of changes:
// a poll makes up for it.
func TestFollowsWithoutNotify(t *testing.T) {
	a, b := pair(t)
	id, text := a.Key("export", 1)
	warm(t, b, 200, me, "x-api-key", text)
	// That of A ends with it; A applies its own changes anyway.
	if n := endConnections(t, a.DBURL, "query LIKE 'LISTEN%'"); n != 2 {
		t.Fatalf("%d connections listened, want 2", n)
	}
	a.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", id), nil)
	becomes(t, "a key deleted on A is refused on B, which is told nothing", b, 401, "GET", me, "x-api-key", text)
}

func TestGroupsFollow(t *testing.T) {
	a, b := pair(t)
	group := a.Group("Analysts")
	id, text := a.Key("reporting", group)
	list := func() string { return b.Do("GET", groups, nil, "X-Metabase-Session", b.Session).Body }
	soon(t, "a group made on A is listed on B", func() bool { return strings.Contains(list(), `"Analysts"`) })

	a.Admin(200, nil, "PUT", fmt.Sprintf("/api/permissions/group/%d", group), map[string]any{"name": "Researchers"})
	soon(t, "a group renamed on A has its name on B", func() bool {
		return strings.Contains(list(), `"Researchers"`) && !strings.Contains(list(), `"Analysts"`)
	})

	warm(t, b, 200, me, "x-api-key", text)
	a.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/group/%d", group), nil)
	soon(t, "a group deleted on A is gone on B", func() bool { return !strings.Contains(list(), `"Researchers"`) })
	var user struct {
		GroupIDs []int64 `json:"group_ids"`
	}
	soon(t, "its key goes on working on B, in All Users", func() bool {
		b.Want(200, &user, "GET", me, nil, "x-api-key", text)
		return len(user.GroupIDs) == 1 && user.GroupIDs[0] == 1
	})
	b.Admin(200, nil, "PUT", fmt.Sprintf("/api/api-key/%d", id), map[string]any{"group_id": 2})
	becomes(t, "and gets new rights on B that A knows", a, 200, "GET", groups, "x-api-key", text)
}

func TestPeopleFollow(t *testing.T) {
	a, b := pair(t)
	id, session := a.Person("bo@example.com")
	becomes(t, "a session opened on A works on B", b, 200, "GET", me, "X-Metabase-Session", session)
	warm(t, b, 403, groups, "X-Metabase-Session", session)

	a.Admin(200, nil, "POST", "/api/permissions/membership", map[string]any{"group_id": 2, "user_id": id})
	becomes(t, "a person made administrator on A is one on B", b, 200, "GET", groups, "X-Metabase-Session", session)

	b.Admin(204, nil, "DELETE", fmt.Sprintf("/api/permissions/membership/%d", membership(t, b, id, 2)), nil)
	becomes(t, "a person who lost that on B is none on A", a, 403, "GET", groups, "X-Metabase-Session", session)

	warm(t, b, 200, me, "X-Metabase-Session", session)
	a.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", id), nil)
	becomes(t, "a person deactivated on A has no session on B", b, 401, "GET", me, "X-Metabase-Session", session)

	a.Admin(200, nil, "PUT", fmt.Sprintf("/api/user/%d/reactivate", id), nil)
	time.Sleep(promise / 4)
	if got := b.Do("GET", me, nil, "X-Metabase-Session", session); got.Status != 401 {
		t.Errorf("reactivation brought an ended session back on B: %d", got.Status)
	}
	var again struct{ ID string }
	b.Want(200, &again, "POST", "/api/session", login("bo@example.com", apptest.AdminPassword))
	warm(t, a, 200, me, "X-Metabase-Session", again.ID)

	b.Admin(204, nil, "PUT", fmt.Sprintf("/api/user/%d/password", id), map[string]any{"password": "another horse 43"})
	becomes(t, "a password changed on B ends sessions on A", a, 401, "GET", me, "X-Metabase-Session", again.ID)

	a.Want(200, &again, "POST", "/api/session", login("bo@example.com", "another horse 43"))
	warm(t, b, 200, me, "X-Metabase-Session", again.ID)
	a.Want(204, nil, "DELETE", "/api/session", nil, "X-Metabase-Session", again.ID)
	becomes(t, "a session ended on A is over on B", b, 401, "GET", me, "X-Metabase-Session", again.ID)
}

func TestSettingsFollow(t *testing.T) {
	a, b := pair(t)
	a.Admin(204, nil, "PUT", "/api/setting/site-name", map[string]any{"value": "Example Works"})
	soon(t, "a setting changed on A holds on B", func() bool {
		return strings.Contains(b.Do("GET", "/api/session/properties", nil).Body, `"site-name":"Example Works"`)
	})
	b.Admin(204, nil, "PUT", "/api/setting/api-key-prefix", map[string]any{"value": "mb_"})
	soon(t, "keys made on A begin as was set on B", func() bool {
		_, text := a.Key(time.Now().Format(time.StampNano), 1)
		return strings.HasPrefix(text, "mb_")
	})
}

// TestSetupFollows: a node that waits for set-up learns that it is done.
func TestSetupFollows(t *testing.T) {
	url := dbtest.Postgres(t)
	a, b := node(t, url), node(t, url)
	token := func(s *apptest.Server) string {
		var props struct {
			Token *string `json:"setup-token"`
		}
		s.Want(200, &props, "GET", "/api/session/properties", nil)
		if props.Token == nil {
			return ""
		}
		return *props.Token
	}
	before := token(b)
	if before == "" || before != token(a) {
		t.Fatalf("the nodes have different set-up tokens, or none")
	}
	a.Setup()
	soon(t, "after set-up on A the token is gone on B", func() bool { return token(b) == "" })
	got := b.Do("POST", "/api/setup", map[string]any{
		"token": before,
		"user":  map[string]any{"email": "eve@example.com", "password": apptest.AdminPassword},
		"prefs": map[string]any{"site_name": "Eve"},
	})
	if got.Status != 403 {
		t.Errorf("set-up on B after set-up on A: %d %s, want 403", got.Status, got.Body)
	}
}

// TestThrottleShared fails half of the tries by the API of A and half on the
// page of B: together they are too many.
func TestThrottleShared(t *testing.T) {
	a, b := pair(t)
	try := []func(password string) apptest.Answer{
		func(password string) apptest.Answer {
			return a.Do("POST", "/api/session", login(apptest.AdminEmail, password))
		},
		func(password string) apptest.Answer { return signInOnPage(t, b, apptest.AdminEmail, password) },
	}
	for i := range 10 {
		if got := try[i%2]("wrong horse 42"); got.Status != 401 || throttled(got) {
			t.Fatalf("try %d: %d %s", i+1, got.Status, got.Body)
		}
	}
	for i, by := range []string{"the API of A", "the page of B"} {
		if got := try[i](apptest.AdminPassword); !throttled(got) {
			t.Errorf("%s lets an eleventh try through: %d %s", by, got.Status, got.Body)
		}
	}
	if got := a.Do("GET", me, nil, "X-Metabase-Session", a.Session); got.Status != 200 {
		t.Errorf("the session of the person suffers from failed tries: %d", got.Status)
	}
}

// TestThrottleHoldsInParallel tries on both nodes at the same time: no more
// passwords are looked at than one after the other.
func TestThrottleHoldsInParallel(t *testing.T) {
	a, b := pair(t)
	const tries, allowed = 30, 10
	var looked atomic.Int64
	t.Run("tries", func(t *testing.T) {
		for i := range tries {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				got := []*apptest.Server{a, b}[i%2].Do("POST", "/api/session", login(apptest.AdminEmail, "wrong horse 42"))
				if got.Status != 401 {
					t.Errorf("%d %s", got.Status, got.Body)
				}
				if !throttled(got) {
					looked.Add(1)
				}
			})
		}
	})
	if n := looked.Load(); n > allowed {
		t.Errorf("%d wrong passwords were looked at, want %d at most", n, allowed)
	}
}

// TestThrottleOutlivesRestart stops the server between the tries, politely and
// by force.
func TestThrottleOutlivesRestart(t *testing.T) {
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			o := apptest.Options{Kind: kind, DataDir: t.TempDir()}
			if kind == dbtest.PostgreSQL {
				o.URL = dbtest.Postgres(t)
			}
			s := apptest.Start(t, o)
			s.Setup()
			for i := range 10 {
				switch i {
				case 4:
					if code := s.Stop(); code != 0 {
						t.Errorf("stopped with exit code %d:\n%s", code, s.Log())
					}
					s = apptest.Start(t, o)
				case 8:
					s.Kill()
					s = apptest.Start(t, o)
				}
				if got := s.Do("POST", "/api/session", login(apptest.AdminEmail, "wrong horse 42")); throttled(got) {
					t.Fatalf("try %d is one too many: %s", i+1, got.Body)
				}
			}
			s.Kill()
			s = apptest.Start(t, o)
			if got := s.Do("POST", "/api/session", login(apptest.AdminEmail, apptest.AdminPassword)); !throttled(got) {
				t.Errorf("after a restart the tries are forgotten: %d %s", got.Status, got.Body)
			}
		})
	}
}

// TestKill: B lives on when A dies in the middle of writing, and A comes back
// to what B did meanwhile.
func TestKill(t *testing.T) {
	a, b := pair(t)
	keyID, text := a.Key("survivor", 2)
	warm(t, b, 200, me, "x-api-key", text)

	stop := make(chan struct{})
	idle := make(chan struct{})
	go func() { // writes on A until it is dead
		defer close(idle)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if !write(a.URL, a.Session, fmt.Sprintf("half-way %d", i)) {
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	a.Kill()
	close(stop)
	<-idle

	start := time.Now()
	if got := b.Do("GET", me, nil, "x-api-key", text); got.Status != 200 {
		t.Errorf("B reads with a key: %d", got.Status)
	}
	_, made := b.Key("made on B", 1)
	if d := time.Since(start); d > promise {
		t.Errorf("B needed %v to answer and to write after A died", d)
	}
	b.Admin(204, nil, "DELETE", fmt.Sprintf("/api/api-key/%d", keyID), nil)

	again := node(t, a.DBURL)
	warm(t, again, 200, me, "x-api-key", made)
	warm(t, again, 401, me, "x-api-key", text)
	if code, out, errs := again.Run("", "audit", "verify"); code != 0 {
		t.Errorf("audit verify after the kill: exit code %d\n%s%s", code, out, errs)
	}
	whole(t, again)
}

// whole makes sure that nothing is half done: every key belongs to a group and
// every listed key works by its count.
func whole(t *testing.T, s *apptest.Server) {
	t.Helper()
	s.Session = signIn(s)
	var keys []struct {
		Name  string
		Group struct{ ID *int64 }
	}
	var count int
	s.Admin(200, &keys, "GET", "/api/api-key", nil)
	s.Admin(200, &count, "GET", "/api/api-key/count", nil)
	if len(keys) != count {
		t.Errorf("%d keys are listed, %d counted", len(keys), count)
	}
	for _, k := range keys {
		if k.Group.ID == nil {
			t.Errorf("the key %q has no group", k.Name)
		}
	}
}

// TestCommandBesideServer: what a command changes in the database of a running
// server, the server knows within a second.
func TestCommandBesideServer(t *testing.T) {
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := apptest.Start(t, apptest.Options{Kind: kind})
			s.Setup()
			code, out, errs := s.Run("", "key", "create", "--name", "ci", "--group", "Administrators")
			text := strings.TrimSpace(out)
			if code != 0 || text == "" {
				t.Fatalf("key create: exit code %d\n%s%s", code, out, errs)
			}
			becomes(t, "a key made by the command works", s, 200, "GET", groups, "x-api-key", text)
			var list []struct {
				ID        int64
				Name      string
				UpdatedBy struct {
					ID   *int64
					Name string `json:"common_name"`
				} `json:"updated_by"`
			}
			s.Want(200, &list, "GET", "/api/api-key", nil, "x-api-key", text)
			if len(list) != 1 || list[0].Name != "ci" || list[0].UpdatedBy.ID != nil {
				t.Errorf("the key that the command made is listed as %+v", list)
			}
			warm(t, s, 200, me, "x-api-key", text)
			if code, out, errs = s.Run("", "key", "delete", fmt.Sprint(list[0].ID)); code != 0 {
				t.Fatalf("key delete: exit code %d\n%s%s", code, out, errs)
			}
			becomes(t, "a key deleted by the command is refused", s, 401, "GET", me, "x-api-key", text)

			code, out, errs = s.Run("", "user", "reset-password", apptest.AdminEmail)
			_, token, ok := strings.Cut(strings.TrimSpace(out), "/auth/reset_password/")
			if code != 0 || !ok {
				t.Fatalf("user reset-password: exit code %d\n%s%s", code, out, errs)
			}
			s.Want(200, nil, "POST", "/api/session/reset_password", map[string]any{"token": token, "password": "new horse 44"})
			becomes(t, "a password reset by the command's link ends the session", s, 401, "GET", me, "X-Metabase-Session", s.Session)
			if code, out, errs = s.Run("", "audit", "verify"); code != 0 {
				t.Errorf("audit verify: exit code %d\n%s%s", code, out, errs)
			}
		})
	}
}
