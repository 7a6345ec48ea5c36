package server

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/metrics"
	"latchkey/internal/people"
	"latchkey/internal/usage"
)

// KeyHeader is the header that carries an API key.
const KeyHeader = "X-Api-Key"

// The headers that tell a key about itself.
const (
	expiresHeader = "Latchkey-Key-Expires"    // within 30 days of the end
	retiresHeader = "Latchkey-Secret-Retires" // while the key is being rotated and this is the old secret
	rateHeader    = "Ratelimit"               // draft-ietf-httpapi-ratelimit-headers-10
	policyHeader  = "Ratelimit-Policy"        // the same
	retryHeader   = "Retry-After"             // RFC 9110, seconds
	warnFor       = 30 * 24 * time.Hour       // how long before its end a key is warned
)

// Authenticator finds the principal of a request. There is no second way in.
type Authenticator struct {
	People   *people.Service
	Verifier *apikey.Verifier
	Usage    *usage.Service
	Now      func() time.Time
	Timer    *metrics.Sampler // of checks of keys; nil times none
	Metrics  *metrics.Metrics // counts refusals; nil counts none
}

// Any returns the principal of a session or, when there is none, of a key
// (contract/identity.md 1.3: a session wins; a bad session does not hide a
// good key). Nil means anonymous. A key that is good but over its limit, or
// used outside its hours, is told so: a fault with a code. Another error means
// that the answer could not be found out. What the key should know of itself
// is written into the header of the answer.
func (a Authenticator) Any(ctx context.Context, r *http.Request, from netip.Addr, answer http.Header) (*access.Principal, error) {
	p, err := a.Person(ctx, r)
	if p != nil || err != nil {
		return p, err
	}
	key := r.Header[KeyHeader]
	if len(key) != 1 || key[0] == "" { // two keys are as good as none
		return nil, nil
	}
	start := a.Timer.Start()
	c, err := a.Verifier.Verify(ctx, key[0], from)
	a.Timer.Done(start)
	if err != nil {
		return nil, err
	}
	if c.KeyID != 0 && c.Principal == nil {
		a.Usage.Refused(c.KeyID, c.SecretID, c.Reason.String(), from, r.UserAgent(), a.Now())
	}
	a.tell(&c, answer)
	err = refusal(&c)
	if err != nil {
		code := fault.As(err).Code
		answer.Set(endpoint.ReasonHeader, code)
		a.Metrics.Refused(code)
	}
	return c.Principal, err
}

// refusal is the fault of a key that is good but may not be used now. All
// other refusals look alike to outsiders: no principal.
func refusal(c *apikey.Check) error {
	switch c.Reason {
	case apikey.RateLimited:
		return fault.Coded(fault.TooMany, access.CodeRateLimit, "Too many requests: this key may send %d in %d seconds. Try again in %d seconds.",
			c.Rate.Limit, seconds(c.Rate.Window), seconds(c.Rate.Reset))
	case apikey.QuotaExhausted:
		return fault.Coded(fault.TooMany, access.CodeQuota, "The quota of this key is used up: %d requests. It is renewed in %d seconds.",
			c.Quota.Limit, seconds(c.Quota.Reset))
	case apikey.OutsideHours:
		return fault.Coded(fault.Forbidden, access.CodeHours, "This key may not be used at this time.")
	}
	return nil
}

// tell writes what the key should know. Nothing is written for a key without
// limits that does not end soon.
func (a Authenticator) tell(c *apikey.Check, h http.Header) {
	if c.Rate.Set() || c.Quota.Set() {
		tellLimits(c, h)
	}
	if c.Principal == nil {
		return
	}
	if !c.ExpiresAt.IsZero() && c.ExpiresAt.Sub(a.Now()) <= warnFor {
		h.Set(expiresHeader, c.ExpiresAt.Format(time.RFC3339))
	}
	if !c.RetiresAt.IsZero() {
		h.Set(retiresHeader, c.RetiresAt.Format(time.RFC3339))
	}
}

func tellLimits(c *apikey.Check, h http.Header) {
	var policy, left string
	for _, l := range []struct {
		name string
		apikey.Allowance
	}{{access.CodeRateLimit, c.Rate}, {access.CodeQuota, c.Quota}} {
		if !l.Set() {
			continue
		}
		if policy != "" {
			policy, left = policy+", ", left+", "
		}
		policy += `"` + l.name + `";q=` + strconv.FormatInt(l.Limit, 10) + ";w=" + strconv.FormatInt(seconds(l.Window), 10)
		left += `"` + l.name + `";r=` + strconv.FormatInt(l.Remaining, 10) + ";t=" + strconv.FormatInt(seconds(l.Reset), 10)
	}
	h.Set(policyHeader, policy)
	h.Set(rateHeader, left)
	switch c.Reason {
	case apikey.RateLimited:
		h.Set(retryHeader, strconv.FormatInt(seconds(c.Rate.Reset), 10))
	case apikey.QuotaExhausted:
		h.Set(retryHeader, strconv.FormatInt(seconds(c.Quota.Reset), 10))
	}
}

// seconds rounds up, so that who waits as long does not come too early.
func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// Observe returns the function that writes down what a call with a key was
// and how it ended. What the check of the key refused is written down already.
func Observe(u *usage.Service, now func() time.Time) func(c *endpoint.Call, status int, took time.Duration) {
	return func(c *endpoint.Call, status int, took time.Duration) {
		if !c.Who.IsKey() {
			return
		}
		use := usage.Use{
			KeyID: c.Who.KeyID, SecretID: c.Who.SecretID, Route: c.Route(), Status: status,
			Addr: c.RemoteAddr, Agent: c.Request.UserAgent(), RequestID: c.RequestID, At: now(), Took: took,
			Refs: c.Refs, Writes: c.Writes,
		}
		if c.Refused != nil {
			use.Refusal = c.Refused.Code
		}
		if c.Trial != nil {
			use.Trial = c.Trial.Code
		}
		u.Record(&use)
	}
}

// Person returns the principal of a session. The pages take nothing else.
func (a Authenticator) Person(ctx context.Context, r *http.Request) (*access.Principal, error) {
	token := cookie.Token(r)
	if token == "" {
		return nil, nil
	}
	return a.People.Session(ctx, token)
}
