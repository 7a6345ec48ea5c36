package cluster_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/apptest"
)

func login(username, password string) map[string]any {
	return map[string]any{"username": username, "password": password}
}

// signIn opens a session of the first administrator.
func signIn(s *apptest.Server) string {
	var session struct{ ID string }
	s.Want(200, &session, "POST", "/api/session", login(apptest.AdminEmail, apptest.AdminPassword))
	return session.ID
}

// signInOnPage sends the form of the sign-in page.
func signInOnPage(t *testing.T, s *apptest.Server, username, password string) apptest.Answer {
	t.Helper()
	res, err := http.DefaultClient.PostForm(s.URL+"/auth/login", url.Values{"username": {username}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return apptest.Answer{Status: res.StatusCode, Header: res.Header, Body: string(b)}
}

func throttled(a apptest.Answer) bool { return strings.Contains(a.Body, "Too many attempts!") }

// membership returns the id of a person's membership of a group.
func membership(t *testing.T, s *apptest.Server, userID, groupID int64) int64 {
	t.Helper()
	var all map[string][]struct {
		ID    int64 `json:"membership_id"`
		Group int64 `json:"group_id"`
	}
	s.Admin(200, &all, "GET", "/api/permissions/membership", nil)
	for _, m := range all[strconv.FormatInt(userID, 10)] {
		if m.Group == groupID {
			return m.ID
		}
	}
	t.Fatalf("user %d is no member of group %d", userID, groupID)
	return 0
}

// write makes a key on a server that may die meanwhile, and reports whether it
// lived.
func write(url, session, name string) bool {
	body := bytes.NewBufferString(fmt.Sprintf(`{"name":%q,"group_id":1}`, name))
	req, err := http.NewRequest("POST", url+"/api/api-key", body)
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Metabase-Session", session)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return true
}

// endConnections ends the database's connections that match a condition, and
// returns how many there were.
func endConnections(t *testing.T, url, condition string) int {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	var n int
	err = c.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND `+condition).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
