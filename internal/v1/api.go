package v1

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/endpoint/docs"
	"latchkey/internal/fault"
)

// Authenticator finds out who calls, the same as for /api: session first, then
// key. It returns nil for an anonymous caller, which includes every bad key and
// session; an error is answered like that of a handler. With an error it may
// return the key that it refuses, such as one that is over its limit. from is
// the real address of the client; answer takes headers about the caller's
// limits, which every answer bears.
type Authenticator func(ctx context.Context, r *http.Request, from netip.Addr, answer http.Header) (*access.Principal, error)

// Deps is what the API needs. All fields are required except where noted.
type Deps struct {
	Endpoints    []endpoint.Endpoint
	Rules        endpoint.Rules // the named checks that the endpoints' inputs use
	Authenticate Authenticator
	Metabase     *endpoint.Table // the routes under /api, which POST /v1/explain and GET /v1/vocabulary know too
	Simulate     Simulator
	Beyond       Beyond     // optional
	Foresee      Forecaster // optional
	Clock        clock.Clock
	Log          *slog.Logger
	Proxies      endpoint.Proxies // optional: none are trusted
	SiteURL      func() string

	MaxAnonymousBody  int64         // optional, in bytes: 1 MiB
	MaxBody           int64         // optional, in bytes: 4 MiB
	MaxBulkBody       int64         // optional, in bytes: 16 MiB; of routes that take many things at once
	AnonymousBodyTime time.Duration // optional: a minute

	// Context, when given, adds what the domain wants to know about a call
	// (for the audit log) before the handler runs.
	Context func(ctx context.Context, c *endpoint.Call) context.Context
	// Observe, when given, is told of every answer to a call with a key, also
	// of one whose key was refused. c.Refused says why.
	Observe func(c *endpoint.Call, status int, took time.Duration)
}

// The limits of bodies, unless others are given.
const (
	defaultAnonymousBody = 1 << 20
	defaultBody          = 4 << 20
	defaultBulkBody      = 16 << 20
)

// defaultBodyTime is how long somebody unknown may take to send a body.
const defaultBodyTime = time.Minute

// API is the handler of /v1 and everything below it.
type API struct {
	deps       Deps
	table      *endpoint.Table
	vocabulary *access.Vocabulary
	headers    headers
	crossing   *http.CrossOriginProtection
}

// New builds the handler. Its error lists all that is missing and every bad
// declaration; the server must not start then.
func New(d Deps) (*API, error) {
	if err := d.complete(); err != nil {
		return nil, err
	}
	a := &API{deps: d, headers: newHeaders(), crossing: http.NewCrossOriginProtection()}
	pages := docs.New(docsOptions())
	var list []endpoint.Endpoint
	list = append(list, d.Endpoints...)
	list = append(list, a.explainEndpoints()...)
	list = append(list, a.vocabularyEndpoints()...)
	list = append(list, pages.Endpoints()...)
	var err error
	if a.table, err = endpoint.CompileStrict(list, d.Rules); err != nil {
		return nil, err
	}
	a.vocabulary = access.Merge(d.Metabase.Vocabulary(), a.table.Vocabulary())
	if err := haveWords(a.table); err != nil {
		return nil, err
	}
	pages.Show(a.table)
	return a, nil
}

func (d *Deps) complete() error {
	missing := func(absent bool, name string) error {
		if !absent {
			return nil
		}
		return fmt.Errorf("v1: Deps.%s is missing", name)
	}
	if d.MaxAnonymousBody == 0 {
		d.MaxAnonymousBody = defaultAnonymousBody
	}
	if d.MaxBody == 0 {
		d.MaxBody = defaultBody
	}
	if d.MaxBulkBody == 0 {
		d.MaxBulkBody = defaultBulkBody
	}
	if d.AnonymousBodyTime == 0 {
		d.AnonymousBodyTime = defaultBodyTime
	}
	return errors.Join(
		missing(d.Authenticate == nil, "Authenticate"),
		missing(d.Metabase == nil, "Metabase"),
		missing(d.Simulate == nil, "Simulate"),
		missing(d.Clock == nil, "Clock"),
		missing(d.Log == nil, "Log"),
		missing(d.SiteURL == nil, "SiteURL"),
	)
}

// Table returns all declared endpoints, for the generated matrix.
func (a *API) Table() *endpoint.Table { return a.table }

// Vocabulary returns what restrictions may speak of: the routes of both APIs
// and the fields that they write.
func (a *API) Vocabulary() *access.Vocabulary { return a.vocabulary }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.begin(w, r)
	defer a.end(x)
	if err := a.serve(x); err != nil {
		a.fail(x, err)
	}
}

// serve runs the pipeline. Nothing of a body is read before it is known who
// sends it and that a route takes it.
func (a *API) serve(x *exchange) error {
	c := &x.call
	if c.Request.Method == http.MethodOptions {
		return a.options(x)
	}
	who, err := a.deps.Authenticate(c.Request.Context(), c.Request, c.RemoteAddr, c.Header)
	c.Who = who
	if err != nil {
		return err
	}
	rt := a.table.Find(c)
	if rt == nil {
		return a.unknown(c)
	}
	if c.Who == nil && rt.Policy.Who != access.Anyone {
		return access.Unauthenticated()
	}
	if err := a.checkCookie(c, rt); err != nil {
		return err
	}
	if err := readQuery(c, rt); err != nil {
		return err
	}
	if err := a.readBody(x, rt); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if a.deps.Context != nil {
		ctx = a.deps.Context(ctx, c)
	}
	if err := rt.Serve(ctx, c, x); err != nil {
		return err
	}
	return x.broken
}

// checkCookie refuses writes that another site makes a browser send with the
// cookie of a session: they must come from our own pages, and be of a media
// type that no form can send. A key or session in a header is nothing that a browser
// adds by itself.
func (a *API) checkCookie(c *endpoint.Call, rt *endpoint.Route) error {
	r := c.Request
	if c.Who == nil || c.Who.Kind != access.Person || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if k, err := r.Cookie(cookie.Session); err != nil || k.Value == "" {
		return nil
	}
	if a.crossing.Check(r) != nil && !endpoint.OwnOrigin(r.Header.Get("Origin"), a.deps.SiteURL()) {
		return fault.Coded(fault.Forbidden, codeCrossOrigin, "This request came from another site.")
	}
	if !takes(rt, r) {
		return &mediaError{rt.Media()}
	}
	return nil
}

// options names the methods of a path.
func (a *API) options(x *exchange) error {
	allowed := a.allowed(x.call.Request)
	if len(allowed) == 0 {
		return &unknownRouteError{}
	}
	setAllow(x.Header(), allowed)
	x.WriteHeader(http.StatusNoContent)
	return nil
}

// unknown is the answer to a path or method that no endpoint has.
func (a *API) unknown(c *endpoint.Call) error {
	allowed := a.allowed(c.Request)
	if len(allowed) == 0 {
		return &unknownRouteError{}
	}
	setAllow(c.Header, allowed)
	return &methodError{method: c.Request.Method}
}

// allowed returns the methods that a path has.
func (a *API) allowed(r *http.Request) []string {
	var list []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := endpoint.Call{Request: r.Clone(r.Context())}
		probe.Request.Method = m
		if a.table.Find(&probe) == nil {
			continue
		}
		if list = append(list, m); m == http.MethodGet {
			list = append(list, http.MethodHead)
		}
	}
	return list
}
