package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"latchkey/internal/api"
	"latchkey/internal/audit"
	"latchkey/internal/clock"
	"latchkey/internal/config"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/people"
	"latchkey/internal/server"
	"latchkey/internal/v1"
	"latchkey/internal/web"
)

// spoken is the release of Metabase whose API is spoken (DESIGN section 9).
const spoken = "v0.62.0"

func serveCommand() command {
	return command{
		Command: config.Command{Name: "serve", About: "Serves the API and the pages until it gets SIGTERM or SIGINT.", AllOptions: true},
		short:   "serve the API and the pages",
		run:     serve,
	}
}

// serve takes the port before it touches any data, so that a second server by
// mistake changes nothing.
func serve(ctx context.Context, c call) error {
	if len(c.rest) > 0 {
		return usagef("serve takes no arguments, only flags: %q", c.rest[0])
	}
	defer server.Tune()()
	srv := server.Server{Addr: c.cfg.Listen, Log: c.log, Drain: c.cfg.ShutdownTimeout}
	l, err := srv.Listen()
	if err != nil {
		return err
	}
	scrapes, err := listenForScrapes(c)
	if err != nil {
		_ = l.Close()
		return err
	}
	defer scrapes.Close()
	h, err := open(ctx, c.cfg, c.log)
	if err != nil {
		_ = l.Close()
		return err
	}
	defer h.db.Close()
	h.measure(c)
	if srv.Handler, err = handler(c, h); err == nil {
		err = h.firstStart(ctx, c)
	}
	if err != nil {
		_ = l.Close()
		return err
	}
	stop := h.background(ctx, c.log, scrapes.answer(c, h.metrics))
	announce(ctx, c, h, l)
	go debug.FreeOSMemory() // what only the start needed goes back to the system
	err = srv.Serve(ctx, l)
	return errors.Join(err, stop())
}

// firstStart makes what the configuration names, before the first request is
// answered.
func (h *house) firstStart(ctx context.Context, c call) error {
	if err := h.firstAdmin(ctx, c); err != nil {
		return err
	}
	if err := h.seedAtStart(ctx, c); err != nil {
		return err
	}
	return h.makeBootstrapKey(ctx, c)
}

// firstAdmin makes the first administrator when the configuration names one
// and the instance has nobody.
func (h *house) firstAdmin(ctx context.Context, c call) error {
	if c.cfg.AdminEmail == "" {
		return nil
	}
	err := h.people.SetupUnattended(ctx, c.cfg.AdminEmail, c.cfg.AdminPassword, c.cfg.AdminName)
	switch {
	case fault.Is(err, fault.Invalid) && fault.As(err).Fields["password"] != "":
		return fmt.Errorf("%s: the password is too weak; %s", c.cfg.From("admin-password"), demands(c.cfg, h.people.PasswordPolicy()))
	case err != nil:
		return fmt.Errorf("first administrator %s: %w", c.cfg.AdminEmail, err)
	}
	return nil
}

// demands says what a password needs.
func demands(cfg *config.Config, p *people.PasswordPolicy) string {
	var all []string
	for _, class := range []struct{ name, words string }{
		{"total", "characters"}, {"lower", "lower-case letters"}, {"upper", "upper-case letters"}, {"digit", "digits"}, {"special", "signs"},
	} {
		if n := p.Counts()[class.name]; n > 0 {
			all = append(all, fmt.Sprintf("%d or more %s", n, class.words))
		}
	}
	if cfg.PasswordComplexity != string(people.Weak) {
		all = append(all, "and must not be a common one")
	}
	return "it needs " + strings.Join(all, ", ")
}

// background starts what runs beside the requests, and returns what stops it
// and writes out what is still in memory.
func (h *house) background(ctx context.Context, log *slog.Logger, more ...func(context.Context)) func() error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { h.db.Follow(run) })
	all.Go(func() { h.people.Run(run) })
	all.Go(func() { h.mail.Run(run) })
	all.Go(func() { h.usage.Run(run) })
	all.Go(func() { h.shelf.Run(run) })
	all.Go(func() { h.warehouse.Run(run) })
	all.Go(func() { h.keys.Run(run) })
	all.Go(func() { h.bulk.Run(run) })
	all.Go(func() { h.keys.Watch(run, h.verifier) })
	all.Go(func() { server.NewRefusals(h.verifier.Counts, h.audit, log).Run(run) })
	all.Go(func() { h.audit.Run(run, h.settings.AuditRetention, log) })
	for _, f := range more {
		all.Go(func() { f(run) })
	}
	return func() error {
		end, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer done()
		err := errors.Join(h.mail.Close(end), h.people.Close(end), h.usage.Close(end), h.shelf.Close(end))
		cancel()
		all.Wait()
		h.warehouse.Close()
		return err
	}
}

