package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/api"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/apptest/sampletest"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/content/revision"
	"latchkey/internal/content/search"
	"latchkey/internal/content/shelf"
	"latchkey/internal/content/snippet"
	"latchkey/internal/content/timeline"
	"latchkey/internal/cookie"
	"latchkey/internal/db"
	"latchkey/internal/endpoint"
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
)

// The passwords of the callers.
const (
	adaPassword = "ada-lovelace-1815"
	boPassword  = "bo-knows-1962"
	newPassword = "quite-new-2026"
)

// Texts that many rows want.
const (
	noPermission  = "You don't have permissions to do that."
	noRoute       = `"API endpoint does not exist."`
	noneOfAll     = "You cannot add or remove users to/from the 'All Users' group."
	lastAdmin     = "You cannot remove the last member of the 'Admin' group!"
	weakPassword  = `{"errors":{"password":"password is too common."},"specific-errors":{"password":["valid password that is not too common, received: \"***\""]}}`
	testStart     = "2026-01-02T03:04:05Z"
	positiveTexts = `value must be an integer greater than zero.`
)

// closedDatabase is a database that only administrators may query.
const closedDatabase = 9

// instance is the real domain behind the dialect.
type instance struct {
	api       *api.API
	db        *db.DB
	clock     *clock.Fake
	log       bytes.Buffer
	settings  *setting.Service
	groups    *group.Service
	people    *people.Service
	keys      *apikey.Service
	content   *content.Service
	shelf     *shelf.Service
	cards     *card.Service
	warehouse *warehouse.Service
	queries   *query.Service
	names     map[string]string // what {name} stands for in rows
	callers   map[string][2]string
	dead      []string // what must appear in no answer
}

