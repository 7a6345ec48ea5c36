package peers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest"
)

// feature is a row of the table with its proof.
type feature struct {
	row   string
	prove func(t *testing.T)
}

func features() []feature {
	return []feature{
		{"Naming", naming},
		{"Group assignment", groupAssignment},
		{"Multiple groups", multipleGroups},
		{"Scopes below the group", scopes},
		{"Resource restriction", resources},
		{"Read-only keys", readOnly},
		{"Expiry", expiry},
		{"Max-lifetime policy", maxLifetime},
		{"Expiry warnings", expiryWarnings},
		{"Last used", lastUsed},
		{"Usage log", usageLog},
		{"Rotation with grace overlap", rotation},
		{"Immediate revoke", revoke},
		{"Disable/enable", disable},
		{"IP allow list", addresses},
		{"Rate limits per key", rateLimits},
		{"Hash at rest", hashAtRest},
		{"Key format", keyFormat},
		{"Checksum", checksum},
		{"Show once", showOnce},
		{"Pre-seed by config/env", preSeed},
		{"Personal vs service keys", personalAndService},
		{"Dies with its owner", diesWithOwner},
		{"Audit log", auditLog},
		{"Admin UI", adminUI},
		{"CLI", commandLine},
		{"OpenAPI", openAPI},
		{"Metrics", metrics},
		{"Versioned API", versioned},
		{"Explain/simulate", explain},
		{"Self-inspection", selfInspection},
	}
}

// openRows are rows of the table that are not built yet, and parts of rows
// that are:
//
//   - webhooks on key events, among them expiry warnings by webhook
//   - leaked-key detection: anonymous revocation, canary keys
//   - bulk operations
//   - forward-auth
//   - Terraform
//   - import of keys from another system's hashes
//   - confirmation of a revocation by several nodes
//   - collections, tables and columns as resources, which come with content
//   - contact and ticket link as fields of their own
//   - hand-over link that burns on first read
//   - watching the seed file while the server runs
func openRows() []string {
	return []string{
		"Webhooks on key events", "Leaked-key detection", "Bulk operations", "Forward-auth", "Terraform",
		"Import of keys from another system", "Multi-node confirmation",
	}
}

// TestPeers proves every row.
func TestPeers(t *testing.T) {
	for _, f := range features() {
		t.Run(f.row, func(t *testing.T) {
			t.Parallel()
			f.prove(t)
		})
	}
}

