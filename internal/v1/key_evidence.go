package v1

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/usage"
)

// keyEvidenceEndpoints returns the routes of what keys did.
func keyEvidenceEndpoints(k keyRoutes, u *usage.Service) []endpoint.Endpoint {
	e := evidenceRoutes{k, u}
	return []endpoint.Endpoint{
		aboutKey(k, http.MethodGet, "/usage", "Count what a key did by hour or day, with its routes, addresses and refusals", access.Read, e.count),
		aboutKey(k, http.MethodGet, "/requests", "List sampled requests of a key, the newest first", access.Read, e.requests).Pages("limit"),
		aboutKey(k, http.MethodGet, "/verdict", "Say whether a key may be deleted without harm", access.Read, e.verdict),
	}
}

type evidenceRoutes struct {
	keyRoutes
	usage *usage.Service
}

// usageInput says of which time. Absent bounds reach from 30 days ago, or from
// one day ago by hour, until now.
type usageInput struct {
	keyInput
	From opt.Value[string] `query:"from" rule:"date-time,notnull"`
	To   opt.Value[string] `query:"to" rule:"date-time,notnull"`
	By   opt.Value[string] `query:"by" rule:"enum=hour|day,notnull"` // day when absent
}

// span returns the time that is asked about, and the width of its parts.
func (in usageInput) span(now time.Time) (from, to time.Time, by usage.Step) {
	by, back := usage.Day, lookBack
	if in.By.V == "hour" {
		by, back = usage.Hour, 24*time.Hour
	}
	if to = moment(in.To); to.IsZero() {
		to = now
	}
	if from = moment(in.From); from.IsZero() {
		from = to.Add(-back)
	}
	return from, to, by
}

// keyUsage is what a key did in a time. Routes and refusals are those of the
// time; addresses are those of all time.
type keyUsage struct {
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	By        string          `json:"by"`
	Totals    usageCounts     `json:"totals"`
	Series    []usageBucket   `json:"series"`
	Routes    []usageRoute    `json:"routes"`    // the most called first, at most 20
	Addresses []usageAddress  `json:"addresses"` // those that called most first, at most 20
	Refusals  []usageRefusals `json:"refusals"`
}

// usageCounts counts requests by the class of their answers. Refused holds
// those that the check of the key turned away, too.
type usageCounts struct {
	Requests int64 `json:"requests"`
	OK       int64 `json:"ok"`       // 2xx
	Redirect int64 `json:"redirect"` // 3xx
	Refused  int64 `json:"refused"`  // 4xx
	Failed   int64 `json:"failed"`   // 5xx
}

func (n *usageCounts) add(o usageCounts) {
	n.Requests += o.Requests
	n.OK += o.OK
	n.Redirect += o.Redirect
	n.Refused += o.Refused
	n.Failed += o.Failed
}

// usageBucket is one hour or day.
type usageBucket struct {
	Start time.Time `json:"start"`
	usageCounts
	BySecret map[int64]int64 `json:"by_secret"` // all requests, by the id of the secret
}

// usageRoute is how often a route was called.
type usageRoute struct {
	Route  string    `json:"route"` // "" for routes that there are not
	Count  int64     `json:"count"`
	Failed int64     `json:"failed"` // of them, answered with 4xx or 5xx
	LastAt time.Time `json:"last_at"`
}

// usageAddress is how often an address called.
type usageAddress struct {
	Address opt.Value[string] `json:"address"` // null: all that found no room
	Count   int64             `json:"count"`
	Failed  int64             `json:"failed"` // of them, answered with 4xx or 5xx
	FirstAt time.Time         `json:"first_at"`
	LastAt  time.Time         `json:"last_at"`
}

// usageRefusals is how often a key was refused for a reason.
type usageRefusals struct {
	Code   string    `json:"code"`
	Count  int64     `json:"count"`
	LastAt time.Time `json:"last_at"`
}

func (e evidenceRoutes) count(ctx context.Context, c *endpoint.Call, in usageInput) (keyUsage, error) {
	if _, err := e.keys.GetAny(ctx, c.Who, in.ID); err != nil {
		return keyUsage{}, err
	}
	from, to, by := in.span(e.views.clock.Now())
	out := keyUsage{From: from, To: to, By: in.By.Or("day"), Routes: []usageRoute{}, Addresses: []usageAddress{}, Refusals: []usageRefusals{}}
	series, err := e.usage.Series(ctx, in.ID, from, to, by)
	if err != nil {
		return out, err
	}
	out.addSeries(series)
	routes, err := e.usage.TopRoutes(ctx, in.ID, from, to, 0)
	if err != nil {
		return out, err
	}
	for _, r := range routes {
		out.Routes = append(out.Routes, usageRoute{Route: r.Route, Count: r.N, Failed: r.Failed, LastAt: r.Last})
	}
	addresses, err := e.usage.Addresses(ctx, in.ID, 0)
	if err != nil {
		return out, err
	}
	for _, a := range addresses {
		out.Addresses = append(out.Addresses, usageAddress{addressText(a.Addr), a.N, a.Failed, a.First, a.Last})
	}
	refusals, err := e.usage.Refusals(ctx, in.ID, from, to)
	for _, r := range refusals {
		out.Refusals = append(out.Refusals, usageRefusals{r.Reason, r.N, r.Last})
	}
	return out, err
}

