package web

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/setting"
)

// restrictionForm is the form of a restriction, or the part of a form.
type restrictionForm struct {
	*form
	Scopes    []scopeRow
	Routes    []tick
	Resources []kindField
	Fields    []kindField
	Days      []tick
	Zones     []string
}

// scopeRow is a kind of resources with the scopes it has.
type scopeRow struct {
	Kind, Doc   string
	Read, Write *tick // nil when no route needs it
}

// tick is a box that can be ticked.
type tick struct {
	Value, Label string
	On           bool
}

// kindField is a field about one kind of resources.
type kindField struct {
	Name, Kind, Label, Value, Hint, Error string
}

// Open reports whether the form says more than "only read".
func (r restrictionForm) Open() bool {
	for name := range r.Values {
		field, _, _ := strings.Cut(name, "-")
		if slices.Contains([]string{"scope", "route", "day"}, field) || slices.Contains([]string{"resource", "field", "addresses", "rate_requests", "quota_requests", "hours_from"}, field) && r.text(name) != "" {
			return true
		}
	}
	return r.wrong("restriction")
}

// Wrong returns what is wrong with a part of the restriction. Errors of its
// members, such as the seconds of a rate limit, belong to it.
func (r restrictionForm) Wrong(part string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		if name == "restriction."+part || strings.HasPrefix(name, "restriction."+part+".") {
			out = append(out, r.Errors[name])
		}
	}
	return strings.Join(out, " ")
}

// Whole returns what is wrong with the restriction as a whole.
func (r restrictionForm) Whole() string { return r.Errors["restriction"] }

// bindable is the kinds whose single resources a restriction may name.
var bindable = []string{
	access.KindCollections, access.KindCards, access.KindDashboards, access.KindDatabases,
	access.KindPeople, access.KindGroups, access.KindKeys, access.KindSettings,
}

// restrictionForm describes the form of a restriction. now is the one there
// is: what it names, and what is filled in, is offered even when nothing else
// does, because what a form does not show is lost when it is saved.
func (p *page) restrictionForm(f *form, now access.Restriction) restrictionForm {
	words := p.site.Vocabulary()
	r := restrictionForm{form: f, Scopes: scopeRows(f, words.Scopes()), Fields: fieldRows(f, words, now), Zones: setting.Timezones()}
	for _, rt := range words.Routes() {
		r.Routes = append(r.Routes, tick{rt.Route, rt.Doc, f.has("route", rt.Route)})
	}
	for _, name := range now.Routes {
		if !words.HasRoute(name) {
			r.Routes = append(r.Routes, tick{name, "There is no such route any more", f.has("route", name)})
		}
	}
	slices.SortStableFunc(r.Routes, func(a, b tick) int { return strings.Compare(pathPart(a.Value), pathPart(b.Value)) })
	for _, k := range access.Kinds() {
		if _, named := now.Resources[k.Name]; named || slices.Contains(bindable, k.Name) || f.filled("resource-"+k.Name) {
			r.Resources = append(r.Resources, resourceField(f, k))
		}
	}
	for i, day := range weekdays {
		r.Days = append(r.Days, tick{day, weekdayNames[i], f.has("day", day)})
	}
	return r
}

// fieldRows are the kinds whose fields a restriction may bind.
func fieldRows(f *form, words *access.Vocabulary, now access.Restriction) []kindField {
	var out []kindField
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(now.Fields)), words.FieldKinds()...)))) {
		if _, named := now.Fields[kind]; !named && openKind(kind) && !f.filled("field-"+kind) {
			continue
		}
		out = append(out, kindField{
			Name: "field-" + kind, Kind: kind, Label: sentence(kind), Value: f.Get("field-" + kind), Hint: strings.Join(words.Fields(kind), ", "),
			Error: f.Errors["restriction.fields."+kind],
		})
	}
	return out
}

// pathPart returns the path of a route, by which people look for it.
func pathPart(route string) string { return route[strings.IndexByte(route, ' ')+1:] }

// openKind reports whether routes of the kind are open to everybody, so that
// binding their fields means little.
func openKind(name string) bool {
	return slices.ContainsFunc(access.Kinds(), func(k access.ResourceKind) bool { return k.Name == name && k.Open })
}

