package v1

import (
	"context"
	"net/http"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
)

func (a *API) vocabularyEndpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/v1/vocabulary", "List all that a key's restriction may speak of",
			access.Public(access.KindDocs, access.Read), a.getVocabulary),
	}
}

// vocabulary is what a restriction may name.
type vocabulary struct {
	Scopes []string          `json:"scopes"`
	Kinds  []vocabularyKind  `json:"kinds"`
	Routes []vocabularyRoute `json:"routes"`
}

// vocabularyKind is a kind of resources.
type vocabularyKind struct {
	Name    string        `json:"name"`
	Doc     string        `json:"doc"`
	Verbs   []access.Verb `json:"verbs"`   // those of its scopes; none for a kind that needs no scope
	Bound   bool          `json:"bound"`   // single ones may be named in resources
	ByName  bool          `json:"by_name"` // they are named by words, not by numbers
	Touches []string      `json:"touches"` // the kinds that its routes show or change as well
	Fields  []string      `json:"fields"`  // those that some route writes
}

// vocabularyRoute is a declared route.
type vocabularyRoute struct {
	Route       string   `json:"route"` // as it stands in a restriction's routes
	Doc         string   `json:"doc"`
	Who         string   `json:"who"` // the callers that it lets in at all
	Scope       string   `json:"scope"`
	ExtraScopes []string `json:"extra_scopes"` // that some of its fields need
	Touches     []string `json:"touches"`      // the kinds that it shows or changes beside its scope's
	Names       []string `json:"names"`        // the kinds whose resources a call can name
	Fields      []string `json:"fields"`       // that it writes
}

func (a *API) getVocabulary(context.Context, *endpoint.Call, endpoint.None) (vocabulary, error) {
	out := vocabulary{Scopes: a.vocabulary.Scopes()}
	for _, k := range access.Kinds() {
		out.Kinds = append(out.Kinds, vocabularyKind{
			Name: k.Name, Doc: k.Doc, Verbs: verbsOf(k.Name, out.Scopes), Bound: k.Bound, ByName: k.Named,
			Touches: orEmpty(k.Touches), Fields: orEmpty(a.vocabulary.Fields(k.Name)),
		})
	}
	for _, rt := range a.vocabulary.Routes() {
		out.Routes = append(out.Routes, vocabularyRoute{
			Route: rt.Route, Doc: rt.Doc, Who: rt.Policy.Who.String(), Scope: rt.Policy.Scope.String(),
			ExtraScopes: scopeTexts(rt.Extra), Touches: orEmpty(rt.Policy.Touches), Names: orEmpty(rt.Names), Fields: orEmpty(rt.Fields),
		})
	}
	return out, nil
}

// verbsOf returns the verbs that a kind has among the scopes.
func verbsOf(kind string, scopes []string) []access.Verb {
	verbs := []access.Verb{}
	for _, v := range []access.Verb{access.Read, access.Write} {
		if slices.Contains(scopes, access.Scope{Resource: kind, Verb: v}.String()) {
			verbs = append(verbs, v)
		}
	}
	return verbs
}

func scopeTexts(scopes []access.Scope) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = s.String()
	}
	return out
}

// orEmpty makes [] of a list that is not there.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
