package secrets_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/apptest"
)

// scene is an instance whose secrets are known, and all that it has said.
type scene struct {
	t       *testing.T
	s       *apptest.Server
	secrets []secret
	said    []*saying
}

type secret struct{ what, text string }

// saying is an answer or the output of a command, and the secrets that it is
// there to show.
type saying struct {
	what, text string
	status     int
	may        []string
}

// learn adds a secret that the test has made up or was shown.
func (c *scene) learn(what, text string) string {
	c.t.Helper()
	if len(text) < 12 {
		c.t.Fatalf("the secret %s is too short to be searched for: %q", what, text)
	}
	c.secrets = append(c.secrets, secret{what, text})
	return text
}

// show takes a secret out of the one answer that may hold it.
func (c *scene) show(a *saying, what string, pattern *regexp.Regexp) string {
	c.t.Helper()
	found := pattern.FindStringSubmatch(a.text)
	if found == nil {
		c.t.Fatalf("%s: there is no %s in\n%s", a.what, what, a.text)
	}
	a.may = append(a.may, found[1])
	return c.learn(what, found[1])
}

// The patterns of what is shown once.
var (
	keyPattern     = regexp.MustCompile(`\b(lk_[0-9A-Za-z]{44})\b`)
	sessionPattern = regexp.MustCompile(`metabase\.SESSION=([0-9a-f-]{36})`)
	resetPattern   = regexp.MustCompile(`/auth/reset_password/(\d+_[0-9a-f-]{36})`)
	tokenPattern   = regexp.MustCompile(`"setup-token":"([0-9a-f-]{36})"`)
)

// call sends a request and keeps the answer. A body that is url.Values goes as
// a form, any other as JSON.
func (c *scene) call(method, path string, body any, headers ...string) *saying {
	c.t.Helper()
	var r io.Reader
	media := "application/json"
	switch b := body.(type) {
	case nil:
	case raw:
		r = strings.NewReader(string(b))
	case url.Values:
		r, media = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+path, r)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := &saying{what: method + " " + path, status: res.StatusCode}
	var b strings.Builder
	_ = res.Header.Write(&b)
	a.text = b.String() + string(raw)
	c.said = append(c.said, a)
	return a
}

// want is call with the status that must come.
func (c *scene) want(status int, method, path string, body any, headers ...string) *saying {
	c.t.Helper()
	a := c.call(method, path, body, headers...)
	if a.status != status {
		c.t.Fatalf("%s: %d, want %d\n%s", a.what, a.status, status, a.text)
	}
	return a
}

// run runs a command and keeps what it prints.
func (c *scene) run(code int, stdin string, args ...string) *saying {
	c.t.Helper()
	got, out, errs := c.s.Run(stdin, args...)
	if got != code {
		c.t.Fatalf("latchkey %s: exit code %d, want %d\n%s%s", args, got, code, out, errs)
	}
	a := &saying{what: "latchkey " + strings.Join(args[:min(2, len(args))], " "), text: out + errs}
	c.said = append(c.said, a)
	return a
}

// forms returns the ways in which a secret could be written.
func (s secret) forms() []string {
	sum := sha256.Sum256([]byte(s.text))
	all := []string{
		s.text, url.QueryEscape(s.text), hex.EncodeToString([]byte(s.text)),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s.text)), "="),
	}
	if strings.HasPrefix(s.what, "key") || strings.Contains(s.what, "password") {
		// A digest without pepper or salt would let anybody prove a guess.
		all = append(all, hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(sum[:]))
	}
	return all
}

// form is one way in which a secret could be written.
type form struct {
	secret
	written string
}

// head is how much of a form is looked up; every form is longer.
const head = 8

// index finds the forms of all secrets by their beginnings: there are too many
// to look for one after the other in all that was said.
func (c *scene) index() map[string][]form {
	all := map[string][]form{}
	for _, s := range c.secrets {
		for _, f := range s.forms() {
			all[f[:head]] = append(all[f[:head]], form{s, f})
		}
	}
	return all
}

// search complains about every secret in a text that may not hold it.
func (c *scene) search(forms map[string][]form, where, text string, may ...string) {
	c.t.Helper()
	told := map[secret]bool{}
	for at := range max(0, len(text)-head+1) {
		for _, f := range forms[text[at:at+head]] {
			if !strings.HasPrefix(text[at:], f.written) || told[f.secret] || allows(may, f.text) {
				continue
			}
			told[f.secret] = true
			c.t.Errorf("%s holds the %s: …%s…", where, f.what,
				strings.ToValidUTF8(text[max(0, at-120):min(len(text), at+len(f.written)+40)], "?"))
		}
	}
}

func allows(may []string, text string) bool {
	for _, m := range may {
		if strings.Contains(m, text) {
			return true
		}
	}
	return false
}

// searchEverything looks for every secret everywhere.
func (c *scene) searchEverything() {
	c.t.Helper()
	forms := c.index()
	for _, a := range c.said {
		c.search(forms, "the answer to "+numbered.ReplaceAllString(a.what, "…"), a.text, a.may...)
	}
	c.search(forms, "the log", c.s.Log())
	for table, rows := range c.s.Dump() {
		var may []string
		if table == "setting" {
			may = append(may, c.setupToken()) // so that 403 is told from 400 after set-up; it opens nothing
		}
		c.search(forms, "the table "+table, strings.Join(rows, "\n"), may...)
	}
	if c.s.DBURL != "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(c.s.DataDir, "latchkey.db*"))
	if err != nil || len(files) == 0 {
		c.t.Fatalf("no database file in %s: %v", c.s.DataDir, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			c.t.Fatal(err)
		}
		c.search(forms, "the file "+filepath.Base(name), string(b), c.setupToken())
	}
}

var numbered = regexp.MustCompile(`lk_\w+|\d+_[0-9a-f-]{36}`)

func (c *scene) setupToken() string {
	for _, s := range c.secrets {
		if s.what == "setup token" {
			return s.text
		}
	}
	return ""
}

// breakTable takes a table away from under the running program, runs f, and
// puts it back. At least one of the answers must be a failure inside, or
// nothing was tested.
func (c *scene) breakTable(table string, f func()) {
	c.t.Helper()
	d := c.s.Database()
	exec := func(q string) {
		c.t.Helper()
		if _, err := d.ExecContext(c.t.Context(), q); err != nil {
			c.t.Fatal(err)
		}
	}
	first := len(c.said)
	exec(fmt.Sprintf("ALTER TABLE %s RENAME TO %s_gone", table, table))
	f()
	exec(fmt.Sprintf("ALTER TABLE %s_gone RENAME TO %s", table, table))
	failed := 0
	for _, a := range c.said[first:] {
		if a.status >= 500 {
			failed++
		}
	}
	if failed == 0 {
		c.t.Errorf("without the table %s nothing failed, so nothing was tested", table)
	}
}
