package access

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Bounds of what a restriction may say.
const (
	maxItems    = 10_000 // of one list
	maxRequests = 1_000_000_000
	maxSeconds  = 86_400
)

// Validate says what in a restriction is a mistake: words that nobody knows,
// empty lists, numbers out of bounds. It returns an Invalid fault with fields
// such as "restriction.scopes", or nil. That the named resources exist is for
// those to check who know them (Refs).
func (r Restriction) Validate(v *Vocabulary) error {
	p := parser{wrong: map[string]string{}}
	r = r.Canonical()
	r.check(p)
	for _, route := range r.Routes {
		if !v.HasRoute(route) {
			p.bad("restriction.routes", "there is no route %q; write method and pattern as in the documents of the API, such as \"PUT /api/user/{id}\"", route)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Fields)) {
		for _, field := range r.Fields[kind] {
			if !v.HasField(kind, field) {
				p.bad("restriction.fields."+kind, "no route writes the field %q; %s", field, known(v.Fields(kind)))
			}
		}
	}
	return p.fault()
}

func known(fields []string) string {
	if len(fields) == 0 {
		return "this kind has no fields to write"
	}
	return "the fields are " + strings.Join(fields, ", ")
}

// check finds the mistakes that show without a vocabulary. What fails here
// cannot be enforced, so a stored restriction that fails refuses everything.
func (r Restriction) check(p parser) {
	checkList(p, "restriction.scopes", r.Scopes, "people:read")
	for _, text := range r.Scopes {
		s, ok := ParseScope(text)
		switch {
		case !ok:
			p.bad("restriction.scopes", "%q is no scope; write a kind and read or write, such as people:read; the kinds are %s",
				text, strings.Join(kindNamesWhere(func(k *ResourceKind) bool { return k.Name != KindSelf }), ", "))
		case s.Resource == KindSelf:
			p.bad("restriction.scopes", "a key may always ask about itself; leave %q out", text)
		}
	}
	checkList(p, "restriction.routes", r.Routes, "GET /api/user")
	r.checkResources(p)
	r.checkFields(p)
	r.checkConditions(p)
}

// checkList refuses a list that allows nothing: somebody who leaves it empty
// means either everything or a key that is disabled.
func checkList(p parser, field string, list []string, example string) {
	switch {
	case list != nil && len(list) == 0:
		p.bad(field, "is empty, which would allow nothing; leave it out to allow everything, or name something such as %q", example)
	case len(list) > maxItems:
		p.bad(field, "has more than %d items", maxItems)
	}
}

func (r Restriction) checkResources(p parser) {
	if r.Resources != nil && len(r.Resources) == 0 {
		p.bad("restriction.resources", "names no kind; leave it out to allow all resources")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		field := "restriction.resources." + kind
		k := kindByName[kind]
		if k == nil || !k.Bound {
			p.bad(field, "is no kind with single resources; the kinds are %s",
				strings.Join(kindNamesWhere(func(k *ResourceKind) bool { return k.Bound }), ", "))
			continue
		}
		checkList(p, field, r.Resources[kind], "7")
		for _, id := range r.Resources[kind] {
			if !k.validID(id) {
				p.bad(field, "%q is no %s", id, k.idWord())
			}
		}
	}
}

func (k *ResourceKind) validID(id string) bool {
	if k.Named {
		return strings.TrimSpace(id) != ""
	}
	if k.Name == KindCollections && id == RootName {
		return true
	}
	n, err := strconv.ParseInt(id, 10, 64)
	least := int64(1)
	if k.Name == KindPolicies {
		least = 0 // the policy of the instance
	}
	return err == nil && n >= least && strconv.FormatInt(n, 10) == id
}

func (k *ResourceKind) idWord() string {
	if k.Named {
		return "name"
	}
	return "id; ids are whole numbers"
}

func (r Restriction) checkFields(p parser) {
	if r.Fields != nil && len(r.Fields) == 0 {
		p.bad("restriction.fields", "names no kind; leave it out to allow all fields")
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Fields)) {
		field := "restriction.fields." + kind
		if !KnownKind(kind) {
			p.bad(field, "is no kind; the kinds are %s", strings.Join(kindNamesWhere(func(*ResourceKind) bool { return true }), ", "))
			continue
		}
		checkList(p, field, r.Fields[kind], "first_name")
		if slices.Contains(r.Fields[kind], "") {
			p.bad(field, "a field without a name")
		}
	}
}

func (r Restriction) checkConditions(p parser) {
	checkList(p, "restriction.addresses", r.Addresses, "192.0.2.0/24")
	for _, s := range r.Addresses {
		if _, err := parseNet(s); err != nil {
			p.bad("restriction.addresses", "%q is neither an address nor a network; write one such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32", s)
		}
	}
	if l := r.RateLimit; l != nil {
		checkRange(p, "restriction.rate_limit.requests", l.Requests, maxRequests)
		checkRange(p, "restriction.rate_limit.seconds", l.Seconds, maxSeconds)
	}
	if q := r.Quota; q != nil {
		checkRange(p, "restriction.quota.requests", q.Requests, maxRequests)
		if q.Period != PerDay && q.Period != PerMonth {
			p.bad("restriction.quota.period", "must be day or month")
		}
	}
	if r.Hours == nil {
		return
	}
	checkList(p, "restriction.hours.days", r.Hours.Days, "mon")
	if _, err := r.Hours.compile(); err != nil {
		p.bad("restriction.hours", "%s", err)
	}
}

func checkRange(p parser, field string, n, most int64) {
	if n < 1 || n > most {
		p.bad(field, "must be a whole number from 1 to %d", most)
	}
}