// newInstance builds an instance that is not set up.
func newInstance(t *testing.T, d *db.DB, clk *clock.Fake, throttle bool) *instance {
	t.Helper()
	in := &instance{db: d, clock: clk, names: map[string]string{}, callers: map[string][2]string{"": {}}}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.NewTextHandler(&in.log, nil))
	trail, mailer := audit.New(d), mail.New(mail.Config{})
	var err error
	in.settings, err = setting.New(t.Context(), d, trail, setting.Overrides{"site-url": "https://data.example.test"})
	check(err)
	in.groups, err = group.New(t.Context(), d, trail, log)
	check(err)
	in.people = people.New(people.Deps{
		DB: d, Audit: trail, Groups: in.groups, Settings: in.settings, Mail: mailer, Log: log,
		Options: people.Options{DisableThrottle: !throttle, CheapHashes: true},
	})
	t.Cleanup(func() { check(in.people.Close(context.WithoutCancel(t.Context()))) })
	peppers, err := apikey.OpenPeppers(t.Context(), d, apikey.PepperSource{File: filepath.Join(t.TempDir(), "pepper")})
	check(err)
	use := usage.New(d, log, usage.Options{})
	in.keys = apikey.New(apikey.Deps{
		DB: d, Audit: trail, People: in.people, Groups: in.groups, Usage: use, Peppers: peppers,
		Prefix:     func() string { return in.settings.String("api-key-prefix") },
		Vocabulary: func() *access.Vocabulary { return in.api.Table().Vocabulary() },
		HasSetting: func(string) bool { return true },
		Exists:     func(context.Context, string, int64) (bool, error) { return true, nil },
	})
	in.content, err = content.New(t.Context(), d, trail, log)
	check(err)
	in.content.KnowGroups(func(ctx context.Context, id int64) (bool, error) {
		name, err := in.groups.Name(ctx, id)
		return name != "", err
	})
	in.groups.OnDelete(func(ctx context.Context, who *access.Principal, g group.Group) error {
		return in.content.GroupDeleted(ctx, who, g.ID, g.Name)
	})
	in.people.OnRename(func(ctx context.Context, _ *access.Principal, userID int64) error {
		name, _, err := in.people.Ref(ctx, userID)
		if err != nil {
			return err
		}
		return in.content.RenamePersonal(ctx, userID, name)
	})
	in.shelf = shelf.NewService(d, in.content, log)
	revisions := revision.New(d, trail, in.content)
	dir := t.TempDir()
	in.warehouse = warehouse.New(warehouse.Deps{
		DB: d, Audit: trail, Log: log, HasPeople: in.people.HasSetup,
		Drivers: []engine.Driver{sqlite.Driver{Dirs: []string{dir}}}, SampleFile: sampletest.File(t, dir),
	})
	t.Cleanup(in.warehouse.Close)
	in.people.OnSetup(in.warehouse.ConnectSample)
	in.queries = query.New(query.Deps{
		Warehouse: in.warehouse, Settings: in.settings, Clock: clk, Timeout: 10 * time.Second,
		Card: func(ctx context.Context, who *access.Principal, id int64) (json.RawMessage, error) {
			c, err := in.cards.Get(ctx, who, id)
			return c.Query, err
		},
	})
	in.cards = card.NewService(card.Deps{
		DB: d, Audit: trail, Content: in.content, Revisions: revisions,
		MayRun: func(_ context.Context, who *access.Principal, q mbql.Query) error {
			if q.Database() == closedDatabase && !who.IsAdmin() {
				return access.Forbidden()
			}
			return nil
		},
		Columns: func(ctx context.Context, who *access.Principal, q mbql.Query) (json.RawMessage, error) {
			columns, err := in.queries.Describe(ctx, who, mbql.MBQL5(q))
			return api.ResultMetadata(columns), err
		},
		Bookmarked: func(ctx context.Context, who *access.Principal) (ids []int64, err error) {
			marks, err := in.shelf.Bookmarks(ctx, who)
			for _, m := range marks {
				if m.Item.Kind == content.Card {
					ids = append(ids, m.Item.ID)
				}
			}
			return ids, err
		},
	})
	boards := dashboard.NewService(d, in.content, in.cards, revisions)
	in.cards.UseBoards(boards)
	verifier := apikey.NewVerifier(d, peppers, in.people.Subjects(), use, log)
	jar := cookie.Jar{
		MaxAge: 14 * 24 * time.Hour, Clock: clock.System{}, Timeout: in.settings.Timeout,
		SessionOnly: func() bool { return in.settings.Bool("session-cookies") },
	}
	in.api, err = api.New(api.Deps{
		Endpoints: api.Endpoints(api.Services{
			People: in.people, Groups: in.groups, Keys: in.keys, Settings: in.settings, Mail: mailer, Jar: jar,
			Content: in.content, Revisions: revisions, Cards: in.cards, Dashboards: boards,
			Snippets: snippet.NewService(d, in.content), Timelines: timeline.NewService(d, trail, in.content),
			Shelf: in.shelf, Search: search.NewService(d, in.content, api.WarehouseSource(in.warehouse)),
			Warehouse: in.warehouse, Queries: in.queries,
			Version: "v0.62.0", Product: "v1.2.3",
		}),
		Rules:        api.Rules(in.people),
		Authenticate: authenticator(in.people, verifier),
		Version:      "v0.62.0", Clock: clk, Log: log,
		Ready: func() (bool, float64) { return true, 1 }, DBPing: d.Ping,
		SiteURL:              func() string { return in.settings.String("site-url") },
		CORSOrigins:          func() []string { return nil },
		DisableCORSLocalhost: func() bool { return false },
		Context: func(ctx context.Context, c *endpoint.Call) context.Context {
			return audit.WithOrigin(ctx, audit.Origin{RemoteAddr: c.RemoteAddr.String(), RequestID: c.RequestID})
		},
	})
	check(err)
	return in
}

// authenticator is the order of contract/identity.md 1.3.
func authenticator(p *people.Service, v *apikey.Verifier) api.Authenticator {
	return func(ctx context.Context, r *http.Request, from netip.Addr, _ http.Header) (*access.Principal, error) {
		if token := cookie.Token(r); token != "" {
			if who, err := p.Session(ctx, token); who != nil || err != nil {
				return who, err
			}
		}
		check, err := v.Verify(ctx, r.Header.Get("X-API-Key"), from)
		return check.Principal, err
	}
}

// eachEmpty runs the test on an instance without anybody, on both databases.
func eachEmpty(t *testing.T, throttle bool, f func(t *testing.T, in *instance)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		clk := clock.NewFake(theStart(t))
		f(t, newInstance(t, p.Open(t, dbtest.WithClock(clk)), clk, throttle))
	})
}

// eachInstance runs the test on an instance with: ada, an administrator; bo, a
// plain person in the group analysts; the key "reader" of analysts and the key
// "root" of Administrators.
func eachInstance(t *testing.T, f func(t *testing.T, in *instance)) {
	t.Helper()
	eachFurnished(t, func(t *testing.T, in *instance, _ *db.DB) { f(t, in) })
}

