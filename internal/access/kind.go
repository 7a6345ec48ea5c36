package access

import (
	"maps"
	"slices"
)

// ResourceKind is a kind of thing that routes are about and restrictions speak
// of. The list is fixed: a route or a restriction that names another kind is
// refused.
type ResourceKind struct {
	Name    string   // people, groups, …
	Doc     string   // what it is, in a few words
	Touches []string // the kinds that every route of this kind shows or changes as well
	PartOf  string   // the kind whose fields it holds apart: passwords are fields of people
	Bound   bool     // single ones can be named in a restriction's resources
	Named   bool     // they are named by words, not by numbers
	Open    bool     // its routes are open to everybody, so no scope is needed
}

// The kinds of resources.
const (
	KindPeople      = "people"
	KindGroups      = "groups"
	KindMemberships = "memberships"
	KindKeys        = "keys"
	KindPolicies    = "policies"
	KindSettings    = "settings"
	KindPasswords   = "passwords"
	KindSessions    = "sessions"
	KindAudit       = "audit"
	KindCollections = "collections"
	KindCards       = "cards"
	KindDashboards  = "dashboards"
	KindSnippets    = "snippets"
	KindTimelines   = "timelines"
	KindDatabases   = "databases"
	KindQueries     = "queries"
	KindSelf        = "self"
	KindSession     = "session"
	KindSetup       = "setup"
	KindHealth      = "health"
	KindDocs        = "docs"
)

// kinds is the one table of kinds. Nobody writes into it.
var kinds = []ResourceKind{
	{Name: KindPeople, Doc: "people and the users behind keys", Bound: true},
	{Name: KindGroups, Doc: "permission groups", Bound: true},
	{Name: KindMemberships, Doc: "who is in which group, keys too", Touches: []string{KindGroups, KindPeople, KindKeys}, Bound: true},
	{Name: KindKeys, Doc: "API keys", Touches: []string{KindGroups, KindPeople}, Bound: true},
	{Name: KindPolicies, Doc: "policies for keys, by group", Touches: []string{KindGroups}, Bound: true},
	{Name: KindSettings, Doc: "settings of the instance, by name", Bound: true, Named: true},
	{Name: KindPasswords, Doc: "people's passwords", Touches: []string{KindPeople}, PartOf: KindPeople},
	{Name: KindSessions, Doc: "people's sessions", Touches: []string{KindPeople}},
	{
		Name: KindAudit, Doc: "the audit log, which tells about everything",
		Touches: []string{KindPeople, KindGroups, KindMemberships, KindKeys, KindPolicies, KindSettings, KindSessions,
			KindCollections, KindCards, KindDashboards, KindSnippets, KindTimelines, KindDatabases},
	},
	{
		Name: KindCollections, Doc: "collections, each with all that lies in it", Bound: true,
		Touches: []string{KindCards, KindDashboards, KindSnippets, KindTimelines},
	},
	{Name: KindCards, Doc: "questions, models and metrics", Touches: []string{KindCollections}, Bound: true},
	{Name: KindDashboards, Doc: "dashboards with their cards", Touches: []string{KindCollections, KindCards}, Bound: true},
	{Name: KindSnippets, Doc: "pieces of SQL that questions share", Touches: []string{KindCollections}, Bound: true},
	{Name: KindTimelines, Doc: "timelines and their events", Touches: []string{KindCollections}, Bound: true},
	{Name: KindDatabases, Doc: "connected databases, their tables and fields", Bound: true},
	{Name: KindQueries, Doc: "running queries that are not saved", Touches: []string{KindDatabases}},
	{Name: KindSelf, Doc: "the caller itself", Open: true},
	{Name: KindSession, Doc: "signing in and out", Open: true},
	{Name: KindSetup, Doc: "setting up the instance", Open: true},
	{Name: KindHealth, Doc: "the state of the server", Open: true},
	{Name: KindDocs, Doc: "the documents of the API", Open: true},
}

var kindByName = func() map[string]*ResourceKind {
	m := make(map[string]*ResourceKind, len(kinds))
	for i := range kinds {
		m[kinds[i].Name] = &kinds[i]
	}
	return m
}()

// Kinds returns all kinds of resources.
func Kinds() []ResourceKind { return slices.Clone(kinds) }

// KnownKind reports whether there is a kind of the name.
func KnownKind(name string) bool { return kindByName[name] != nil }

// kindNamesWhere lists the kinds that match, for messages.
func kindNamesWhere(match func(*ResourceKind) bool) []string {
	var out []string
	for name := range maps.Keys(kindByName) {
		if match(kindByName[name]) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// touches reports whether every route of the kind shows or changes the other.
func touches(kind, other string) bool {
	if kind == other {
		return true
	}
	k := kindByName[kind]
	return k != nil && slices.Contains(k.Touches, other)
}
