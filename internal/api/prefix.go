package api

import (
	"strings"

	"latchkey/internal/endpoint"
)

// prefixes are the second segments of paths that stand behind the wall of
// contract/identity.md 0.1: without credentials, anything below them is 401,
// whether it exists or not.
type prefixes map[string]bool

// metabasePrefixes are those of Metabase, also where we have no route yet
// (contract/content-data.md 1.1).
const metabasePrefixes = `action activity alert analytics api-key automagic-dashboards bookmark bug-reporting cache
card cards channel cloud-migration collection dashboard database dataset eid-translation email field google ldap logger
login-history model-index native-query-snippet notification permissions persist premium-features preview_embed
product-feedback pulse revision search segment setting slack table task tiles timeline timeline-event upload user
user-key-value`

// openPrefixes have no wall: their endpoints decide for themselves, and an
// unknown path below them is 404 for everybody.
const openPrefixes = `docs ee embed geojson health notify public session setup testing util`

func newPrefixes(t *endpoint.Table) prefixes {
	p := prefixes{}
	for name := range strings.FieldsSeq(metabasePrefixes) {
		p[name] = true
	}
	for _, rt := range t.Routes() {
		if name := prefixOf(rt.Path); name != "" {
			p[name] = true
		}
	}
	for name := range strings.FieldsSeq(openPrefixes) {
		delete(p, name)
	}
	return p
}

func (p prefixes) walled(path string) bool { return p[prefixOf(path)] }

// prefixOf returns the segment after /api/, or "" when there is none.
func prefixOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
