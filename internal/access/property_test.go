package access_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

const rounds = 20_000

// A key with a restriction may never do what its groups alone do not allow,
// and what is closed may do nothing but what is open to everybody.
func TestARestrictedKeyIsNeverWiderThanItsGroups(t *testing.T) {
	w := newWorld(1)
	for range rounds {
		bare := access.Principal{Kind: access.ServiceKey, UserID: w.Int64N(3), KeyID: 1, Groups: []int64{1}}
		if w.half() {
			bare.Groups = []int64{1, 2}
		}
		limited, closed := bare, bare
		limited.Limits, closed.Limits = compile(t, w.restriction()), access.Closed()
		req := w.request()
		group, with := access.Judge(&bare, &req), access.Judge(&limited, &req)
		if with.Err == nil && group.Err != nil {
			t.Fatalf("wider than the groups: %+v, %+v", req, limited.Limits.Restriction())
		}
		if v := access.Judge(&closed, &req); v.Err == nil && !v.Anonymous || v.Anonymous && req.Policy.Who != access.Anyone {
			t.Fatalf("closed limits allow %+v", req)
		}
		if with.Anonymous && (with.Err != nil || with.Refused == nil || req.Policy.Who != access.Anyone) {
			t.Fatalf("answered as anonymous: %+v, %+v", req, with)
		}
	}
}

// Adding a member to a restriction never adds a right, and neither does adding
// kinds to members that hold kinds.
func TestAddingARestrictionNeverAddsARight(t *testing.T) {
	w := newWorld(2)
	for i := range rounds {
		r := w.restriction()
		more := r
		one(w, members)(w, &more)
		if w.half() && r.Resources != nil {
			more = r
			more.Resources = map[string][]string{one(w, boundKinds): some(w, someIDs)}
			for kind, ids := range r.Resources {
				more.Resources[kind] = ids
			}
		}
		if r.ReadOnly != more.ReadOnly && r.ReadOnly || replaced(r, more) {
			continue // it was another member's turn before: replaced, not added
		}
		if u := w.use(); u.passes(compile(t, more)) && !u.passes(compile(t, r)) {
			t.Fatalf("round %d: %+v passes %+v and not %+v", i, u, more, r)
		}
	}
}

// replaced reports whether more differs from r in a member that r has.
func replaced(r, more access.Restriction) bool {
	a, b := reflect.ValueOf(r), reflect.ValueOf(more)
	for i := range a.NumField() {
		if a.Type().Field(i).Name != "Resources" && !a.Field(i).IsZero() && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			return true
		}
	}
	for kind, ids := range r.Resources {
		if !reflect.DeepEqual(more.Resources[kind], ids) {
			return true
		}
	}
	return false
}

// What is within another restriction allows nothing that the other does not.
func TestWithinIsSound(t *testing.T) {
	w := newWorld(3)
	within := 0
	for range rounds {
		a, b := w.restriction(), w.restriction()
		if w.half() { // b is a with something left out: often within
			b = a
			reflect.ValueOf(&b).Elem().Field(w.IntN(len(members))).SetZero()
		}
		if !a.Within(b) {
			continue
		}
		within++
		la, lb := compile(t, a), compile(t, b)
		for range 20 {
			if u := w.use(); u.passes(la) && !u.passes(lb) {
				t.Fatalf("%+v is within %+v, but %+v passes the first alone", a, b, u)
			}
		}
	}
	if within < rounds/10 {
		t.Errorf("only %d pairs were within: the test is too weak", within)
	}
}

func TestWithinIsReflexiveAndTransitive(t *testing.T) {
	w := newWorld(4)
	for range rounds / 4 {
		a, b, c := w.restriction(), w.restriction(), w.restriction()
		if !a.Within(a) {
			t.Fatalf("%+v is not within itself", a)
		}
		if a.Within(b) && b.Within(c) && !a.Within(c) {
			t.Fatalf("%+v, %+v, %+v", a, b, c)
		}
		if !a.Within(access.Restriction{}) {
			t.Fatalf("%+v is not within no restriction", a)
		}
	}
}

