package web_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/apptest/sampletest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/content/revision"
	"latchkey/internal/content/shelf"
	"latchkey/internal/cookie"
	"latchkey/internal/db"
	"latchkey/internal/engine"
	"latchkey/internal/engine/sqlite"
	"latchkey/internal/group"
	"latchkey/internal/mail"
	"latchkey/internal/people"
	"latchkey/internal/query"
	"latchkey/internal/query/mbql"
	"latchkey/internal/secret"
	"latchkey/internal/setting"
	"latchkey/internal/usage"
	"latchkey/internal/warehouse"
	"latchkey/internal/web"
)

// world is an instance with its pages.
type world struct {
	t        *testing.T
	URL      string
	log      *bytes.Buffer
	db       *db.DB
	people   *people.Service
	groups   *group.Service
	keys     *apikey.Service
	settings *setting.Service
	usage    *usage.Service
	verifier *apikey.Verifier
	trail    *audit.Log
	content  *content.Service
	cards    *card.Service
	boards   *dashboard.Service
	history  *revision.Log
	shelf    *shelf.Service
	queries  *query.Service
	as       *access.Principal // who everybody counts as, when set
}

// Names of the first administrator.
const (
	adaEmail    = "ada@example.com"
	adaPassword = "correct horse 42"
)

// newWorld returns an instance that is not set up yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	d := dbtest.Open(t, dbtest.SQLite)
	w.db = d
	trail := audit.New(d)
	w.trail = trail
	var err error
	w.settings, err = setting.New(ctx, d, trail, nil)
	w.must(err)
	w.groups, err = group.New(ctx, d, trail, log)
	w.must(err)
	peppers, err := apikey.OpenPeppers(ctx, d, apikey.PepperSource{File: t.TempDir() + "/pepper"})
	w.must(err)
	mailer := mail.New(mail.Config{})
	w.people = people.New(people.Deps{DB: d, Audit: trail, Groups: w.groups, Settings: w.settings, Mail: mailer, Log: log, Options: people.Options{CheapHashes: true}})
	w.usage = usage.New(d, log, usage.Options{})
	w.keys = apikey.New(apikey.Deps{
		DB: d, Audit: trail, People: w.people, Groups: w.groups, Usage: w.usage, Peppers: peppers,
		Prefix:     func() string { return w.settings.String("api-key-prefix") },
		Vocabulary: vocabulary, HasSetting: w.settings.Has, Log: log,
	})
	w.furnish(log)
	w.verifier = apikey.NewVerifier(d, peppers, w.people.Subjects(), w.usage, log)
	pages, err := web.New(w.deps(log, mailer))
	w.must(err)
	srv := httptest.NewServer(pages)
	t.Cleanup(srv.Close)
	w.URL = srv.URL
	return w
}

// furnish adds content, and the sample database once there is a person.
func (w *world) furnish(log *slog.Logger) {
	w.t.Helper()
	var err error
	w.content, err = content.New(w.t.Context(), w.db, w.trail, log)
	w.must(err)
	w.history = revision.New(w.db, w.trail, w.content)
	dir := w.t.TempDir()
	house := warehouse.New(warehouse.Deps{
		DB: w.db, Audit: w.trail, Log: log, HasPeople: w.people.HasSetup,
		Drivers: []engine.Driver{sqlite.Driver{Dirs: []string{dir}}}, SampleFile: sampletest.File(w.t, dir),
	})
	w.t.Cleanup(house.Close)
	w.people.OnSetup(house.ConnectSample)
	w.queries = query.New(query.Deps{Warehouse: house, Settings: w.settings, Clock: clock.System{}, Timeout: 10 * time.Second})
	w.shelf = shelf.NewService(w.db, w.content, log)
	w.cards = card.NewService(card.Deps{
		DB: w.db, Audit: w.trail, Content: w.content, Revisions: w.history,
		MayRun: func(context.Context, *access.Principal, mbql.Query) error { return nil },
	})
	w.boards = dashboard.NewService(w.db, w.content, w.cards, w.history)
}