// eachFurnished is eachInstance for tests that prepare the database too.
func eachFurnished(t *testing.T, f func(t *testing.T, in *instance, d *db.DB)) {
	t.Helper()
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		clk := clock.NewFake(theStart(t))
		d := p.Open(t, dbtest.WithClock(clk))
		in := newInstance(t, d, clk, false)
		in.furnish(t)
		f(t, in, d)
	})
}

func (in *instance) furnish(t *testing.T) {
	t.Helper()
	in.setUp(t)
	g, err := in.groups.Create(t.Context(), access.CommandLine(), "Analysts")
	if err != nil {
		t.Fatal(err)
	}
	in.names["analysts"], in.names["analysts_entity"] = fmt.Sprint(g.ID), g.EntityID
	in.addPerson(t, "bo", boPassword, g.ID)
	in.addKey(t, "reader", g.ID)
	in.addKey(t, "root", access.Administrators)
	for _, name := range []string{"ada", "bo"} {
		in.signIn(t, name)
	}
}

// setUp makes ada by the route of set-up.
func (in *instance) setUp(t *testing.T) {
	t.Helper()
	token, err := in.people.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec := in.do("", "POST", "/api/setup", `{"token":"`+token+`","user":{"email":"Ada@Example.test","password":"`+adaPassword+
		`","first_name":"Ada","last_name":"L"},"prefs":{"site_name":"Acme","site_locale":"en"}}`)
	if rec.Code != http.StatusOK {
		t.Fatalf("set-up: %d %s", rec.Code, rec.Body)
	}
	in.name(t, "ada", adaPassword)
}

func (in *instance) name(t *testing.T, name, password string) {
	t.Helper()
	u, err := in.people.ByEmail(t.Context(), access.CommandLine(), name+"@example.test")
	if err != nil {
		t.Fatal(err)
	}
	in.names[name] = fmt.Sprint(u.ID)
	in.names[name+"_password"] = password
}

func (in *instance) addPerson(t *testing.T, name, password string, groups ...int64) {
	t.Helper()
	first, last := strings.ToUpper(name[:1])+name[1:], "K"
	_, err := in.people.Create(t.Context(), access.CommandLine(), people.NewUser{
		Email: name + "@example.test", FirstName: &first, LastName: &last,
		Groups: append([]int64{access.AllUsers}, groups...), Password: secret.New(password),
	})
	if err != nil {
		t.Fatal(err)
	}
	in.name(t, name, password)
}

func (in *instance) addKey(t *testing.T, name string, groupID int64) {
	t.Helper()
	k, text, err := in.keys.Create(t.Context(), access.CommandLine(), name, groupID)
	if err != nil {
		t.Fatal(err)
	}
	in.names[name], in.names[name+"_user"] = fmt.Sprint(k.ID), fmt.Sprint(k.UserID)
	in.names[name+"_masked"] = k.Masked()
	in.callers[name] = [2]string{"X-API-Key", text.Reveal()}
	in.dead = append(in.dead, text.Reveal())
}

// signIn gives a caller a session of the person with this name.
func (in *instance) signIn(t *testing.T, name string) {
	t.Helper()
	s, err := in.people.SignIn(t.Context(), name+"@example.test", secret.New(in.names[name+"_password"]), false)
	if err != nil {
		t.Fatal(err)
	}
	in.callers[name] = [2]string{cookie.SessionHeader, s.Token.Reveal()}
	in.dead = append(in.dead, s.Token.Reveal(), in.names[name+"_password"])
}

// do sends one request. A body such as name=value is sent as a form, any other
// as JSON.
func (in *instance) do(who, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		if regexp.MustCompile(`^[a-z_]+=`).MatchString(body) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if c := in.callers[who]; c[0] != "" {
		r.Header.Set(c[0], c[1])
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	in.api.ServeHTTP(rec, r)
	return rec
}

// row is one request and its answer. {name} stands for an id or another word of
// the instance, everywhere. In want, <uuid>, <key>, <masked>, <prefix>,
// <entity>, <id> and <any> stand for what is made at random; "" is an empty
// body, and "-" leaves the body to has and not.
type row struct {
	name, who, call, body string
	status                int
	want                  string
	has, not              []string
}

// run sends the requests one after the other.
func (in *instance) run(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(strings.ReplaceAll(r.name, "/", "_"), func(t *testing.T) {
			t.Helper()
			in.send(t, r)
		})
	}
}