func TestParseAndMarshalAreInverse(t *testing.T) {
	w := newWorld(5)
	for range rounds / 4 {
		r := w.restriction().Canonical()
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := access.ParseRestriction(raw)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("%s: %+v, %v, want %+v", raw, back, err, r)
		}
	}
}

// What nobody declared is refused: unknown scopes, kinds, ids, fields, routes.
func TestTheUnknownIsRefused(t *testing.T) {
	w := newWorld(6)
	for range rounds / 4 {
		l := compile(t, w.restriction())
		r := l.Restriction()
		req := w.request()
		switch one(w, []string{"scope", "route", "ref", "field"}) {
		case "scope":
			req.Policy.Scope.Resource = "unheard-of"
			if r.Scopes == nil {
				continue
			}
		case "route":
			req.Route, req.Policy.Scope = "GET /unheard-of", access.Scope{Resource: "people", Verb: access.Read}
			if r.Routes == nil {
				continue
			}
		case "ref":
			if r.Resources["people"] == nil {
				continue
			}
			req.Refs = append(req.Refs, access.NewRef("people", "999"))
		case "field":
			if r.Fields["people"] == nil {
				continue
			}
			req.Policy.Scope = access.Scope{Resource: "people", Verb: access.Write}
			req.Writes = append(req.Writes, access.FieldWrite{Kind: "people", Field: "unheard_of"})
		}
		if l.Check(&req) == nil {
			t.Fatalf("%+v passes %+v", req, r)
		}
	}
}

// Explain and Judge say the same about everything.
func TestExplainAgreesWithJudge(t *testing.T) {
	w := newWorld(7)
	for range rounds / 2 {
		who := &access.Principal{Kind: access.ServiceKey, UserID: w.Int64N(3), KeyID: 1, Groups: []int64{1}}
		if w.half() {
			who.Groups = []int64{1, 2}
		}
		who.Limits, who.Trial = compile(t, w.restriction()), compile(t, w.restriction())
		if w.IntN(10) == 0 {
			who.Limits = access.Closed()
		}
		if w.IntN(10) == 0 {
			who = nil
		}
		req := w.request()
		v, d := access.Judge(who, &req), access.Explain(who, req)
		if d.Allowed != (v.Err == nil) || d.Anonymous != v.Anonymous || !reflect.DeepEqual(d.Trial, v.Trial) {
			t.Fatalf("%+v, %+v", v, d)
		}
		if v.Err != nil && who != nil && d.Code != fault.As(v.Err).Code || d.Message == "" || len(d.Steps) == 0 {
			t.Fatalf("%+v, %+v", v, d)
		}
		if v.Refused != nil && v.Refused.Code != d.Code {
			t.Fatalf("%+v, %+v", v, d)
		}
		for _, s := range d.Steps {
			if s.Name == d.DecidedBy && s.Passed != d.Allowed && !d.Anonymous || s.Detail == "" {
				t.Fatalf("step %+v of %+v", s, d)
			}
		}
	}
}