// TestComparison demands that docs/comparison.md has the rows that are proven,
// each with the name of its test, and the open ones.
func TestComparison(t *testing.T) {
	root, err := apptest.Root()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(root, "docs", "comparison.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows, open []string
	for _, m := range regexp.MustCompile("(?m)^\\| ([^|]+) \\| [^|]+ \\| `TestPeers/([^`]+)` \\|$").FindAllStringSubmatch(string(b), -1) {
		if m[2] != strings.ReplaceAll(m[1], " ", "_") {
			t.Errorf("the row %q names the test %q", m[1], m[2])
		}
		rows = append(rows, m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^- ([^:\n]+):`).FindAllStringSubmatch(string(b), -1) {
		open = append(open, m[1])
	}
	var proven []string
	for _, f := range features() {
		proven = append(proven, f.row)
	}
	if !slices.Equal(rows, proven) {
		t.Errorf("docs/comparison.md has the rows\n%q, and the tests prove\n%q", rows, proven)
	}
	if !slices.Equal(open, openRows()) {
		t.Errorf("docs/comparison.md lists as open\n%q, and the tests\n%q", open, openRows())
	}
}

type body = map[string]any

// house is an instance with an administrator.
type house struct {
	*apptest.Server
	t *testing.T
}

// start starts an instance with the variables and sets it up.
func start(t *testing.T, env ...string) *house {
	t.Helper()
	h := startIn(t, t.TempDir(), env...)
	h.Setup()
	return h
}

// startIn starts an instance with its data in a directory.
func startIn(t *testing.T, dir string, env ...string) *house {
	t.Helper()
	return &house{apptest.Start(t, apptest.Options{DataDir: dir, Env: env}), t}
}

// key is a key as /v1 shows it when it is made, and all the while.
type key struct {
	ID          int64
	Key         string
	Kind        string
	Name        string
	Description string
	State       string
	Tags        []string
	Restriction body
	ExpiresAt   *time.Time `json:"expires_at"`
	ReviewSince *time.Time `json:"review_since"`
	Owner       *struct{ ID int64 }
	LastUsed    *use `json:"last_used"`
	Groups      []struct {
		ID   int64
		Name string
	}
	Disabled *struct{ Reason string }
}

// use is the newest use of a key or of a secret.
type use struct {
	At                     time.Time
	Address, Client, Route string
	SecretID               int64 `json:"secret_id"`
}

// make makes a service key in groups, with more members of the body.
func (h *house) make(groups []int64, more body) key {
	h.t.Helper()
	in := body{"name": fmt.Sprintf("key %d", time.Now().UnixNano()), "group_ids": groups}
	for name, v := range more {
		in[name] = v
	}
	var k key
	h.Admin(201, &k, "POST", "/v1/keys", in)
	return k
}

// admins makes a key of administrators with a restriction.
func (h *house) admins(restriction body) key {
	h.t.Helper()
	return h.make([]int64{2}, body{"restriction": restriction})
}

// get reads a key.
func (h *house) get(id int64) key {
	h.t.Helper()
	var k key
	h.Admin(200, &k, "GET", fmt.Sprintf("/v1/keys/%d", id), nil)
	return k
}

// on calls a route under /v1/keys/{id} as the administrator.
func (h *house) on(k key, status int, out any, method, rest string, in any) {
	h.t.Helper()
	h.Admin(status, out, method, fmt.Sprintf("/v1/keys/%d%s", k.ID, rest), in)
}

// call calls with a key.
func (h *house) call(k key, method, path string, in any, headers ...string) apptest.Answer {
	h.t.Helper()
	return h.Do(method, path, in, append(headers, "X-API-Key", k.Key)...)
}

// want demands a status, and for a refusal its reason.
func (h *house) want(a apptest.Answer, status int, reason string) {
	h.t.Helper()
	if got := a.Header.Get("Latchkey-Reason"); a.Status != status || got != reason {
		h.t.Errorf("the answer is %d %q, want %d %q: %.300s", a.Status, got, status, reason, a.Body)
	}
}

// works demands that a key is accepted or not.
func (h *house) works(k key, want bool) {
	h.t.Helper()
	if got := h.call(k, "GET", "/api/user/current", nil).Status; got != map[bool]int{true: 200, false: 401}[want] {
		h.t.Errorf("the key %q is answered %d; works: %v", k.Name, got, want)
	}
}

// problem demands an error of /v1 with a code.
func (h *house) problem(a apptest.Answer, status int, code string) {
	h.t.Helper()
	var p struct{ Code string }
	if a.Status == status {
		a.JSON(h.t, &p)
	}
	if a.Status != status || p.Code != code {
		h.t.Errorf("the answer is %d %.300s, want %d %s", a.Status, a.Body, status, code)
	}
}

// asAdmin sends a request of the administrator that may fail.
func (h *house) asAdmin(method, path string, in any) apptest.Answer {
	h.t.Helper()
	return h.Do(method, path, in, "X-Metabase-Session", h.Session)
}

// page reads a page as the administrator.
func (h *house) page(path string) string {
	h.t.Helper()
	a := h.Do("GET", path, nil, "Cookie", "metabase.SESSION="+h.Session)
	if a.Status != 200 {
		h.t.Errorf("the page %s is answered %d", path, a.Status)
	}
	return a.Body
}

// soon demands that something comes true within a few seconds.
func soon(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 seconds", what)
		}
	}
}

// in is a time from now as the API takes it.
func in(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339Nano) }

const day = 24 * time.Hour
