package web

import (
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// policy is the Content-Security-Policy of every page: nothing but what this
// server itself sends, no inline script or style, no frame around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// headers sets the security headers of every page and asset. Pages are never
// stored by the browser; assets override that.
func (s *site) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.TLS(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses forms that another site sends in a person's name. There
// are no exceptions.
func (s *site) sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(route{policy: access.Public("session", access.Read), handler: (*page).fromElsewhere})(w, r)
	}))
	return guard.Handler(next)
}

func (p *page) fromElsewhere() error {
	return fault.New(fault.Forbidden, "This form was sent from another site, so it was not carried out.")
}
