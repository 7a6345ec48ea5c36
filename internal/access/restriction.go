package access

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Restriction is what a key may do less than its groups. A member that is
// absent (nil, false) restricts nothing; a list that is there and empty allows
// nothing. The JSON is what is stored, sent and seeded.
type Restriction struct {
	ReadOnly  bool                `json:"read_only,omitzero"`
	Scopes    []string            `json:"scopes,omitzero"`    // people:read; writing does not include reading
	Routes    []string            `json:"routes,omitzero"`    // "PUT /api/user/{id}"
	Resources map[string][]string `json:"resources,omitzero"` // ids by kind
	Fields    map[string][]string `json:"fields,omitzero"`    // fields by kind, members with dots
	Addresses []string            `json:"addresses,omitzero"` // addresses and networks of clients
	RateLimit *RateLimit          `json:"rate_limit,omitzero"`
	Quota     *Quota              `json:"quota,omitzero"`
	Hours     *Hours              `json:"hours,omitzero"`
}

// RateLimit allows a number of requests in a number of seconds.
type RateLimit struct {
	Requests int64 `json:"requests"`
	Seconds  int64 `json:"seconds"`
}

// The periods of a quota, in UTC.
const (
	PerDay   = "day"
	PerMonth = "month"
)

// Quota allows a number of requests in a calendar period.
type Quota struct {
	Requests int64  `json:"requests"`
	Period   string `json:"period"` // PerDay or PerMonth
}

// Hours allow requests at some times of the week. A window that ends before it
// begins goes on into the next day, and belongs to the day on which it begins.
type Hours struct {
	Days []string `json:"days,omitzero"` // mon to sun; absent means every day
	From string   `json:"from,omitzero"` // 08:00; absent means the whole day
	To   string   `json:"to,omitzero"`   // 18:00, not included; 24:00 ends the day
	Zone string   `json:"zone,omitzero"` // a name of the IANA database; absent means UTC
}

// IsZero reports whether the restriction restricts nothing at all.
func (r Restriction) IsZero() bool {
	return !r.Narrows() && r.Addresses == nil && r.RateLimit == nil && r.Quota == nil && r.Hours == nil
}

// Narrows reports whether the restriction takes rights away, and does not only
// set conditions (addresses, rate limit, quota, hours).
func (r Restriction) Narrows() bool {
	return r.ReadOnly || r.Scopes != nil || r.Routes != nil || r.Resources != nil || r.Fields != nil
}

// Refs returns the resources that the restriction names, in order, so that
// somebody who knows them can say which do not exist.
func (r Restriction) Refs() []Ref {
	var out []Ref
	for _, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		for _, id := range r.Canonical().Resources[kind] {
			out = append(out, Ref{kind, id})
		}
	}
	return out
}

// Equal reports whether two restrictions are the same in canonical form.
func (r Restriction) Equal(other Restriction) bool {
	a, errA := json.Marshal(r)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && string(a) == string(b)
}

// Canonical returns the restriction as it is stored: lists sorted and without
// repetition, ids without leading zeros, networks masked and IPv4 written as
// IPv4. What cannot be read stays as it is; Validate and Compile refuse it.
func (r Restriction) Canonical() Restriction {
	out := r
	out.Scopes, out.Routes = tidy(r.Scopes), tidy(r.Routes)
	out.Resources = tidyEach(r.Resources, canonicalID)
	out.Fields = tidyEach(r.Fields, func(_, field string) string { return field })
	out.Addresses = tidy(mapped(r.Addresses, canonicalNet))
	if r.Hours != nil {
		h := *r.Hours
		h.Days = mapped(h.Days, strings.ToLower)
		slices.SortFunc(h.Days, func(a, b string) int { return cmp.Compare(slices.Index(days[:], a), slices.Index(days[:], b)) })
		h.Days = slices.Compact(h.Days)
		out.Hours = &h
	}
	return out
}

// MarshalJSON implements json.Marshaler. Equal restrictions have equal JSON.
func (r Restriction) MarshalJSON() ([]byte, error) {
	type plain Restriction
	return json.Marshal(plain(r.Canonical()))
}

// mapped returns a new list; nil stays nil, and empty stays empty.
func mapped(list []string, f func(string) string) []string {
	if list == nil {
		return nil
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

func tidy(list []string) []string {
	out := mapped(list, func(s string) string { return s })
	slices.Sort(out)
	return slices.Compact(out)
}

func tidyEach(m map[string][]string, f func(key, item string) string) map[string][]string {
	if m == nil {
		return nil
	}
	out := make(map[string][]string, len(m))
	for key, list := range m {
		if list == nil {
			list = []string{} // it is there, so it allows nothing
		}
		out[key] = tidy(mapped(list, func(s string) string { return f(key, s) }))
	}
	return out
}

// canonicalID takes leading zeros from a number. Settings may be written with
// underscores.
func canonicalID(kind, id string) string {
	if kind == KindSettings {
		return strings.ReplaceAll(id, "_", "-")
	}
	k := kindByName[kind]
	if k == nil || k.Named || strings.Trim(id, "0123456789") != "" || id == "" {
		return id
	}
	if trimmed := strings.TrimLeft(id, "0"); trimmed != "" {
		return trimmed
	}
	return "0"
}

// canonicalNet writes a network in one way; one that is a single address is
// written without its length.
func canonicalNet(s string) string {
	n, err := parseNet(s)
	switch {
	case err != nil:
		return s
	case n.IsSingleIP():
		return n.Addr().String()
	}
	return n.String()
}

// parseNet reads an address or a network. IPv4 in IPv6 is IPv4.
func parseNet(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return n, err
	}
	if n.Addr().Is4In6() {
		if n.Bits() < 96 {
			return n, errWideMapped
		}
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked(), nil
}