func announce(ctx context.Context, c call, h *house, l net.Listener) {
	url := reachable(l.Addr().String())
	attrs := []any{"url", url, "version", c.Version}
	if set, err := h.people.HasSetup(ctx); err == nil && !set {
		attrs = append(attrs, "next", "open "+url+"/setup to create the first administrator")
	}
	c.log.Info("Latchkey is ready", attrs...)
}

// reachable returns an address at which a browser on this machine finds a
// server that listens on hostPort, which may stand for all addresses.
func reachable(hostPort string) string {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return "http://" + hostPort
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// handler puts both APIs and the pages behind one address.
func handler(c call, h *house) (http.Handler, error) {
	auth := server.Authenticator{People: h.people, Verifier: h.verifier, Usage: h.usage, Now: clock.System{}.Now, Timer: h.timer, Metrics: h.metrics}
	jar := cookie.Jar{
		MaxAge: c.cfg.SessionMaxAge, Clock: clock.System{}, Timeout: h.settings.Timeout,
		SessionOnly: func() bool { return h.settings.Bool("session-cookies") },
	}
	var nets []string
	for _, n := range c.cfg.TrustedProxies {
		nets = append(nets, n.String())
	}
	proxies, err := endpoint.ParseProxies(nets)
	if err != nil {
		return nil, err
	}
	dialect, err := newAPI(c, h, auth, jar, proxies)
	if err != nil {
		return nil, err
	}
	own, err := newV1(c, h, auth, proxies, dialect)
	if err != nil {
		return nil, err
	}
	pages, err := newPages(c, h, auth, jar, proxies, own)
	if err != nil {
		return nil, err
	}
	all := h.measured(c, front(dialect, own, pages))
	if !c.cfg.LogRequests {
		return all, nil
	}
	return server.LogRequests(all, c.log, func(r *http.Request) netip.Addr {
		addr, _ := proxies.Client(r)
		return addr
	}), nil
}

// front sends a request to one of the APIs or to the pages. It is no ServeMux,
// because that answers unclean paths itself, where clients of an API want its 404.
func front(dialect, own, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/api", strings.HasPrefix(path, "/api/"), path == "/livez", path == "/readyz":
			dialect.ServeHTTP(w, r)
		case path == "/v1", strings.HasPrefix(path, "/v1/"):
			own.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

func newAPI(c call, h *house, auth server.Authenticator, jar cookie.Jar, proxies endpoint.Proxies) (*api.API, error) {
	services := h.dialect()
	services.Jar, services.Product = jar, c.Version
	return api.New(api.Deps{
		Endpoints:    api.Endpoints(services),
		Rules:        api.Rules(h.people),
		Authenticate: auth.Any,
		Version:      spoken, Clock: clock.System{}, Log: c.log, Proxies: proxies,
		Ready: func() (bool, float64) { return true, 1 }, DBPing: h.db.Ping,
		SiteURL:              func() string { return h.settings.String("site-url") },
		CORSOrigins:          func() []string { return h.settings.Items("embedding-app-origins-sdk") },
		DisableCORSLocalhost: func() bool { return h.settings.Bool("disable-cors-on-localhost") },
		MaxAnonymousBody:     c.cfg.MaxUnauthenticatedBody,
		Observe:              h.observe(),
		Context:              withOrigin,
	})
}

// withOrigin tells the audit log where a call came from.
func withOrigin(ctx context.Context, call *endpoint.Call) context.Context {
	return audit.WithOrigin(ctx, audit.Origin{
		RemoteAddr: call.RemoteAddr.String(), RequestID: call.RequestID, UserAgent: call.Request.UserAgent(),
	})
}

func newPages(c call, h *house, auth server.Authenticator, jar cookie.Jar, proxies endpoint.Proxies, own *v1.API) (http.Handler, error) {
	send := func(w http.ResponseWriter, cookies []*http.Cookie) {
		for _, k := range cookies {
			http.SetCookie(w, k)
		}
	}
	tls := func(r *http.Request) bool { return proxies.Secure(r, h.settings.String("site-url")) }
	return web.New(web.Deps{
		People: h.people, Groups: h.groups, Keys: h.keys, Settings: h.settings,
		Content: h.content, Cards: h.cards, Dashboards: h.dashboards, Revisions: h.revisions, Shelf: h.shelf, Queries: h.queries,
		Usage: h.usage, Vocabulary: h.vocabulary(), Audit: h.audit, Explain: own.Explain,
		Authenticate: auth.Person,
		SetSession: func(w http.ResponseWriter, r *http.Request, s people.NewSession, remember bool) {
			send(w, jar.Set(s.Token, remember, tls(r)))
		},
		ClearSession:   func(w http.ResponseWriter, _ *http.Request) { send(w, jar.Clear()) },
		MailConfigured: h.mail.Configured,
		TLS:            tls,
		RemoteAddr: func(r *http.Request) string {
			addr, _ := proxies.Client(r)
			return addr.String()
		},
		Version: c.Version, Clock: clock.System{}, Log: c.log,
	})
}
