package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/content"
	"latchkey/internal/content/card"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/content/revision"
	"latchkey/internal/content/shelf"
	"latchkey/internal/endpoint"
	"latchkey/internal/group"
	"latchkey/internal/people"
	"latchkey/internal/query"
	"latchkey/internal/setting"
	"latchkey/internal/usage"
)

// Deps is what the pages call. All fields are needed unless their comment
// says otherwise.
type Deps struct {
	People     *people.Service
	Groups     *group.Service
	Keys       *apikey.Service
	Content    *content.Service
	Cards      *card.Service
	Dashboards *dashboard.Service
	Revisions  *revision.Log
	Shelf      *shelf.Service
	Queries    *query.Service
	Settings   *setting.Service
	Usage      *usage.Service
	Audit      *audit.Log
	// Explain says whether a key may make a call of one of the APIs.
	Explain func(ctx context.Context, who *access.Principal, call endpoint.Asked) (endpoint.Explanation, error)
	// Vocabulary returns what restrictions of keys may name.
	Vocabulary func() *access.Vocabulary

	// Authenticate returns who sends a request, or nil for an anonymous
	// caller. Pages take people only: a caller by API key counts as anonymous.
	Authenticate func(ctx context.Context, r *http.Request) (*access.Principal, error)
	// SetSession sends the cookies of a new session.
	SetSession func(w http.ResponseWriter, r *http.Request, s people.NewSession, remember bool)
	// ClearSession sends the cookies that end a session in the browser.
	ClearSession func(w http.ResponseWriter, r *http.Request)
	// MailConfigured reports whether the instance can send mail.
	MailConfigured func() bool
	// RemoteAddr returns the address of the browser, also behind a trusted
	// proxy. Nil means that of the connection.
	RemoteAddr func(r *http.Request) string
	// TLS reports whether the browser came over TLS, here or at a trusted proxy.
	TLS func(r *http.Request) bool

	Version  string
	Clock    clock.Clock   // nil means the machine's clock
	Log      *slog.Logger  // nil means no log
	FormTime time.Duration // how long a browser may take to send a form; 0 means a minute
}

// site holds the parts that all pages share.
type site struct {
	Deps
	pages  *templates
	assets *assets
	once   *once
	texts  formatter
}

// New returns the handler of all pages, to be mounted at "/". It fails when
// a route declares no policy.
func New(d Deps) (http.Handler, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.RemoteAddr == nil {
		d.RemoteAddr = peer
	}
	if d.FormTime <= 0 {
		d.FormTime = defaultFormTime
	}
	files, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	s := &site{Deps: d, assets: files, once: newOnce(d.Clock), texts: newFormatter()}
	if s.pages, err = loadTemplates(files, d.Clock); err != nil {
		return nil, fmt.Errorf("web: templates: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/{hash}/{file...}", files)
	mux.HandleFunc("/", s.serve(route{policy: access.Public("session", access.Read), handler: (*page).notFound}))
	if err := s.register(mux, s.routes()); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return s.headers(s.sameOrigin(mux)), nil
}
