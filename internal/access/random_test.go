package access_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/access"
)

// world makes random restrictions and requests. The same seed makes the same.
type world struct{ *rand.Rand }

func newWorld(seed uint64) world { return world{rand.New(rand.NewPCG(seed, 3))} }

func (w world) half() bool { return w.IntN(2) == 0 }

// some picks one to three of a list.
func some[T any](w world, list []T) []T {
	out := make([]T, 1+w.IntN(3))
	for i := range out {
		out[i] = list[w.IntN(len(list))]
	}
	return out
}

func one[T any](w world, list []T) T { return list[w.IntN(len(list))] }

var (
	someKinds  = []string{"people", "groups", "memberships", "keys", "settings", "passwords", "self", "audit", "collections", "cards"}
	boundKinds = []string{"people", "groups", "keys", "settings", "collections", "cards"}
	someIDs    = []string{"1", "2", "3"}
	someFields = []string{"name", "details", "details.a", "details.b", "details.a.x"}
	someRoutes = []string{"GET /a", "PUT /a/{id}", "POST /b"}
	someNets   = []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "::ffff:10.0.0.0/104", "0.0.0.0/0"}
	someAddrs  = []string{"10.1.2.3", "10.1.9.9", "10.9.9.9", "192.0.2.1", "2001:db8::1", "::ffff:10.1.2.3"}
	someZones  = []string{"", "UTC", "Europe/Berlin"}
	someTimes  = []string{"00:00", "08:00", "12:30", "18:00"}
	someDays   = []string{"mon", "wed", "sat", "sun"}
)

// members sets one member of a restriction each.
var members = []func(world, *access.Restriction){
	func(_ world, r *access.Restriction) { r.ReadOnly = true },
	func(w world, r *access.Restriction) {
		kinds := []string{"people", "groups", "memberships", "keys", "settings", "passwords"}
		for range 1 + w.IntN(4) {
			r.Scopes = append(r.Scopes, one(w, kinds)+":"+one(w, []string{"read", "write"}))
		}
	},
	func(w world, r *access.Restriction) { r.Routes = some(w, someRoutes) },
	func(w world, r *access.Restriction) {
		r.Resources = map[string][]string{}
		for _, kind := range some(w, boundKinds) {
			r.Resources[kind] = some(w, someIDs)
		}
	},
	func(w world, r *access.Restriction) {
		r.Fields = map[string][]string{}
		for _, kind := range some(w, []string{"people", "groups", "keys"}) {
			r.Fields[kind] = some(w, someFields)
		}
	},
	func(w world, r *access.Restriction) { r.Addresses = some(w, someNets) },
	func(w world, r *access.Restriction) {
		r.RateLimit = &access.RateLimit{Requests: 1 + w.Int64N(5), Seconds: 1 + w.Int64N(5)}
	},
	func(w world, r *access.Restriction) {
		r.Quota = &access.Quota{Requests: 1 + w.Int64N(100), Period: one(w, []string{"day", "month"})}
	},
	func(w world, r *access.Restriction) {
		r.Hours = &access.Hours{Days: some(w, someDays), Zone: one(w, someZones)}
		if from, to := one(w, someTimes), one(w, someTimes); from != to {
			r.Hours.From, r.Hours.To = from, to
		}
	},
}

func (w world) restriction() access.Restriction {
	var r access.Restriction
	for _, set := range members {
		if w.IntN(3) == 0 {
			set(w, &r)
		}
	}
	return r
}

func (w world) request() access.Request {
	verb := one(w, []access.Verb{access.Read, access.Write})
	req := access.Request{
		Policy: access.Policy{Who: one(w, []access.Who{access.Anyone, access.SignedIn, access.SelfOrAdmin, access.Admins}),
			Scope: access.Scope{Resource: one(w, someKinds), Verb: verb}},
		Route: one(w, someRoutes), Self: w.Int64N(3),
	}
	if w.half() {
		req.Policy = req.Policy.Touching(some(w, boundKinds)...)
	}
	for range w.IntN(4) {
		req.Refs = append(req.Refs, access.NewRef(one(w, boundKinds), one(w, someIDs)))
	}
	for range w.IntN(4) {
		kind := req.Policy.Scope.Resource
		req.Writes = append(req.Writes, access.FieldWrite{Kind: kind, Field: one(w, someFields)})
	}
	if w.IntN(3) == 0 {
		req.Extra = append(req.Extra, access.Scope{Resource: "memberships", Verb: access.Write})
	}
	return req
}

func (w world) moment() time.Time {
	return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.IntN(14*24*60)) * time.Minute)
}

// use is one use of a key: a request from somewhere at some time.
type use struct {
	req  access.Request
	from netip.Addr
	at   time.Time
}

func (w world) use() use {
	return use{w.request(), netip.MustParseAddr(one(w, someAddrs)), w.moment()}
}

func (u use) passes(l *access.Limits) bool {
	return l.From(u.from) && l.At(u.at) && l.Check(&u.req) == nil
}

func compile(t testing.TB, r access.Restriction) *access.Limits {
	t.Helper()
	l, err := r.Compile()
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return l
}