func (u *keyUsage) addSeries(series []usage.Bucket) {
	u.Series = make([]usageBucket, len(series))
	for i, b := range series {
		n := usageCounts{
			Requests: b.OK + b.Redirect + b.Refused + b.Failed,
			OK:       b.OK, Redirect: b.Redirect, Refused: b.Refused, Failed: b.Failed,
		}
		u.Totals.add(n)
		u.Series[i] = usageBucket{Start: b.Start, usageCounts: n, BySecret: b.BySecret}
	}
}

// addressText is an address, or null when it was not known.
func addressText(a netip.Addr) opt.Value[string] {
	if !a.IsValid() {
		return opt.Null[string]()
	}
	return opt.Of(a.String())
}

// requestsInput says where to go on.
type requestsInput struct {
	keyInput
	Before opt.Value[int64] `query:"before" rule:"posint,notnull"`
}

// requestPage is a part of the sampled requests. With next, ask for the part
// that follows: ?before=next.
type requestPage struct {
	Data    []sampledRequest `json:"data"`
	Next    opt.Value[int64] `json:"next"`
	Dropped droppedSamples   `json:"dropped"`
}

// droppedSamples says how many requests of all keys of the instance left no
// row, ever. They are counted all the same.
type droppedSamples struct {
	Total int64            `json:"total"`
	ByWhy map[string]int64 `json:"by_why"` // rate, full or aged
	Kept  int64            `json:"kept"`   // rows that there are
}

// sampledRequest is a request of which a row was kept: every refusal and
// failure, and some of the others.
type sampledRequest struct {
	ID        int64             `json:"id"`
	At        time.Time         `json:"at"`
	SecretID  int64             `json:"secret_id"`
	Route     string            `json:"route"`
	Status    int               `json:"status"`
	TookMS    float64           `json:"took_ms"`
	Address   opt.Value[string] `json:"address"`
	Client    string            `json:"client"`
	RequestID string            `json:"request_id"`
	Refused   opt.Value[string] `json:"refused"` // a code; null when it was not refused
	Trial     opt.Value[string] `json:"trial"`   // the code with which the restriction on trial would have refused
}

// The parts of lists of requests.
const (
	defaultRequestPage = 50
	maxRequestPage     = 500
)

func (e evidenceRoutes) requests(ctx context.Context, c *endpoint.Call, in requestsInput) (requestPage, error) {
	limit, err := pageLimit(c, defaultRequestPage, maxRequestPage)
	if err != nil {
		return requestPage{}, err
	}
	if _, err := e.keys.GetAny(ctx, c.Who, in.ID); err != nil {
		return requestPage{}, err
	}
	rows, err := e.usage.Samples(ctx, in.ID, limit, in.Before.V)
	if err != nil {
		return requestPage{}, err
	}
	totals, err := e.usage.Totals(ctx)
	out := requestPage{
		Data:    make([]sampledRequest, len(rows)),
		Dropped: droppedSamples{Total: totals.SamplesDropped, ByWhy: totals.Dropped, Kept: totals.Samples},
	}
	for i, r := range rows {
		out.Data[i] = showSample(r)
	}
	if len(rows) == limit {
		out.Next = opt.Of(rows[limit-1].ID)
	}
	return out, err
}

func showSample(r usage.Sample) sampledRequest {
	return sampledRequest{
		ID: r.ID, At: r.At, SecretID: r.SecretID, Route: r.Route, Status: r.Status,
		TookMS: float64(r.Took.Microseconds()) / 1000, Address: addressText(r.Addr), Client: r.Agent, RequestID: r.RequestID,
		Refused: wordOrNull(r.Refusal), Trial: wordOrNull(r.Trial),
	}
}

// wordOrNull makes null of the empty text.
func wordOrNull(s string) opt.Value[string] {
	if s == "" {
		return opt.Null[string]()
	}
	return opt.Of(s)
}

// verdict answers "may I delete this key?".
type verdict struct {
	Safety         string   `json:"safety"` // safe, likely, caution or in-use
	Reasons        []string `json:"reasons"`
	LastUsed       *lastUse `json:"last_used"`
	RecentRequests int64    `json:"recent_requests"` // within 30 days
}

func (e evidenceRoutes) verdict(ctx context.Context, c *endpoint.Call, in keyInput) (verdict, error) {
	v, err := e.keys.Verdict(ctx, c.Who, in.ID)
	out := verdict{Safety: string(v.Safety), Reasons: orEmpty(v.Reasons), RecentRequests: v.Recent}
	if v.Last != nil {
		out.LastUsed = showUse(*v.Last)
	}
	return out, err
}
