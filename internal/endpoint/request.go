package endpoint

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// RequestID is new for every request, unless a trusted proxy gave one.
func RequestID(r *http.Request, proxied bool) string {
	if proxied {
		if id := r.Header.Get("X-Request-Id"); isRequestID(id) {
			return id
		}
	}
	const digits = "0123456789abcdef"
	var b [16]byte
	n := rand.Uint64() // an id to find a line in the log, not a secret
	for i := range b {
		b[i] = digits[n&15]
		n >>= 4
	}
	return string(b[:])
}

func isRequestID(s string) bool {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_."
	return s != "" && len(s) <= 64 && strings.Trim(s, letters) == ""
}

// OwnOrigin reports whether an Origin header names the site URL. Behind a
// proxy that rewrites Host, it is the only way to know our own pages over
// plain HTTP.
func OwnOrigin(origin, siteURL string) bool {
	site, err := url.Parse(siteURL)
	return err == nil && site.Host != "" && strings.EqualFold(origin, site.Scheme+"://"+site.Host)
}
