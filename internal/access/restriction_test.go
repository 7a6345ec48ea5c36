package access_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

func words() *access.Vocabulary {
	people := access.Self("people", access.Write, "id").Naming("people", "id")
	return access.NewVocabulary(
		access.DeclaredRoute{Route: "GET /api/user", Policy: access.Admin("people", access.Read)},
		access.DeclaredRoute{Route: "PUT /api/user/{id}", Policy: people, Names: []string{"people"},
			Fields: []string{"first_name", "details", "details.dbname", "free"}, Free: []string{"free"}},
	)
}

func parse(t *testing.T, text string) access.Restriction {
	t.Helper()
	r, err := access.ParseRestriction([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func limits(t *testing.T, text string) *access.Limits {
	t.Helper()
	l, err := parse(t, text).Compile()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return l
}

func TestCanonicalForm(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{}`, `{}`},
		{`{"read_only":false,"hours":null}`, `{}`},
		{`{"scopes":["people:write","groups:read","people:write"]}`, `{"scopes":["groups:read","people:write"]}`},
		{`{"resources":{"people":[9,"007"," 7"],"groups":[]}}`, `{"resources":{"groups":[],"people":[" 7","7","9"]}}`},
		{`{"resources":{"settings":["site_name","site-name"]}}`, `{"resources":{"settings":["site-name"]}}`},
		{`{"addresses":["::ffff:10.1.2.3","10.9.9.9/8","::ffff:192.0.2.0/120","2001:DB8::1/32","192.0.2.7/32"]}`,
			`{"addresses":["10.0.0.0/8","10.1.2.3","192.0.2.0/24","192.0.2.7","2001:db8::/32"]}`},
		{`{"hours":{"zone":"UTC","days":["Sun","mon","mon"],"to":"18:00","from":"08:00"}}`,
			`{"hours":{"days":["mon","sun"],"from":"08:00","to":"18:00","zone":"UTC"}}`},
		{`{"quota":{"period":"day","requests":5},"rate_limit":{"seconds":60,"requests":1},"read_only":true}`,
			`{"read_only":true,"rate_limit":{"requests":1,"seconds":60},"quota":{"requests":5,"period":"day"}}`},
	} {
		r := parse(t, c.in)
		got, err := json.Marshal(r)
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", c.in, got, err, c.want)
		}
		if !r.Equal(r.Canonical()) {
			t.Errorf("%s is not equal to its canonical form", c.in)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, field := range map[string]string{
		``: "restriction", `[]`: "restriction", `null`: "restriction", `{"read_only":true} x`: "restriction",
		`{"readonly":true}`:                    "restriction.readonly",
		`{"Read_Only":true}`:                   "restriction.Read_Only",
		`{"read_only":"yes"}`:                  "restriction.read_only",
		`{"scopes":"people:read"}`:             "restriction.scopes",
		`{"scopes":[null]}`:                    "restriction.scopes",
		`{"scopes":[1]}`:                       "restriction.scopes",
		`{"resources":{"people":null}}`:        "restriction.resources.people",
		`{"resources":{"people":[1.5]}}`:       "restriction.resources.people",
		`{"resources":{"people":[-1]}}`:        "restriction.resources.people",
		`{"resources":[1]}`:                    "restriction.resources",
		`{"fields":{"people":[1]}}`:            "restriction.fields.people",
		`{"rate_limit":{"requests":1.5}}`:      "restriction.rate_limit.requests",
		`{"rate_limit":{"Requests":1}}`:        "restriction.rate_limit.Requests",
		`{"quota":{"requests":1,"per":"day"}}`: "restriction.quota.per",
		`{"hours":{"days":"mon"}}`:             "restriction.hours.days",
		`{"hours":[]}`:                         "restriction.hours",
	} {
		_, err := access.ParseRestriction([]byte(in))
		f := fault.As(err)
		if f == nil || f.Kind != fault.Invalid || f.Fields[field] == "" {
			t.Errorf("%s: %v, want a fault at %s", in, err, field)
		}
		var r access.Restriction
		if json.Unmarshal([]byte(in), &r) == nil {
			t.Errorf("%s: accepted by encoding/json", in)
		}
	}
	if _, err := access.ParseRestriction([]byte(`{"scopes":["` + strings.Repeat("a", 1<<18) + `"]}`)); err == nil {
		t.Error("a huge restriction is accepted")
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct{ in, field, text string }{
		{in: `{"scopes":["people:read"],"routes":["GET /api/user"],"resources":{"people":[7]},"fields":{"people":["first_name","free.any.thing"]}}`},
		{in: `{"read_only":true,"addresses":["10.0.0.0/8"],"hours":{"from":"22:00","to":"06:00","zone":"Europe/Berlin"}}`},
		{`{"scopes":[]}`, "restriction.scopes", "is empty"},
		{`{"scopes":["people:own"]}`, "restriction.scopes", "write a kind and read or write"},
		{`{"scopes":["persons:read"]}`, "restriction.scopes", "is no scope"},
		{`{"scopes":["self:read"]}`, "restriction.scopes", "leave"},
		{`{"routes":["GET /api/nowhere"]}`, "restriction.routes", "no route"},
		{`{"routes":[]}`, "restriction.routes", "is empty"},
		{`{"resources":{}}`, "restriction.resources", "names no kind"},
		{`{"resources":{"persons":[1]}}`, "restriction.resources.persons", "the kinds are"},
		{`{"resources":{"audit":[1]}}`, "restriction.resources.audit", "no kind with single resources"},
		{`{"resources":{"people":[]}}`, "restriction.resources.people", "is empty"},
		{`{"resources":{"people":[0]}}`, "restriction.resources.people", "whole numbers"},
		{`{"resources":{"people":["x"]}}`, "restriction.resources.people", "whole numbers"},
		{`{"resources":{"people":["99999999999999999999"]}}`, "restriction.resources.people", "whole numbers"},
		{`{"resources":{"settings":[" "]}}`, "restriction.resources.settings", "is no name"},
		{`{"fields":{}}`, "restriction.fields", "names no kind"},
		{`{"fields":{"people":["last_name"]}}`, "restriction.fields.people", "the fields are details"},
		{`{"fields":{"people":["details.port"]}}`, "restriction.fields.people", "no route writes"},
		{`{"fields":{"people":["free."]}}`, "restriction.fields.people", "no route writes"},
		{`{"fields":{"groups":["name"]}}`, "restriction.fields.groups", "no fields to write"},
		{`{"fields":{"persons":["name"]}}`, "restriction.fields.persons", "is no kind"},
		{`{"addresses":["10.0.0.0/33"]}`, "restriction.addresses", "neither"},
		{`{"addresses":["fe80::1%eth0"]}`, "restriction.addresses", "neither"},
		{`{"addresses":["::ffff:0:0/90"]}`, "restriction.addresses", "neither"},
		{`{"addresses":[]}`, "restriction.addresses", "is empty"},
		{`{"rate_limit":{"requests":5}}`, "restriction.rate_limit.seconds", "from 1"},
		{`{"rate_limit":{"requests":0,"seconds":1}}`, "restriction.rate_limit.requests", "from 1"},
		{`{"quota":{"requests":1}}`, "restriction.quota.period", "day or month"},
		{`{"hours":{}}`, "restriction.hours", "name days"},
		{`{"hours":{"days":[]}}`, "restriction.hours.days", "is empty"},
		{`{"hours":{"days":["monday"]}}`, "restriction.hours", "is no day"},
		{`{"hours":{"from":"08:00"}}`, "restriction.hours", "to must be"},
		{`{"hours":{"from":"8:00","to":"09:00"}}`, "restriction.hours", "from must be"},
		{`{"hours":{"from":"24:00","to":"09:00"}}`, "restriction.hours", "from must be"},
		{`{"hours":{"from":"08:00","to":"08:00"}}`, "restriction.hours", "the same"},
		{`{"hours":{"days":["mon"],"zone":"Europe/Atlantis"}}`, "restriction.hours", "no time zone"},
		{`{"hours":{"days":["mon"],"zone":"Local"}}`, "restriction.hours", "no time zone"},
	} {
		err := parse(t, c.in).Validate(words())
		if c.field == "" {
			if err != nil {
				t.Errorf("%s: %v", c.in, err)
			}
			continue
		}
		f := fault.As(err)
		if f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Fields[c.field], c.text) {
			t.Errorf("%s: %v, want %q at %s", c.in, err, c.text, c.field)
		}
	}
}

// TestWhatCannotBeEnforcedDoesNotCompile: a stored restriction with a kind
// that is no longer known must not stay open.
func TestWhatCannotBeEnforcedDoesNotCompile(t *testing.T) {
	for _, in := range []string{
		`{"resources":{"persons":["7"]}}`, `{"fields":{"persons":["x"]}}`, `{"scopes":["persons:read"]}`,
		`{"hours":{"days":["mon"],"zone":"Europe/Atlantis"}}`, `{"addresses":["nowhere"]}`, `{"scopes":[]}`, `{"resources":{}}`,
	} {
		if l, err := parse(t, in).Compile(); err == nil || l != nil {
			t.Errorf("%s compiles", in)
		}
	}
	req := request(access.Public("docs", access.Read), "GET /api/docs")
	for name, l := range map[string]*access.Limits{"closed": access.Closed()} {
		if r := l.Check(&req); r == nil || r.Code != access.CodeUnreadable || !l.Narrows() || !l.Unreadable() {
			t.Errorf("%s: %+v", name, r)
		}
		if access.Sees(&access.Principal{Kind: access.ServiceKey, Limits: l}, "people", 7) {
			t.Errorf("%s: sees people", name)
		}
	}
}

func request(p access.Policy, route string, more ...any) access.Request {
	req := access.Request{Policy: p, Route: route}
	for _, m := range more {
		switch m := m.(type) {
		case access.Ref:
			req.Refs = append(req.Refs, m)
		case access.FieldWrite:
			req.Writes = append(req.Writes, m)
		case access.Scope:
			req.Extra = append(req.Extra, m)
		}
	}
	return req
}

func TestCheck(t *testing.T) {
	person := func(id string) access.Ref { return access.Ref{Kind: "people", ID: id} }
	groupRef := func(id string) access.Ref { return access.Ref{Kind: "groups", ID: id} }
	field := func(name string) access.FieldWrite { return access.FieldWrite{Kind: "people", Field: name} }
	list := request(access.Admin("people", access.Read), "GET /api/user")
	get := request(access.Admin("people", access.Read), "GET /api/user/{id}", person("7"))
	put := request(access.Admin("people", access.Write), "PUT /api/user/{id}", person("7"), field("first_name"))
	join := request(access.Admin("people", access.Write), "PUT /api/user/{id}", person("7"), groupRef("5"),
		field("user_group_memberships"), access.Scope{Resource: "memberships", Verb: access.Write})
	remove := request(access.Admin("people", access.Write), "DELETE /api/user/{id}", person("7"))
	password := request(access.Admin("passwords", access.Write), "PUT /api/user/{id}/password", person("7"),
		access.FieldWrite{Kind: "passwords", Field: "password"})
	member := request(access.Admin("memberships", access.Write), "POST /api/permissions/membership", person("7"), groupRef("5"))
	detail := request(access.Admin("groups", access.Read).Touching("people"), "GET /api/permissions/group/{id}", groupRef("5"))
	audit := request(access.Admin("audit", access.Read), "GET /v1/audit")
	check := request(access.Admin("people", access.Read), "POST /api/check") // a POST-shaped read
	self := request(access.Authenticated("self", access.Read), "GET /v1/self")
	rotate := request(access.Authenticated("self", access.Write), "POST /v1/self/rotate")
	for _, c := range []struct {
		restriction string
		req         access.Request
		want        string
	}{
		{`{}`, put, ""},
		{`{"read_only":true}`, get, ""}, {`{"read_only":true}`, check, ""}, {`{"read_only":true}`, put, "read-only"},
		{`{"read_only":true}`, self, ""}, {`{"read_only":true}`, rotate, "read-only"},
		{`{"scopes":["people:read"]}`, get, ""}, {`{"scopes":["people:read"]}`, put, "scope"},
		{`{"scopes":["people:write"]}`, get, "scope"}, {`{"scopes":["groups:read"]}`, self, ""}, {`{"scopes":["groups:read"]}`, rotate, ""},
		{`{"scopes":["people:write"]}`, join, "scope"}, {`{"scopes":["people:write","memberships:write"]}`, join, ""},
		{`{"scopes":["people:write"]}`, password, "scope"},
		{`{"routes":["PUT /api/user/{id}"]}`, put, ""}, {`{"routes":["PUT /api/user/{id}"]}`, get, "route"},
		{`{"routes":["PUT /api/user/{id}"]}`, self, ""}, {`{"routes":["PUT /api/user/{id}"]}`, rotate, "route"},
		{`{"resources":{"people":["7"]}}`, get, ""}, {`{"resources":{"people":["9"]}}`, get, "resource"},
		{`{"resources":{"people":["7"]}}`, list, "resource"}, {`{"resources":{"groups":["5"]}}`, list, ""},
		{`{"resources":{"people":["7"]}}`, password, ""}, {`{"resources":{"people":["9"]}}`, password, "resource"},
		{`{"resources":{"people":["7"],"groups":["5"]}}`, member, ""}, {`{"resources":{"groups":["6"]}}`, member, "resource"},
		{`{"resources":{"people":["7"]}}`, detail, "resource"}, {`{"resources":{"groups":["5"]}}`, detail, ""},
		{`{"resources":{"people":["7"],"groups":["5"]}}`, join, ""}, {`{"resources":{"people":["7"],"groups":["6"]}}`, join, "resource"},
		{`{"resources":{"settings":["site-name"]}}`, audit, "resource"}, {`{"resources":{"people":["7"]}}`, self, ""},
		{`{"fields":{"people":["first_name"]}}`, put, ""}, {`{"fields":{"people":["last_name"]}}`, put, "field"},
		{`{"fields":{"people":["first_name"]}}`, remove, "field"}, {`{"fields":{"people":["first_name"]}}`, get, ""},
		{`{"fields":{"people":["first_name"]}}`, password, "field"}, {`{"fields":{"people":["first_name"]}}`, member, ""},
		{`{"fields":{"people":["user_group_memberships"]}}`, join, ""}, {`{"fields":{"groups":["name"]}}`, put, ""},
	} {
		r := limits(t, c.restriction).Check(&c.req)
		got := ""
		if r != nil {
			got = r.Code
		}
		if got != c.want || r != nil && (r.Message == "" || r.Detail == "") {
			t.Errorf("%s, %s: %+v, want %q", c.restriction, c.req.Route, r, c.want)
		}
	}
}

// What is there, and not for the key, is told no other way than what is not
// there, which names nothing.
func TestBoundKeysCannotTellWhatIsThere(t *testing.T) {
	l := limits(t, `{"resources":{"groups":["5"]}}`)
	route := func(refs ...access.Ref) *access.Refusal {
		req := access.Request{Policy: access.Admin("keys", access.Read), Route: "GET /v1/keys/{id}", Refs: refs}
		return l.Check(&req)
	}
	there, missing := route(access.Ref{Kind: "groups", ID: "6"}), route()
	if there == nil || missing == nil || there.Message != missing.Message || there.Code != missing.Code {
		t.Errorf("%+v, %+v", there, missing)
	}
}

func TestFieldsOfObjects(t *testing.T) {
	for _, c := range []struct {
		listed, written string
		ok              bool
	}{
		{"details", "details", true}, {"details", "details.dbname", true}, {"details", "details.a.b", true},
		{"details.dbname", "details.dbname", true}, {"details.dbname", "details", false},
		{"details.dbname", "details.port", false}, {"details.dbname", "details.dbname2", false}, {"details", "details2", false},
	} {
		req := request(access.Admin("people", access.Write), "PUT /x", access.FieldWrite{Kind: "people", Field: c.written})
		if got := limits(t, `{"fields":{"people":["`+c.listed+`"]}}`).Check(&req) == nil; got != c.ok {
			t.Errorf("%s listed, %s written: %v", c.listed, c.written, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	l := limits(t, `{"addresses":["10.0.0.0/8","2001:db8::/32","192.0.2.7","192.0.2.6/31","::1"]}`)
	for addr, want := range map[string]bool{
		"10.0.0.0": true, "10.255.255.255": true, "11.0.0.0": false, "9.255.255.255": false, "::ffff:10.1.2.3": true,
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": true, "2001:db9::": false, "192.0.2.7": true, "192.0.2.6": true, "192.0.2.8": false,
		"::1": true, "::2": false, "0.0.0.1": false, "2001:db8::1%eth0": true,
	} {
		if got := l.From(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if l.From(netip.Addr{}) {
		t.Error("an unknown address passes")
	}
	if !limits(t, `{"read_only":true}`).From(netip.Addr{}) || !(*access.Limits)(nil).From(netip.Addr{}) {
		t.Error("without addresses, an unknown one is refused")
	}
	if l := limits(t, `{"addresses":["0.0.0.0/0"]}`); l.From(netip.MustParseAddr("::1")) || !l.From(netip.MustParseAddr("255.255.255.255")) {
		t.Error("0.0.0.0/0 is all of IPv4 and nothing else")
	}
}

func TestHours(t *testing.T) {
	for _, c := range []struct {
		hours string
		times map[string]bool
	}{
		{`{"days":["mon","fri"],"from":"08:00","to":"18:00","zone":"Europe/Berlin"}`, map[string]bool{
			"2026-11-23T07:00:00Z": true, "2026-11-23T06:59:59Z": false, "2026-11-23T16:59:59Z": true, "2026-11-23T17:00:00Z": false,
			"2026-07-06T06:00:00Z": true, "2026-07-06T16:00:00Z": false, // summer time
			"2026-11-24T09:00:00Z": false, "2026-11-27T09:00:00Z": true,
		}},
		{`{"days":["sun"],"from":"22:00","to":"06:00"}`, map[string]bool{
			"2026-11-22T21:59:00Z": false, "2026-11-22T22:00:00Z": true, "2026-11-23T05:59:00Z": true, "2026-11-23T06:00:00Z": false,
			"2026-11-22T03:00:00Z": false, "2026-11-23T22:00:00Z": false,
		}},
		{`{"days":["sat"]}`, map[string]bool{"2026-11-21T00:00:00Z": true, "2026-11-21T23:59:59Z": true, "2026-11-22T00:00:00Z": false}},
		{`{"from":"12:00","to":"24:00"}`, map[string]bool{"2026-11-21T23:59:59Z": true, "2026-11-21T11:59:59Z": false}},
	} {
		l := limits(t, `{"hours":`+c.hours+`}`)
		for text, want := range c.times {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.At(at); got != want {
				t.Errorf("%s at %s: %v", c.hours, text, got)
			}
		}
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{}`, `{}`, true}, {`{}`, `{"read_only":true}`, false}, {`{"read_only":true}`, `{}`, true},
		{`{"scopes":["people:read"]}`, `{"scopes":["people:read","groups:read"]}`, true},
		{`{"scopes":["people:read","groups:read"]}`, `{"scopes":["people:read"]}`, false}, {`{}`, `{"scopes":["people:read"]}`, false},
		{`{"resources":{"people":[7]}}`, `{"resources":{"people":[7,9]}}`, true}, {`{"resources":{"people":[7]}}`, `{"resources":{"groups":[5]}}`, false},
		{`{"fields":{"people":["details.dbname"]}}`, `{"fields":{"people":["details"]}}`, true},
		{`{"fields":{"people":["details"]}}`, `{"fields":{"people":["details.dbname"]}}`, false},
		{`{"read_only":true}`, `{"fields":{"people":["details"]}}`, true}, // it writes nothing at all
		{`{"read_only":true}`, `{"read_only":true,"fields":{"people":["details"]}}`, true},
		{`{"addresses":["10.1.0.0/16"]}`, `{"addresses":["10.0.0.0/8"]}`, true}, {`{"addresses":["10.0.0.0/8"]}`, `{"addresses":["10.1.0.0/16"]}`, false},
		{`{"addresses":["10.0.0.0/7"]}`, `{"addresses":["10.0.0.0/8","11.0.0.0/8"]}`, false},
		{`{}`, `{"addresses":["0.0.0.0/0","::/0"]}`, false},
		{`{"rate_limit":{"requests":5,"seconds":60}}`, `{"rate_limit":{"requests":10,"seconds":60}}`, true},
		{`{"rate_limit":{"requests":5,"seconds":1}}`, `{"rate_limit":{"requests":10,"seconds":60}}`, false},
		{`{"quota":{"requests":31,"period":"day"}}`, `{"quota":{"requests":961,"period":"month"}}`, true},
		{`{"quota":{"requests":32,"period":"day"}}`, `{"quota":{"requests":961,"period":"month"}}`, false},
		{`{"quota":{"requests":5,"period":"month"}}`, `{"quota":{"requests":5,"period":"day"}}`, true}, {`{}`, `{"quota":{"requests":5,"period":"day"}}`, false},
		{`{"hours":{"days":["mon"],"from":"09:00","to":"10:00"}}`, `{"hours":{"days":["mon","tue"],"from":"08:00","to":"18:00"}}`, true},
		{`{"hours":{"days":["mon"],"from":"23:00","to":"01:00"}}`, `{"hours":{"days":["mon"]}}`, false},
		{`{"hours":{"days":["mon"]}}`, `{"hours":{"days":["mon"],"zone":"Europe/Berlin"}}`, false},
	} {
		if got := parse(t, c.a).Within(parse(t, c.b)); got != c.want {
			t.Errorf("%s within %s: %v", c.a, c.b, got)
		}
	}
}

func TestNarrowsAndIsZero(t *testing.T) {
	for in, want := range map[string][2]bool{
		`{}`: {false, true}, `{"read_only":true}`: {true, false}, `{"resources":{"people":[7]}}`: {true, false},
		`{"addresses":["10.0.0.0/8"]}`: {false, false}, `{"quota":{"requests":1,"period":"day"}}`: {false, false},
	} {
		r := parse(t, in)
		if got := [2]bool{r.Narrows(), r.IsZero()}; got != want {
			t.Errorf("%s: %v", in, got)
		}
		key := &access.Principal{Kind: access.ServiceKey, Limits: limits(t, in)}
		if access.ProtectsAdmins(key) != want[0] {
			t.Errorf("%s: administrators are protected: %v", in, !want[0])
		}
	}
	if access.ProtectsAdmins(admin) || access.ProtectsAdmins(nil) || access.ProtectsAdmins(key) {
		t.Error("administrators are protected from somebody without a restriction")
	}
	refs := parse(t, `{"resources":{"settings":["b"],"people":[9,7]}}`).Refs()
	if want := []access.Ref{{Kind: "people", ID: "7"}, {Kind: "people", ID: "9"}, {Kind: "settings", ID: "b"}}; !slices.Equal(refs, want) {
		t.Errorf("refs %v", refs)
	}
}