func TestExplainNamesTheGroup(t *testing.T) {
	req := access.Request{Policy: access.Admin("people", access.Write)}
	if d := access.Explain(admin, req); !d.Allowed || d.Message != "The group Administrators (2) gives all rights." {
		t.Errorf("%+v", d)
	}
	if d := access.Explain(plain, req); d.Allowed || d.Code != access.CodeGroup || d.DecidedBy != access.StepGroup {
		t.Errorf("%+v", d)
	}
	l := compile(t, access.Restriction{Addresses: []string{"10.0.0.0/8"}, Hours: &access.Hours{Days: []string{"mon"}}})
	steps := l.Conditions(netip.MustParseAddr("192.0.2.1"), time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	want := []access.Step{
		{Name: access.CodeAddress, Detail: "the address 192.0.2.1 is not listed"},
		{Name: access.CodeHours, Detail: "Sun 10:00 UTC"},
	}
	if fmt.Sprint(steps) != fmt.Sprint(want) {
		t.Errorf("%+v", steps)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	l := compile(t, fullRestriction())
	who := &access.Principal{Kind: access.ServiceKey, UserID: 1, KeyID: 1, Groups: []int64{1, 2}, Limits: l, Trial: l}
	req, from, at := fullRequest(), netip.MustParseAddr("::ffff:10.1.2.3"), time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	if v := access.Judge(who, &req); v.Err != nil || v.Trial != nil || !l.From(from) || !l.At(at) {
		t.Fatalf("%+v", v)
	}
	if n := testing.AllocsPerRun(1000, func() {
		_ = access.Decide(who, req)
		_ = l.From(from)
		_ = l.At(at)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func fullRestriction() access.Restriction {
	return access.Restriction{
		Scopes: []string{"people:read", "people:write", "memberships:write"}, Routes: someRoutes,
		Resources: map[string][]string{"people": someIDs, "groups": someIDs}, Fields: map[string][]string{"people": {"name", "details"}},
		Addresses: someNets, Hours: &access.Hours{Days: []string{"mon", "tue"}, From: "08:00", To: "18:00", Zone: "Europe/Berlin"},
	}
}

func fullRequest() access.Request {
	return access.Request{
		Policy: access.Admin("people", access.Write).Naming("people", "id"), Route: "PUT /a/{id}",
		Refs:   []access.Ref{{Kind: "people", ID: "2"}, {Kind: "groups", ID: "3"}},
		Writes: []access.FieldWrite{{Kind: "people", Field: "name"}, {Kind: "people", Field: "details.a"}},
		Extra:  []access.Scope{{Resource: "memberships", Verb: access.Write}},
	}
}

func BenchmarkDecide(b *testing.B) {
	l := compile(b, fullRestriction())
	who := &access.Principal{Kind: access.ServiceKey, UserID: 1, KeyID: 1, Groups: []int64{1, 2}, Limits: l}
	req := fullRequest()
	b.ReportAllocs()
	for b.Loop() {
		_ = access.Decide(who, req)
	}
}

func BenchmarkConditions(b *testing.B) {
	l := compile(b, fullRestriction())
	from, at := netip.MustParseAddr("10.1.2.3"), time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		_ = l.From(from) && l.At(at)
	}
}

// FuzzParseRestriction: whatever is accepted has a canonical form that parses
// to itself, and either compiles or is refused.
func FuzzParseRestriction(f *testing.F) {
	for _, s := range []string{`{}`, `{"scopes":["people:read"]}`, `{"resources":{"people":[1,"02"]}}`, `{"hours":{"days":["mon"],"zone":"UTC"}}`,
		`{"addresses":["::ffff:1.2.3.4/100"],"quota":{"requests":1,"period":"day"}}`, `{"fields":{"people":["a.b"]},"read_only":true}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := access.ParseRestriction(raw)
		if err != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := access.ParseRestriction(text)
		if err != nil || !back.Equal(r) {
			t.Fatalf("%s became %s: %v", raw, text, err)
		}
		if l, err := r.Compile(); err == nil {
			req := fullRequest()
			l.Check(&req)
			l.From(netip.MustParseAddr("10.1.2.3"))
			l.At(time.Unix(0, 0))
			if !r.Within(r) {
				t.Fatalf("%s is not within itself", text)
			}
		}
	})
}

// FuzzAddresses: a network allows exactly the addresses that netip says.
func FuzzAddresses(f *testing.F) {
	f.Add("10.0.0.0/8", "10.1.2.3")
	f.Add("2001:db8::/33", "2001:db8:8000::")
	f.Fuzz(func(t *testing.T, network, addr string) {
		l, err := access.Restriction{Addresses: []string{network}}.Compile()
		if err != nil {
			return
		}
		a, err := netip.ParseAddr(addr)
		if err != nil {
			return
		}
		n, err := netip.ParsePrefix(network)
		if err != nil || n.Addr().Is4In6() {
			return // a single address, or one written as the other kind
		}
		if got, want := l.From(a), n.Contains(a.Unmap().WithZone("")); got != want {
			t.Errorf("%s in %s: %v", addr, network, got)
		}
	})
}
