package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// graphEndpoints are the routes of the permission graph
// (contract/content-data.md 2.11). Who changes it needs the scope of groups
// too: it says what their members may see.
func (r collectionRoutes) graphEndpoints() []endpoint.Endpoint {
	read := access.Admin("collections", access.Read).Touching("groups")
	write := access.Admin("collections", access.Write).Touching("groups")
	return []endpoint.Endpoint{
		endpoint.Naming(endpoint.New("GET", "/api/collection/graph", "Get the permissions of all groups on all collections", read, r.graph),
			boundGroups, access.KindGroups),
		endpoint.New("PUT", "/api/collection/graph", "Set permissions of groups on collections; what is not named stays", write, r.setGraph),
	}
}

type setGraphInput struct {
	Force        opt.Value[bool]   `query:"force"`
	SkipGraph    opt.Value[bool]   `query:"skip-graph"`
	SkipGraphOld opt.Value[bool]   `query:"skip_graph"`
	Namespace    opt.Value[string] `json:"namespace"`
	Revision     opt.Value[int64]  `json:"revision"`
	Groups       map[string]any    `json:"groups" kind:"groups" scope:"groups:write"`
}

// boundGroups names the groups that a key is bound to, or would be by the
// restriction on trial: the graph shows it those alone.
func boundGroups(_ context.Context, c *endpoint.Call, _ namespaceInput) ([]access.Ref, error) {
	ids := c.Who.Limits.Restriction().Resources[access.KindGroups]
	if ids == nil {
		ids = c.Who.Trial.Restriction().Resources[access.KindGroups]
	}
	var out []access.Ref
	for _, id := range ids {
		out = append(out, access.NewRef(access.KindGroups, id))
	}
	return out, nil
}

// wireGraph is the graph in documents; collectionGraph writes the same.
type wireGraph struct {
	Revision int64                        `json:"revision"`
	Groups   map[string]map[string]string `json:"groups,omitempty"`
}

func (r collectionRoutes) graph(ctx context.Context, c *endpoint.Call, in namespaceInput) (collectionGraph, error) {
	g, err := r.content.Graph(ctx, c.Who, namespaceOf(in.Namespace))
	return collectionGraph{g, true}, err
}

func (r collectionRoutes) setGraph(ctx context.Context, c *endpoint.Call, in setGraphInput) (collectionGraph, error) {
	grants, err := readGrants(in.Groups)
	if err != nil {
		return collectionGraph{}, err
	}
	namespace := namespaceOf(in.Namespace)
	revision, err := r.content.UpdateGraph(ctx, c.Who, content.GraphChange{
		Namespace: namespace, Revision: in.Revision, Force: in.Force.V, Grants: grants,
	})
	if err != nil || oneOf(in.SkipGraph, in.SkipGraphOld) {
		return collectionGraph{content.Graph{Revision: revision}, false}, err
	}
	g, err := r.content.Graph(ctx, c.Who, namespace)
	return collectionGraph{g, true}, err
}

// readGrants reads the groups of a graph. It returns Invalid, with what is
// wrong and where.
func readGrants(groups map[string]any) ([]content.Grant, error) {
	var out []content.Grant
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		id, err := strconv.ParseInt(group, 10, 64)
		places, ok := groups[group].(map[string]any)
		if err != nil || !ok {
			return nil, fault.Field("groups", "%q is no id of a group with a map of collections.", shortened(group))
		}
		for _, place := range slices.Sorted(maps.Keys(places)) {
			g := content.Grant{GroupID: id}
			level, _ := places[place].(string)
			if g.CollectionID, err = placeOf(place); err != nil {
				return nil, err
			}
			if g.Level, ok = levelOf(level); !ok {
				return nil, fault.Field("groups", "The permission of group %d on collection %s must be \"write\", \"read\" or \"none\".", id, place)
			}
			out = append(out, g)
		}
	}
	return out, nil
}

func placeOf(key string) (int64, error) {
	if key == "root" {
		return access.RootCollection, nil
	}
	id, err := strconv.ParseInt(key, 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.Field("groups", "%q is no id of a collection, and not \"root\".", shortened(key))
	}
	return id, nil
}

func levelOf(word string) (access.CollectionLevel, bool) {
	switch word {
	case "write":
		return access.Curate, true
	case "read":
		return access.View, true
	case "none":
		return access.NoCollection, true
	}
	return access.NoCollection, false
}

// shortened is the beginning of a text that somebody sent.
func shortened(s string) string {
	const shown = 40
	runes := []rune(s)
	return string(runes[:min(len(runes), shown)])
}

// collectionGraph writes a graph by hand and as it goes: with many groups and
// collections it has millions of entries.
type collectionGraph struct {
	graph content.Graph
	whole bool // not the revision alone
}

// Documents implements endpoint.Documented.
func (collectionGraph) Documents() any { return wireGraph{} }

// Respond implements endpoint.Responder.
func (g collectionGraph) Respond(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = []string{"application/json; charset=utf-8"}
	b := make([]byte, 0, graphPart+entrySize)
	b = append(append(b, `{"revision":`...), strconv.FormatInt(g.graph.Revision, 10)...)
	if g.whole {
		b = append(g.writeGroups(w, append(b, `,"groups":{`...)), '}')
	}
	_, _ = w.Write(append(b, '}')) // a client that went away is nobody's error
}

const (
	graphPart = 256 << 10 // how much of a graph is written at once
	entrySize = 32        // no entry is longer: an id has at most 19 digits
)

// entry is what stands for a level of a group in a collection, behind a comma.
// All have one size, so that they are copied in few instructions.
type entry struct {
	text   [entrySize]byte
	length int
}

func newEntry(place int64, level string) entry {
	key := strconv.FormatInt(place, 10)
	if place == access.RootCollection {
		key = "root"
	}
	var e entry
	e.length = copy(e.text[:], `,"`+key+`":"`+level+`"`)
	return e
}

// entries returns what stands for View and Curate, for every place of the graph.
func (g collectionGraph) entries() [][2]entry {
	out := make([][2]entry, len(g.graph.Places))
	for i, id := range g.graph.Places {
		out[i] = [...]entry{newEntry(id, "read"), newEntry(id, "write")}
	}
	return out
}

// writeGroups writes the groups behind what b holds, part by part, and returns
// the rest. Groups without a level have no entry.
func (g collectionGraph) writeGroups(w http.ResponseWriter, b []byte) []byte {
	entries := g.entries()
	first := true
	g.graph.Walk(func(group int64, levels []access.CollectionLevel) {
		begun := false
		for i, level := range levels {
			if level == access.NoCollection {
				continue
			}
			if len(b) >= graphPart {
				_, _ = w.Write(b)
				b = b[:0]
			}
			e := &entries[i][level-access.View]
			if !begun {
				b = append(openGroup(b, group, first), e.text[1:e.length]...)
				begun, first = true, false
				continue
			}
			n := len(b)
			b = b[:n+entrySize]
			*(*[entrySize]byte)(b[n:]) = e.text
			b = b[:n+e.length]
		}
		if begun {
			b = append(b, '}')
		}
	})
	return b
}

// openGroup begins the object of a group.
func openGroup(b []byte, group int64, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	return append(strconv.AppendInt(append(b, '"'), group, 10), `":{`...)
}
