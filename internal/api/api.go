package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// Authenticator finds out who calls: session first, then key
// (contract/identity.md 1.3, 2.5). It returns nil for an anonymous caller,
// which includes every bad key and session; an error means that it could not
// find out, and is answered like an error of a handler. With an error it may
// return the key that it refuses, such as one that is over its limit. from is
// the real address of the client; answer takes headers about the caller's
// limits, which every answer bears.
type Authenticator func(ctx context.Context, r *http.Request, from netip.Addr, answer http.Header) (*access.Principal, error)

// Deps is what the dialect needs. All fields are required except where noted.
type Deps struct {
	Endpoints    []endpoint.Endpoint
	Rules        endpoint.Rules // the named checks that the endpoints' inputs use
	Authenticate Authenticator
	Version      string // the release of Metabase that is spoken, such as v0.62.0
	Clock        clock.Clock
	Log          *slog.Logger
	Proxies      endpoint.Proxies // optional: none are trusted

	Ready  func() (ok bool, progress float64) // whether the start is over
	DBPing func(ctx context.Context) error    // an Unavailable fault when there is no connection

	SiteURL              func() string
	CORSOrigins          func() []string
	DisableCORSLocalhost func() bool

	MaxAnonymousBody  int64         // optional, in bytes: 1 MiB
	MaxBody           int64         // optional, in bytes: 64 MiB
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
	defaultBody          = 64 << 20
)

// defaultBodyTime is how long somebody unknown may take to send a body.
const defaultBodyTime = time.Minute

// API is the handler of everything under /api, and of /livez and /readyz.
type API struct {
	deps     Deps
	table    *endpoint.Table
	prefixes prefixes
	headers  headers
	crossing *http.CrossOriginProtection
	health   pinger
	zippers  sync.Pool
	modified atomic.Pointer[stamp]
}

// New builds the handler. Its error lists all that is missing and every bad
// declaration; the server must not start then.
func New(d Deps) (*API, error) {
	if err := d.complete(); err != nil {
		return nil, err
	}
	a := &API{deps: d, crossing: http.NewCrossOriginProtection(), headers: newHeaders(d.Version)}
	a.health = pinger{ping: d.DBPing, clock: d.Clock}
	var list []endpoint.Endpoint
	list = append(list, d.Endpoints...)
	list = append(list, a.systemEndpoints()...)
	pages := newDocs(d.Version)
	list = append(list, pages.Endpoints()...)
	var err error
	if a.table, err = endpoint.Compile(list, d.Rules); err != nil {
		return nil, err
	}
	if err := haveWords(a.table); err != nil {
		return nil, err
	}
	a.prefixes = newPrefixes(a.table)
	pages.Show(a.table)
	return a, nil
}

func (d *Deps) complete() error {
	missing := func(absent bool, name string) error {
		if !absent {
			return nil
		}
		return fmt.Errorf("api: Deps.%s is missing", name)
	}
	if d.MaxAnonymousBody == 0 {
		d.MaxAnonymousBody = defaultAnonymousBody
	}
	if d.MaxBody == 0 {
		d.MaxBody = defaultBody
	}
	if d.AnonymousBodyTime == 0 {
		d.AnonymousBodyTime = defaultBodyTime
	}
	return errors.Join(
		missing(d.Authenticate == nil, "Authenticate"),
		missing(d.Version == "", "Version"),
		missing(d.Clock == nil, "Clock"),
		missing(d.Log == nil, "Log"),
		missing(d.Ready == nil, "Ready"),
		missing(d.DBPing == nil, "DBPing"),
		missing(d.SiteURL == nil, "SiteURL"),
		missing(d.CORSOrigins == nil, "CORSOrigins"),
		missing(d.DisableCORSLocalhost == nil, "DisableCORSLocalhost"),
	)
}

// Table returns all declared endpoints, for the generated matrix.
func (a *API) Table() *endpoint.Table { return a.table }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.begin(w, r)
	defer a.observe(x)
	defer a.end(x)
	if err := a.serve(x); err != nil {
		a.fail(x, err)
	}
}

// serve runs the pipeline in the order of contract/identity.md 0.1.
func (a *API) serve(x *exchange) error {
	c := &x.call
	if isPreflight(c.Request) {
		x.WriteHeader(http.StatusOK)
		return nil
	}
	if err := a.identify(c); err != nil {
		return err
	}
	if err := a.checkOrigin(c); err != nil {
		return err
	}
	if err := c.ReadQuery(); err != nil {
		return err
	}
	a.limitBodyTime(x)
	if err := c.ReadBody(x, a.bodyLimit(c)); err != nil {
		return err
	}
	rt := a.table.Find(c)
	if rt == nil {
		return a.unknown(c)
	}
	if c.Who == nil && rt.Policy.Who != access.Anyone && a.prefixes.walled(c.Request.URL.Path) {
		return access.Unauthenticated()
	}
	ctx := c.Request.Context()
	if a.deps.Context != nil {
		ctx = a.deps.Context(ctx, c)
	}
	return rt.Serve(ctx, c, x)
}

// identify authenticates, except for the routes that must answer while
// nothing else can.
func (a *API) identify(c *endpoint.Call) error {
	if isSystem(c.Request.URL.Path) {
		return nil
	}
	if ok, _ := a.deps.Ready(); !ok {
		return fault.New(fault.Unavailable, textInitializing)
	}
	who, err := a.deps.Authenticate(c.Request.Context(), c.Request, c.RemoteAddr, c.Header)
	c.Who = who
	if err != nil {
		return err
	}
	a.setDevice(c)
	return nil
}

func (a *API) bodyLimit(c *endpoint.Call) int64 {
	if c.Who == nil {
		return a.deps.MaxAnonymousBody
	}
	return a.deps.MaxBody
}

// limitBodyTime ends the connection of somebody unknown who does not send the
// whole body in time: otherwise a byte a minute would hold it for ever. The
// limit goes away by itself when the body has been read to its end (net/http).
func (a *API) limitBodyTime(x *exchange) {
	if c := &x.call; c.Who == nil && c.Request.ContentLength != 0 {
		until := time.Now().Add(a.deps.AnonymousBodyTime)          // the machine's clock: connections know no other
		_ = http.NewResponseController(x.w).SetReadDeadline(until) // no connection, no deadline
	}
}

// unknown is the answer to a path or method that no endpoint has.
func (a *API) unknown(c *endpoint.Call) error {
	if c.Who == nil && a.prefixes.walled(c.Request.URL.Path) {
		return access.Unauthenticated()
	}
	return &unknownRouteError{}
}
