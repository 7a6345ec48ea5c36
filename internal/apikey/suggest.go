package apikey

import (
	"context"
	"maps"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/usage"
)

// Suggestion is the narrowest restriction that would have allowed all that a
// key really did.
type Suggestion struct {
	Since       time.Time
	Requests    int64 // that it stands on
	Restriction access.Restriction
	Addresses   []string // that the key was used from; a person decides whether to bind it to them
	Notes       []string // what was left open, and why
}

// maxSuggestedRoutes is from where on single routes are not worth naming.
const maxSuggestedRoutes = 40

// Suggest proposes a restriction from what a key called since a time. The
// conditions that the key has stay. It returns NotFound and Forbidden.
func (s *Service) Suggest(ctx context.Context, who *access.Principal, id int64, since time.Time) (Suggestion, error) {
	if err := access.RequireAdmin(who); err != nil {
		return Suggestion{}, err
	}
	key, err := s.one(ctx, id)
	if err != nil {
		return Suggestion{}, err
	}
	facts, err := s.usage.Facts(ctx, id, since)
	if err != nil {
		return Suggestion{}, err
	}
	out := Suggestion{Since: since, Requests: facts.Requests}
	for _, a := range facts.Addresses {
		out.Addresses = append(out.Addresses, a.String())
	}
	if facts.ManyAddresses {
		out.Addresses = nil
		out.Notes = append(out.Notes, "The key was used from too many addresses to list.")
	}
	out.Restriction = out.narrow(facts, s.words(), key.Restriction)
	return out, nil
}

// narrow builds the restriction on the conditions of the one there is.
func (g *Suggestion) narrow(f usage.Facts, words *access.Vocabulary, now access.Restriction) access.Restriction {
	out := access.Restriction{Addresses: now.Addresses, RateLimit: now.RateLimit, Quota: now.Quota, Hours: now.Hours}
	called := calledRoutes(f, words)
	if len(called) == 0 {
		g.Notes = append(g.Notes, "No call that succeeded tells what the key needs, so there is nothing to learn from.")
		return now
	}
	out.Scopes, out.ReadOnly = scopesOf(called, f)
	if len(called) <= maxSuggestedRoutes {
		for _, rt := range called {
			out.Routes = append(out.Routes, rt.Route)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(f.Refs)) {
		switch {
		case slices.Contains(f.Many, kind):
			g.Notes = append(g.Notes, "The key touched too many of the kind "+kind+" to bind it to single ones.")
		case unnamed(called, kind) != "":
			g.Notes = append(g.Notes, "The key is not bound to single ones of the kind "+kind+", because it called "+unnamed(called, kind)+", which names none.")
		case access.CanBind(kind):
			out.Resources = put(out.Resources, kind, f.Refs[kind])
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(f.Writes)) {
		if !slices.Contains(f.ManyFields, kind) && alwaysWrites(called, kind) {
			out.Fields = put(out.Fields, kind, f.Writes[kind])
		}
	}
	if !out.Within(now) {
		g.Notes = append(g.Notes, "The key's restriction is narrower than this already in some part.")
	}
	return out.Canonical()
}

func put(m map[string][]string, kind string, list []string) map[string][]string {
	if m == nil {
		m = map[string][]string{}
	}
	m[kind] = list
	return m
}

// calledRoutes returns the declarations of the routes that were called. Those
// that need no scope are open to every key.
func calledRoutes(f usage.Facts, words *access.Vocabulary) []access.DeclaredRoute {
	var out []access.DeclaredRoute
	for _, rt := range words.Routes() {
		open := rt.Policy.Who == access.Anyone || rt.Policy.Scope.Resource == access.KindSelf && rt.Policy.Scope.Verb == access.Read
		if !open && slices.ContainsFunc(f.Routes, func(c usage.RouteCount) bool { return c.Route == rt.Route }) {
			out = append(out, rt)
		}
	}
	return out
}

// scopesOf returns the scopes that the routes and the fields written need, and
// whether all of them read.
func scopesOf(called []access.DeclaredRoute, f usage.Facts) (scopes []string, readOnly bool) {
	readOnly = true
	for _, rt := range called {
		readOnly = readOnly && rt.Policy.Scope.Verb == access.Read
		for _, kind := range kindsOf(rt, f) {
			if kind != access.KindSelf {
				scopes = append(scopes, access.Scope{Resource: kind, Verb: rt.Policy.Scope.Verb}.String())
			}
			for _, field := range f.Writes[kind] {
				if more, ok := rt.FieldScopes[field]; ok {
					scopes = append(scopes, more.String())
				}
			}
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), readOnly
}

// kindsOf returns the kinds that the calls of a route were about: where it knows
// several, those of which resources were named, and all when none was.
func kindsOf(rt access.DeclaredRoute, f usage.Facts) []string {
	all := rt.Kinds()
	if len(all) == 1 {
		return all
	}
	named := slices.DeleteFunc(slices.Clone(all), func(kind string) bool {
		return len(f.Refs[kind]) == 0 && !slices.Contains(f.Many, kind)
	})
	if len(named) == 0 {
		return all
	}
	return named
}

// unnamed returns a route that touches the kind and names no single ones of it.
func unnamed(called []access.DeclaredRoute, kind string) string {
	for _, rt := range called {
		if rt.TouchesKind(kind) && !rt.CanName(kind) {
			return rt.Route
		}
	}
	return ""
}

// alwaysWrites reports whether every route that writes the kind says which
// fields it writes.
func alwaysWrites(called []access.DeclaredRoute, kind string) bool {
	for _, rt := range called {
		if slices.Contains(rt.Kinds(), kind) && rt.Policy.Scope.Verb == access.Write && len(rt.Fields) == 0 {
			return false
		}
	}
	return true
}