// vocabulary is some routes that restrictions may name.
func vocabulary() *access.Vocabulary {
	return access.NewVocabulary(
		access.DeclaredRoute{Route: "GET /api/user", Doc: "List people", Policy: access.Admin("people", access.Read)},
		access.DeclaredRoute{
			Route: "PUT /api/user/{id}", Doc: "Change a person", Policy: access.Admin("people", access.Write).Naming("people", "id"),
			Names: []string{"people"}, Fields: []string{"first_name", "last_name"},
		},
		access.DeclaredRoute{Route: "GET /api/permissions/group", Doc: "List groups", Policy: access.Admin("groups", access.Read)},
		access.DeclaredRoute{Route: "POST /api/api-key", Doc: "Create an API key", Policy: access.Admin("keys", access.Write), Fields: []string{"name"}},
	)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deps(log *slog.Logger, mailer *mail.Mailer) web.Deps {
	jar := cookie.Jar{SessionOnly: func() bool { return false }, Timeout: func() time.Duration { return 0 }, Clock: clock.System{}}
	return web.Deps{
		People: w.people, Groups: w.groups, Keys: w.keys, Settings: w.settings, Usage: w.usage, Vocabulary: vocabulary,
		Content: w.content, Cards: w.cards, Dashboards: w.boards, Revisions: w.history, Shelf: w.shelf, Queries: w.queries,
		Audit: w.trail, Explain: w.explainer().Explain,
		Authenticate: func(ctx context.Context, r *http.Request) (*access.Principal, error) {
			if w.as != nil {
				return w.as, nil
			}
			p, err := w.people.Session(ctx, cookie.Token(r))
			if p != nil || err != nil {
				return p, err
			}
			c, err := w.verifier.Verify(ctx, r.Header.Get("X-Api-Key"), netip.Addr{})
			return c.Principal, err
		},
		SetSession: func(rw http.ResponseWriter, _ *http.Request, s people.NewSession, remember bool) {
			for _, c := range jar.Set(s.Token, remember, false) {
				http.SetCookie(rw, c)
			}
		},
		ClearSession: func(rw http.ResponseWriter, _ *http.Request) {
			for _, c := range jar.Clear() {
				http.SetCookie(rw, c)
			}
		},
		MailConfigured: mailer.Configured,
		TLS:            func(r *http.Request) bool { return r.Header.Get("X-Test-Tls") != "" },
		Log:            log,
		FormTime:       500 * time.Millisecond,
	}
}

// ready returns an instance with its first administrator.
func ready(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.must(w.people.SetupUnattended(t.Context(), adaEmail, secret.New(adaPassword), "Ada Admin"))
	return w
}

// boss is a principal that may do everything, to prepare a test with.
func boss() *access.Principal { return access.CommandLine() }

// browser is a person at a browser.
type browser struct {
	w      *world
	client *http.Client
}

// browser returns a browser that is not signed in. It does not follow redirects.
func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// admin returns a browser that is signed in as the administrator.
func (w *world) admin() *browser {
	w.t.Helper()
	return w.signIn(adaEmail, adaPassword)
}

func (w *world) signIn(email, password string) *browser {
	w.t.Helper()
	b := w.browser()
	if a := b.post("/auth/login", "username", email, "password", password); a.status != http.StatusSeeOther {
		w.t.Fatalf("sign-in of %s: %d\n%s", email, a.status, a.body)
	}
	return b
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) answer {
	b.w.t.Helper()
	res, err := b.client.Do(r)
	b.w.must(err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	b.w.must(err)
	return answer{res.StatusCode, res.Header, string(body)}
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.URL+path, body)
	b.w.must(err)
	return r
}

// get opens a page.
func (b *browser) get(path string) answer {
	b.w.t.Helper()
	return b.do(b.request(http.MethodGet, path, nil))
}

// post sends a form, given as name and value in turn.
func (b *browser) post(path string, pairs ...string) answer {
	b.w.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	r := b.request(http.MethodPost, path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// token opens a page and returns the one-time token of its form.
func (b *browser) token(path string) string {
	b.w.t.Helper()
	m := tokenField.FindStringSubmatch(b.get(path).body)
	if m == nil {
		b.w.t.Fatalf("%s has no form token", path)
	}
	return m[1]
}

// wants checks the status and that the page shows all texts.
func (a answer) wants(t *testing.T, status int, texts ...string) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d\n%s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(a.body), text) {
			t.Errorf("the page does not show %q\n%s", text, a.body)
		}
	}
	return a
}

// lacks checks that the page does not show the texts.
func (a answer) lacks(t *testing.T, texts ...string) answer {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(a.body), text) {
			t.Errorf("the page shows %q\n%s", text, a.body)
		}
	}
	return a
}

// leads checks that the answer is a redirect to the address.
func (a answer) leads(t *testing.T, to string) answer {
	t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != to {
		t.Fatalf("status %d to %q, want a redirect to %q\n%s", a.status, got, to, a.body)
	}
	return a
}
