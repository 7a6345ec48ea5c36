package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/fault"
	"latchkey/internal/people"
)

func TestARouteWithoutPolicyStopsTheStart(t *testing.T) {
	s := &site{}
	err := s.register(http.NewServeMux(), []route{{http.MethodGet, "/x", access.Policy{}, (*page).notFound}})
	if err == nil || !strings.Contains(err.Error(), "GET /x") {
		t.Errorf("error %v", err)
	}
}

func TestEveryChangeIsAPost(t *testing.T) {
	for _, r := range (&site{}).routes() {
		if r.method == http.MethodPost && (r.path == pathAuditKey || r.path == pathExplain) {
			continue // they change nothing; what they ask must not stand in an address
		}
		if (r.policy.Scope.Verb == access.Write) != (r.method == http.MethodPost) {
			t.Errorf("%s %s has the scope %s", r.method, r.path, r.policy.Scope)
		}
	}
}

func TestEveryPageParses(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := loadTemplates(a, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	for name, parse := range pages.parsed {
		page, err := parse()
		if err != nil || page.Lookup("content") == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	used := map[string]bool{"layout.html": true, "parts.html": true, "picker.html": true}
	for _, sh := range pages.sheets {
		for _, f := range sh.files {
			used[f+".html"] = true
		}
	}
	files, err := fs.ReadDir(embeddedTemplates, "templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !used[f.Name()] {
			t.Errorf("no page uses %s", f.Name())
		}
	}
}

func TestVendoredFilesAreWhatTheManifestSays(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct{ Name, Version, Licence, LicenceFile, Source, File, SHA256 string }
	if err := json.Unmarshal(a.files["vendor/manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	listed := []string{"vendor/manifest.json"}
	for _, m := range manifest {
		sum := sha256.Sum256(a.files["vendor/"+m.File])
		if hex.EncodeToString(sum[:]) != m.SHA256 || m.Name == "" || m.Version == "" || m.Licence == "" || m.Source == "" {
			t.Errorf("%s is not what the manifest says: %+v", m.File, m)
		}
		listed = append(listed, "vendor/"+m.File, "vendor/"+m.LicenceFile)
	}
	for name := range a.files {
		if strings.HasPrefix(name, "vendor/") && !slices.Contains(listed, name) {
			t.Errorf("%s is not in the manifest", name)
		}
	}
}

func TestOwnFilesNameNoOtherServer(t *testing.T) {
	err := fs.WalkDir(embeddedStatic, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "/vendor/") || path.Ext(name) == ".svg" {
			return err
		}
		b, err := fs.ReadFile(embeddedStatic, name)
		if strings.Contains(string(b), "//cdn") || strings.Contains(string(b), "https://") || strings.Contains(string(b), "eval(") {
			t.Errorf("%s loads from elsewhere or evaluates code", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLocalPath(t *testing.T) {
	for target, want := range map[string]string{
		"": "/", "/": "/", "/admin/people?q=a%20b#x": "/admin/people?q=a%20b#x", "//evil.example": "/", "https://evil.example/": "/",
		"/\\evil.example": "/", "javascript:alert(1)": "/", "admin": "/", "/\nevil": "/", "/auth/login": "/", "/setup": "/", "///a": "/", "/%2f/evil.example": "/",
	} {
		if got := localPath(target); got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

func TestListAddresses(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x?q=+a%26b+&page=3&status=off&other=1", nil)
	l := (&page{r: r}).readList("/list", "status")
	l.Total = 151
	for got, want := range map[string]string{
		l.URL():              "/list?page=3&q=a%26b&status=off",
		l.At(int64(7), "x"):  "/list/7/x?page=3&q=a%26b&status=off",
		l.Prev():             "/list?page=2&q=a%26b&status=off",
		l.Next():             "/list?page=4&q=a%26b&status=off",
		l.First():            "/list?q=a%26b&status=off",
		l.With("status", ""): "/list?q=a%26b",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if l.From() != 101 || l.To() != 150 || l.Past() {
		t.Errorf("rows %d to %d, past %v", l.From(), l.To(), l.Past())
	}
}

func TestOnceSharesTheRunningAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOnce(clock.System{})
		got := make(chan int, 3)
		runs := 0
		for range 3 {
			go func() {
				v, err := try(o, "token", func() (int, error) {
					runs++
					time.Sleep(time.Second)
					return 42, nil
				})
				if err != nil {
					t.Error(err)
				}
				got <- v
			}()
		}
		for range 3 {
			if v := <-got; v != 42 {
				t.Errorf("an attempt got %d", v)
			}
		}
		if runs != 1 {
			t.Errorf("it ran %d times", runs)
		}
		if v, err := try(o, "token", func() (int, error) { return 1, nil }); v != 0 || !fault.Is(err, fault.Conflict) {
			t.Errorf("later: %d, %v", v, err)
		}
	})
}

func TestOnceForgetsFailures(t *testing.T) {
	o := newOnce(clock.System{})
	if _, err := try(o, "t", func() (int, error) { return 0, errors.New("no") }); err == nil {
		t.Error("the failure was lost")
	}
	if v, err := try(o, "t", func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	if _, err := try(o, "", func() (int, error) { return 7, nil }); !fault.Is(err, fault.Conflict) {
		t.Errorf("a form without a token: %v", err)
	}
}

func TestOnceIsBounded(t *testing.T) {
	c := clock.NewFake(time.Unix(0, 0))
	o := newOnce(c)
	for range onceKept + 100 {
		if _, err := try(o, newToken(), func() (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.used) > onceKept {
		t.Errorf("%d forms are remembered", len(o.used))
	}
	c.Advance(onceKeptFor + time.Second)
	for range onceKept/8 + 1 {
		if _, err := try(o, newToken(), func() (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.used) > onceKept/8+1 {
		t.Errorf("%d forms are remembered after a day", len(o.used))
	}
}

func TestTemporaryPasswordsSatisfyEveryPolicy(t *testing.T) {
	for _, c := range []people.Complexity{people.Weak, people.Normal, people.Strong} {
		for _, length := range []int{0, 40} {
			p := people.NewPasswordPolicy(c, length)
			seen := map[string]bool{}
			for range 50 {
				password := temporaryPassword(p.Counts())
				if !p.Valid(password) || password.Len() < temporaryLength || seen[password.Reveal()] {
					t.Fatalf("%s, %d: %q", c, length, password.Reveal())
				}
				seen[password.Reveal()] = true
			}
		}
	}
}

func TestPasswordHint(t *testing.T) {
	got := passwordHint(people.NewPasswordPolicy(people.Strong, 12).Counts())
	want := "At least 12 characters, with 2 lower-case letters, 2 upper-case letters, 1 digit, 1 special character; not a common one. Long is better."
	if got != want {
		t.Errorf("%q", got)
	}
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 90 * time.Minute: "1 hour ago", 47 * time.Hour: "1 day ago",
		6 * 24 * time.Hour: "6 days ago", 30 * 24 * time.Hour: "23 Oct 2026", -time.Hour: "22 Nov 2026",
	} {
		if got := newMoment(now.Add(-ago), now); got.Text != want || got.ISO == "" || got.Full == "" {
			t.Errorf("%s ago: %+v, want %q", ago, got, want)
		}
	}
	when := newMoments(clock.NewFake(now))
	if got := when((*time.Time)(nil)); got.Text != "never" {
		t.Errorf("nil: %+v", got)
	}
	if got := when(&now); got.Text != "just now" {
		t.Errorf("pointer: %+v", got)
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		plural(1, "key", "keys"): "1 key", plural(int64(0), "key", "keys"): "0 keys", number(1234567): "1,234,567", number(100): "100", number(-1000): "-1,000",
		inWords(30 * time.Minute): "30 minutes", inWords(48 * time.Hour): "2 days", inWords(90 * time.Second): "90 seconds", inWords(time.Hour): "1 hour",
		browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36"):    "Chrome on Linux",
		browser("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) AppleWebKit/605 Version/17 Safari/6"): "Safari on macOS",
		browser("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"):                     "Firefox on Windows",
		browser("curl/8.5.0"): "curl/8.5.0", browser(""): "Unknown program",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFaultsInForms(t *testing.T) {
	f := newForm()
	err := f.refused(&fault.Error{Kind: fault.Invalid, Fields: map[string]string{"user.email": "is wrong", "token": "does not match"}}, "email")
	if err != nil || f.Errors["email"] != "Is wrong" || f.Message != "Does not match" {
		t.Errorf("%v %+v", err, f)
	}
	if err := f.refused(fault.Wrap(context.Canceled, "x")); err == nil {
		t.Error("a failure of ours was shown at the form")
	}
	if got := newInput(f, "email", "E-mail", "type=email", "hint=h"); !got.Focus || got.Describes() != "hint-email error-email" {
		t.Errorf("%+v", got)
	}
	f.Values = url.Values{"password": {"secret"}}
	if got := newInput(f, "password", "Password", "type=password", "focus"); got.Value != "" {
		t.Errorf("a password is shown again: %+v", got)
	}
}
