package apptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
)

// The first administrator that Setup makes. Plainly made up.
const (
	AdminEmail    = "ada@example.com"
	AdminPassword = "correct horse 42"
	SiteName      = "Example Shop"
)

// Options says how to start the program.
type Options struct {
	Kind    dbtest.Kind // SQLite unless set
	DataDir string      // a temporary directory unless set
	URL     string      // the PostgreSQL database; a new one unless set
	Listen  string      // 127.0.0.1 and a free port unless set
	Env     []string
	Args    []string
	Binary  string // the built program unless set
}

// Server is the running program.
type Server struct {
	URL     string
	DataDir string
	DBURL   string // empty with SQLite
	t       testing.TB
	cmd     *exec.Cmd
	log     *buffer
	done    chan struct{}
	env     []string
	Session string // of the administrator, once Setup has run
}

// buffer is a log that is read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written so far.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var readyLine = regexp.MustCompile(`Latchkey is ready.*\burl"?[=:]"?(http://[^\s",]+)`)

// Start runs "latchkey serve" and waits until it is ready. It is stopped when
// the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Binary == "" {
		o.Binary = Binary(t)
	}
	s := &Server{DataDir: o.DataDir, DBURL: o.URL, t: t, log: &buffer{}, done: make(chan struct{}), env: o.Env}
	if o.Kind == dbtest.PostgreSQL && s.DBURL == "" {
		s.DBURL = dbtest.Postgres(t)
	}
	s.cmd = exec.Command(o.Binary, append([]string{"serve", "--listen", o.Listen, "--data-dir", o.DataDir}, o.Args...)...)
	s.cmd.Env = append(cleanEnv(), o.Env...)
	if s.DBURL != "" {
		s.cmd.Env = append(s.cmd.Env, "LATCHKEY_DATABASE_URL="+s.DBURL)
	}
	s.cmd.Stderr = s.log
	s.cmd.Stdout = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.done) }()
	t.Cleanup(func() { s.Stop() })
	s.await()
	return s
}

// cleanEnv is the environment without what would configure the program.
func cleanEnv() []string {
	var out []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LATCHKEY_") {
			out = append(out, v)
		}
	}
	return out
}

func (s *Server) await() {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if m := readyLine.FindStringSubmatch(s.log.String()); m != nil {
			s.URL = m[1]
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("the program ended before it was ready:\n%s", s.log)
		default:
		}
	}
	s.t.Fatalf("not ready after 20 seconds:\n%s", s.log)
}

// Log returns what the program has logged so far.
func (s *Server) Log() string { return s.log.String() }

// PID returns the process id of the program.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop sends SIGTERM and waits; it returns the exit code.
func (s *Server) Stop() int {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
		s.t.Errorf("the program did not stop within 30 seconds of SIGTERM:\n%s", s.log)
	}
	return s.cmd.ProcessState.ExitCode()
}

// Kill ends the program without warning, as a crash does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Answer is what a call got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// JSON decodes the body into v.
func (a Answer) JSON(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), v); err != nil {
		t.Fatalf("status %d, body %q: %v", a.Status, a.Body, err)
	}
}

// Text is a body that is not JSON.
type Text struct{ Media, Body string }

// Do sends a request. A body that is not nil goes as JSON. Headers come in
// pairs of name and value.
func (s *Server) Do(method, path string, body any, headers ...string) Answer {
	s.t.Helper()
	var r io.Reader
	media := "application/json"
	if text, ok := body.(Text); ok {
		media, r = text.Media, strings.NewReader(text.Body)
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return Answer{res.StatusCode, res.Header, string(b)}
}

// Want sends a request, demands a status and decodes the JSON answer into out
// unless that is nil.
func (s *Server) Want(status int, out any, method, path string, body any, headers ...string) {
	s.t.Helper()
	a := s.Do(method, path, body, headers...)
	if a.Status != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	if out != nil {
		a.JSON(s.t, out)
	}
}

// Setup makes the first administrator and keeps its session.
func (s *Server) Setup() {
	s.t.Helper()
	var props struct {
		Token string `json:"setup-token"`
	}
	s.Want(200, &props, "GET", "/api/session/properties", nil)
	var session struct{ ID string }
	s.Want(200, &session, "POST", "/api/setup", map[string]any{
		"token": props.Token,
		"user":  map[string]any{"email": AdminEmail, "password": AdminPassword, "first_name": "Ada", "last_name": "Admin"},
		"prefs": map[string]any{"site_name": SiteName, "site_locale": "en"},
	})
	s.Session = session.ID
}

// Admin sends a request as the first administrator.
func (s *Server) Admin(status int, out any, method, path string, body any) {
	s.t.Helper()
	s.Want(status, out, method, path, body, "X-Metabase-Session", s.Session)
}

// AwaitSample waits until the sample database is connected, its file written
// and its tables known.
func (s *Server) AwaitSample() {
	s.t.Helper()
	var sample struct {
		Status string `json:"initial_sync_status"`
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		a := s.Do("GET", "/api/database/1", nil, "X-Metabase-Session", s.Session)
		if a.Status == http.StatusOK {
			if a.JSON(s.t, &sample); sample.Status == "complete" {
				return
			}
		}
	}
	s.t.Fatalf("no sample database after 30 seconds:\n%s", s.log)
}

// Key creates an API key in a group and returns its id and text.
func (s *Server) Key(name string, groupID int64) (int64, string) {
	s.t.Helper()
	var key struct {
		ID   int64
		Text string `json:"unmasked_key"`
	}
	s.Admin(200, &key, "POST", "/api/api-key", map[string]any{"name": name, "group_id": groupID})
	return key.ID, key.Text
}

// Group creates a group and returns its id.
func (s *Server) Group(name string) int64 {
	s.t.Helper()
	var g struct{ ID int64 }
	s.Admin(200, &g, "POST", "/api/permissions/group", map[string]any{"name": name})
	return g.ID
}

// Person creates a person with a password and returns their id and session.
func (s *Server) Person(email string, groups ...int64) (int64, string) {
	s.t.Helper()
	members := []map[string]any{{"id": 1}}
	for _, g := range groups {
		members = append(members, map[string]any{"id": g})
	}
	var u struct{ ID int64 }
	s.Admin(200, &u, "POST", "/api/user", map[string]any{"email": email, "user_group_memberships": members})
	s.Admin(204, nil, "PUT", fmt.Sprintf("/api/user/%d/password", u.ID), map[string]any{"password": AdminPassword})
	var session struct{ ID string }
	s.Want(200, &session, "POST", "/api/session", map[string]any{"username": email, "password": AdminPassword})
	return u.ID, session.ID
}

// Run runs a command of the program with the server's data and variables, and
// returns its exit code, standard output and standard error.
func (s *Server) Run(stdin string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.cmd.Path, append(args, "--data-dir", s.DataDir)...)
	cmd.Env = append(cleanEnv(), s.env...)
	if s.DBURL != "" {
		cmd.Env = append(cmd.Env, "LATCHKEY_DATABASE_URL="+s.DBURL)
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