func resourceField(f *form, k access.ResourceKind) kindField {
	out := kindField{
		Name: "resource-" + k.Name, Kind: k.Name, Label: sentence(k.Name), Value: f.Get("resource-" + k.Name), Hint: "Ids, such as 7, 9",
		Error: f.Errors["restriction.resources."+k.Name],
	}
	switch {
	case k.Named:
		out.Hint = "Names, such as site-name"
	case k.Name == access.KindCollections:
		out.Hint = "Ids, such as 7, 9; each with all that lies in it"
	}
	return out
}

// The days of a week, as restrictions write them and as people read them.
var (
	weekdays     = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	weekdayNames = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
)

// scopeRows puts scopes into the order of their kinds. Those that nothing needs
// are shown only where they are chosen.
func scopeRows(f *form, scopes []string) []scopeRow {
	var out []scopeRow
	for _, k := range access.Kinds() {
		row := scopeRow{Kind: k.Name, Doc: k.Doc}
		for _, verb := range []access.Verb{access.Read, access.Write} {
			s := access.Scope{Resource: k.Name, Verb: verb}.String()
			c := &tick{Value: s, Label: sentence(string(verb)) + " " + k.Name, On: f.has("scope", s)}
			if !c.On && (k.Open || !slices.Contains(scopes, s)) {
				continue
			}
			if verb == access.Read {
				row.Read = c
			} else {
				row.Write = c
			}
		}
		if row.Read != nil || row.Write != nil {
			out = append(out, row)
		}
	}
	return out
}

// fillRestriction shows a restriction in a form.
func fillRestriction(f *form, r access.Restriction) {
	set := func(name string, list ...string) { f.Values[name] = list }
	if r.ReadOnly {
		set("read_only", "yes")
	}
	set("scope", r.Scopes...)
	set("route", r.Routes...)
	for kind, list := range r.Resources {
		set("resource-"+kind, strings.Join(list, ", "))
	}
	for kind, list := range r.Fields {
		set("field-"+kind, strings.Join(list, ", "))
	}
	set("addresses", strings.Join(r.Addresses, "\n"))
	if l := r.RateLimit; l != nil {
		set("rate_requests", idText(l.Requests))
		set("rate_seconds", idText(l.Seconds))
	}
	if q := r.Quota; q != nil {
		set("quota_requests", idText(q.Requests))
		set("quota_period", q.Period)
	}
	if h := r.Hours; h != nil {
		set("day", h.Days...)
		set("hours_from", h.From)
		set("hours_to", h.To)
		set("hours_zone", h.Zone)
	}
}

// readRestriction reads a restriction from a form. It returns an Invalid fault
// for what is no number; everything else is for the domain to judge.
func readRestriction(f *form) (access.Restriction, error) {
	r := access.Restriction{
		ReadOnly: f.Get("read_only") != "", Scopes: f.Values["scope"], Routes: f.Values["route"], Addresses: f.items("addresses"),
	}
	r.Resources, r.Fields = byKind(f, "resource-"), byKind(f, "field-")
	wrong := map[string]string{}
	count := func(field, part string) int64 {
		n, err := strconv.ParseInt(f.text(field), 10, 64)
		if err != nil {
			wrong["restriction."+part] = "Must be a whole number."
		}
		return n
	}
	if f.filled("rate_requests", "rate_seconds") {
		r.RateLimit = &access.RateLimit{Requests: count("rate_requests", "rate_limit.requests"), Seconds: count("rate_seconds", "rate_limit.seconds")}
	}
	if f.filled("quota_requests") {
		r.Quota = &access.Quota{Requests: count("quota_requests", "quota.requests"), Period: f.Get("quota_period")}
	}
	if f.filled("day", "hours_from", "hours_to") {
		r.Hours = &access.Hours{Days: f.Values["day"], From: f.text("hours_from"), To: f.text("hours_to"), Zone: f.text("hours_zone")}
	}
	if len(wrong) > 0 {
		return r, &fault.Error{Kind: fault.Invalid, Fields: wrong}
	}
	return r, nil
}

// byKind reads the fields whose names begin with a prefix and end with a kind.
func byKind(f *form, prefix string) map[string][]string {
	var out map[string][]string
	for name := range f.Values {
		kind, ok := strings.CutPrefix(name, prefix)
		if !ok || len(f.items(name)) == 0 {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[kind] = f.items(name)
	}
	return out
}

// restrictionJSON writes a restriction as it is stored and sent.
func restrictionJSON(r access.Restriction) string {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil { // a restriction is texts and numbers
		return ""
	}
	return string(raw)
}