func (in *instance) send(t *testing.T, r row) *httptest.ResponseRecorder {
	t.Helper()
	if _, ok := in.callers[r.who]; !ok {
		t.Fatalf("nobody is called %q", r.who)
	}
	method, target, _ := strings.Cut(in.fill(r.call), " ")
	rec := in.do(r.who, method, target, in.fill(r.body))
	got := rec.Body.String()
	if rec.Code != r.status {
		t.Errorf("status %d, want %d\n%s", rec.Code, r.status, got)
	}
	if want := in.fill(r.want); want != "-" && !matches(want, got) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, part := range r.has {
		if !strings.Contains(got, in.fill(part)) {
			t.Errorf("got\n%s\nwithout %s", got, in.fill(part))
		}
	}
	for _, part := range append(r.not, in.dead...) {
		if strings.Contains(got, in.fill(part)) {
			t.Errorf("got\n%s\nwith %s", got, in.fill(part))
		}
	}
	checkForm(t, rec)
	return rec
}

// checkForm holds for every answer: a body has a type that fits, and an error
// has a body.
func checkForm(t *testing.T, rec *httptest.ResponseRecorder) {
	t.Helper()
	media := rec.Header().Get("Content-Type")
	switch {
	case rec.Code == http.StatusNoContent && (rec.Body.Len() > 0 || media != ""):
		t.Errorf("204 with the body %q of type %q", rec.Body, media)
	case rec.Code >= 400 && rec.Body.Len() == 0:
		t.Errorf("%d without a body", rec.Code)
	case media == jsonType && !json.Valid(rec.Body.Bytes()):
		t.Errorf("no JSON: %s", rec.Body)
	case rec.Body.Len() > 0 && media != jsonType && media != textType:
		t.Errorf("type %q", media)
	}
}

func (in *instance) fill(s string) string {
	for name, value := range in.names {
		s = strings.ReplaceAll(s, "{"+name+"}", value)
	}
	return s
}

// matches compares a body with a text that has random parts.
func matches(want, got string) bool {
	pattern := regexp.QuoteMeta(want)
	for name, expr := range map[string]string{
		"<uuid>":   `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`,
		"<key>":    `lk_[0-9A-Za-z]{44}`,
		"<masked>": `lk_[0-9A-Za-z]{4}\*{40}`,
		"<prefix>": `lk_[0-9A-Za-z]{4}`,
		"<entity>": `[0-9A-Za-z_-]{21}`,
		"<id>":     `[1-9][0-9]*`,
		"<any>":    `(?s:.*)`,
	} {
		pattern = strings.ReplaceAll(pattern, name, expr)
	}
	return regexp.MustCompile("^" + pattern + "$").MatchString(got)
}

// invalid is the answer to one wrong field.
func invalid(field, text string, specific ...string) string {
	b, _ := json.Marshal(specific)
	return fmt.Sprintf(`{"errors":{%q:%s},"specific-errors":{%q:%s}}`, field, quoted(text), field, unescaped(b))
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s)
	return unescaped(b)
}

// unescaped undoes the escapes for HTML, which the API does not write.
func unescaped(b []byte) []byte {
	return []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b)))
}

// cookiesOf returns the cookies of an answer by name, without that of the device.
func cookiesOf(rec *httptest.ResponseRecorder) map[string]*http.Cookie {
	out := map[string]*http.Cookie{}
	for _, k := range rec.Result().Cookies() {
		if k.Name != cookie.Device {
			out[k.Name] = k
		}
	}
	return out
}

// TestEveryRouteAsksWhoCalls sends a request to each route as nobody and as a
// plain person: without credentials it is 401, and what is for administrators
// never succeeds for others.
func TestEveryRouteAsksWhoCalls(t *testing.T) {
	eachInstance(t, func(t *testing.T, in *instance) {
		for _, rt := range in.api.Table().Routes() {
			path := strings.NewReplacer("{id}", "1", "{key}", "site-name", "{modal}", "qbnewb").Replace(rt.Path)
			if rt.Policy.Who != access.Anyone {
				if rec := in.do("", rt.Method, path, `{}`); rec.Code != http.StatusUnauthorized || rec.Body.String() != "Unauthenticated" {
					t.Errorf("%s %s as nobody: %d %s", rt.Method, rt.Path, rec.Code, rec.Body)
				}
			}
			if rt.Policy.Who != access.Admins && rt.Policy.Who != access.SelfOrAdmin {
				continue
			}
			for _, who := range []string{"bo", "reader"} {
				if rec := in.do(who, rt.Method, path, `{}`); rec.Code != http.StatusForbidden && rec.Code != http.StatusBadRequest {
					t.Errorf("%s %s as %s: %d %s", rt.Method, rt.Path, who, rec.Code, rec.Body)
				}
			}
		}
	})
}
