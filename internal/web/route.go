package web

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/fault"
)

// route is one page or form. The policy is decided before the handler runs.
type route struct {
	method  string
	path    string
	policy  access.Policy
	handler func(*page) error
}

// register adds the routes to the mux. It refuses a route without a policy.
func (s *site) register(mux *http.ServeMux, routes []route) error {
	for _, rt := range routes {
		if err := rt.policy.Validate(); err != nil {
			return fmt.Errorf("route %s %s: %w", rt.method, rt.path, err)
		}
		pattern := rt.method + " " + rt.path
		if strings.HasSuffix(rt.path, "/") {
			pattern += "{$}"
		}
		mux.HandleFunc(pattern, s.serve(rt))
	}
	return nil
}

// maxForm bounds the body of a form.
const maxForm = 1 << 20

// defaultFormTime is how long a browser may take to send a form.
const defaultFormTime = time.Minute

// serve returns the handler of a route: who is it, may they, then the page.
func (s *site) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 { // the limit ends with the body (net/http)
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.FormTime)) // no connection, no deadline
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		from := s.origin(r)
		w.Header().Set("X-Request-Id", from.RequestID)
		p := &page{site: s, w: w, r: r.WithContext(audit.WithOrigin(r.Context(), from))}
		if err := p.enter(rt); err != nil {
			p.fail(err)
		}
	}
}

// origin returns where a request came from, as the audit log keeps it. The id
// is new: a client cannot choose what the log says.
func (s *site) origin(r *http.Request) audit.Origin {
	return audit.Origin{RemoteAddr: s.RemoteAddr(r), RequestID: rand.Text()[:16], UserAgent: r.UserAgent()}
}

// peer returns the address of the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// enter runs a route for a caller.
func (p *page) enter(rt route) error {
	if err := p.authenticate(); err != nil {
		return err
	}
	if done, err := p.detour(rt); done || err != nil {
		return err
	}
	if err := access.Decide(p.who, access.Request{Policy: rt.policy}); err != nil {
		if p.who == nil && fault.Is(err, fault.Unauthenticated) {
			return p.toSignIn()
		}
		return err
	}
	return rt.handler(p)
}

// authenticate finds out who is calling. Pages take people only.
func (p *page) authenticate() error {
	who, err := p.site.Authenticate(p.r.Context(), p.r)
	if err != nil {
		return err
	}
	if who != nil && who.Kind == access.Person {
		p.who = who
	}
	return nil
}

// detour sends everybody to set-up before it is done, and nobody after.
func (p *page) detour(rt route) (bool, error) {
	if p.who != nil && rt.path != pathSetup {
		return false, nil // somebody is signed in, so there are people
	}
	done, err := p.site.People.HasSetup(p.r.Context())
	if err != nil {
		return false, err
	}
	if done == (rt.path == pathSetup) {
		to := pathSetup
		if done {
			to = pathHome
		}
		return true, p.redirect(to)
	}
	return false, nil
}

// toSignIn sends an anonymous caller to the sign-in page, and back afterwards.
func (p *page) toSignIn() error {
	back := p.r.URL.RequestURI()
	if p.r.Method != http.MethodGet && p.r.Method != http.MethodHead {
		back = refererPath(p.r)
	}
	to := pathLogin
	if back = localPath(back); back != pathHome {
		to += "?" + url.Values{"redirect": {back}}.Encode()
	}
	if p.r.Header.Get("HX-Request") != "" {
		p.w.Header().Set("HX-Redirect", to)
		p.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return p.redirect(to)
}

// refererPath returns the path of the page that a form was sent from.
func refererPath(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return pathHome
	}
	return u.RequestURI()
}

// localPath returns target when it is a path on this server, and the home page
// for everything else, so that no link can lead people away.
func localPath(target string) string {
	u, err := url.Parse(target)
	switch {
	case err != nil, u.Scheme != "", u.Host != "", u.User != nil, u.Opaque != "",
		!strings.HasPrefix(target, "/"), strings.HasPrefix(target, "//"),
		strings.ContainsAny(target, "\\"), strings.HasPrefix(u.Path, "//"),
		strings.HasPrefix(u.Path, "/auth/"), u.Path == pathSetup:
		return pathHome
	}
	return target
}
