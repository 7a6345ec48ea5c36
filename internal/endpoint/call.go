package endpoint

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/opt"
)

// Call is everything a handler may know about one request. The dialect fills
// it; it must not be kept after the handler returns.
type Call struct {
	Who        *access.Principal // nil for anonymous callers
	Request    *http.Request
	Header     http.Header // of the answer
	Page       Page
	RemoteAddr netip.Addr // the real client; invalid when unknown
	RequestID  string
	Secure     bool // the client speaks TLS to us or to a trusted proxy
	Status     int  // of a successful answer with a body; 0 means 200

	// For calls with a key, filled in before the handler runs:
	Refs    []access.Ref        // the resources that the call names
	Writes  []access.FieldWrite // the fields that it writes
	Refused *access.Refusal     // why the key may not do it
	Trial   *access.Refusal     // why a restriction on trial would have refused it

	query url.Values
	body  body
	route *Route
}

// Route returns the pattern of the route that was found, such as
// "PUT /api/user/{id}", or "" before that and for an unknown route.
func (c *Call) Route() string {
	if c.route == nil {
		return ""
	}
	return c.route.name
}

// SetCookie adds a cookie to the answer. An invalid cookie is dropped.
func (c *Call) SetCookie(k *http.Cookie) {
	if v := k.String(); v != "" {
		c.Header.Add("Set-Cookie", v)
	}
}

// Page is the part of a list that the caller asks for. Both values are absent
// when paging is off; both are present when it is on, so that they can stand
// as they are in an answer's envelope (contract/identity.md 0.8).
type Page struct {
	Limit  opt.Value[int]
	Offset opt.Value[int]
}

// defaultLimit counts when only the offset is given.
const defaultLimit = 50

// On reports whether the caller asked for a part.
func (p Page) On() bool { return p.Limit.Set }

// Window returns the bounds of the page in a list of n: list[from:to].
func (p Page) Window(n int) (from, to int) {
	if !p.On() {
		return 0, n
	}
	from = min(p.Offset.V, n)
	return from, from + min(p.Limit.V, n-from)
}

// PagingError says that limit, offset or page is not a number from 0 up.
type PagingError struct {
	Name  string // of the parameter
	Value string // as it came
}

// Error implements error. It repeats the beginning of the value only.
func (e *PagingError) Error() string {
	const shown = 40
	return fmt.Sprintf("%s must be a whole number from 0 up, not %.*q", e.Name, shown, e.Value)
}

// ReadQuery parses the query of the request and takes the paging parameters
// out of it, whatever the route. Pairs that are not well encoded are dropped.
// It returns a *PagingError, or nil.
func (c *Call) ReadQuery() error {
	if c.Request.URL.RawQuery == "" {
		return nil
	}
	c.query, _ = url.ParseQuery(c.Request.URL.RawQuery)
	var got [3]opt.Value[int]
	for i, name := range pagingNames() {
		v, err := takeNumber(c.query, name)
		if err != nil {
			return err
		}
		got[i] = v
	}
	c.Page = makePage(got[0], got[1], got[2])
	return nil
}

// pagingNames are taken out of every query; no declaration may use them.
func pagingNames() [3]string { return [...]string{"limit", "offset", "page"} }

func takeNumber(q url.Values, name string) (opt.Value[int], error) {
	all, ok := q[name]
	if !ok {
		return opt.Value[int]{}, nil
	}
	delete(q, name)
	n, err := strconv.ParseUint(all[0], 10, 31)
	if err != nil || len(all) > 1 {
		return opt.Value[int]{}, &PagingError{Name: name, Value: all[len(all)-1]}
	}
	return opt.Of(int(n)), nil
}

// makePage fills in what is not given. Pages count from 1; an offset beats them.
func makePage(limit, offset, page opt.Value[int]) Page {
	if !limit.Set && !offset.Set && !page.Set {
		return Page{}
	}
	p := Page{Limit: opt.Of(limit.Or(defaultLimit)), Offset: opt.Of(offset.Or(0))}
	if !offset.Set && page.V > 1 {
		p.Offset.V = (page.V - 1) * p.Limit.V
	}
	return p
}
