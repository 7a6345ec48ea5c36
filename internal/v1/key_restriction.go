package v1

import (
	"context"
	"net/http"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/endpoint"
	"latchkey/internal/opt"
	"latchkey/internal/usage"
)

// keyRestrictionEndpoints returns the routes of what keys may do less than
// their groups.
func keyRestrictionEndpoints(k keyRoutes) []endpoint.Endpoint {
	return []endpoint.Endpoint{
		aboutKey(k, http.MethodPut, "/restriction", "Replace the restriction of a key; {} takes it away", access.Write, k.restrict),
		aboutKey(k, http.MethodGet, "/trial", "Say what the restriction on trial would have refused", access.Read, k.trial),
		aboutKey(k, http.MethodPut, "/trial", "Put a restriction on trial: it reports and refuses nothing", access.Write, k.setTrial),
		aboutKey(k, http.MethodDelete, "/trial", "Take the restriction off trial", access.Write, k.endTrial),
		aboutKey(k, http.MethodPost, "/trial/enforce", "Make the restriction on trial the restriction of the key", access.Write, k.enforceTrial),
		aboutKey(k, http.MethodGet, "/suggestion", "Propose the narrowest restriction that would have allowed what the key did", access.Read, k.suggest),
	}
}

// restrictInput is a restriction in place of the one there is.
type restrictInput struct {
	keyInput
	Restriction access.Restriction `json:"*" as:"restriction"`
}

func (k keyRoutes) restrict(ctx context.Context, c *endpoint.Call, in restrictInput) (wireKey, error) {
	key, err := k.keys.SetRestriction(ctx, c.Who, in.ID, in.Restriction)
	return k.views.one(ctx, c.Who, key, err)
}

// trialInput is a restriction to be put on trial.
type trialInput struct {
	keyInput
	Restriction access.Restriction `json:"*" as:"trial"`
}

func (k keyRoutes) setTrial(ctx context.Context, c *endpoint.Call, in trialInput) (wireKey, error) {
	key, err := k.keys.SetTrial(ctx, c.Who, in.ID, in.Restriction)
	return k.views.one(ctx, c.Who, key, err)
}

func (k keyRoutes) endTrial(ctx context.Context, c *endpoint.Call, in keyInput) (endpoint.None, error) {
	_, err := k.keys.EndTrial(ctx, c.Who, in.ID)
	return endpoint.None{}, err
}

func (k keyRoutes) enforceTrial(ctx context.Context, c *endpoint.Call, in keyInput) (wireKey, error) {
	key, err := k.keys.EnforceTrial(ctx, c.Who, in.ID)
	return k.views.one(ctx, c.Who, key, err)
}

// trialReport is what a restriction on trial found. Without a trial both are
// null and nothing is found.
type trialReport struct {
	Restriction *access.Restriction `json:"restriction"`
	Since       *time.Time          `json:"since"`
	Total       int64               `json:"total"` // requests that it would have refused
	Refusals    []trialRefusal      `json:"refusals"`
}

// trialRefusal is how often a route would have been refused for a reason.
type trialRefusal struct {
	Code   string    `json:"code"`
	Route  string    `json:"route"` // "" for routes that there are not
	Count  int64     `json:"count"`
	LastAt time.Time `json:"last_at"`
}

func (k keyRoutes) trial(ctx context.Context, c *endpoint.Call, in keyInput) (trialReport, error) {
	key, err := k.keys.GetAny(ctx, c.Who, in.ID)
	if err != nil {
		return trialReport{}, err
	}
	out := trialReport{Restriction: key.Trial, Since: key.TrialSince, Refusals: []trialRefusal{}}
	if key.TrialSince == nil {
		return out, nil
	}
	found, err := k.views.usage.TrialRefusals(ctx, in.ID, *key.TrialSince)
	for _, r := range found {
		out.Total += r.N
		out.Refusals = append(out.Refusals, showTrialCount(r))
	}
	return out, err
}

func showTrialCount(r usage.TrialCount) trialRefusal {
	return trialRefusal{Code: r.Reason, Route: r.Route, Count: r.N, LastAt: r.Last}
}

// suggestInput says how far to look back.
type suggestInput struct {
	keyInput
	Since opt.Value[string] `query:"since" rule:"date-time,notnull"` // 30 days ago when absent
}

// suggestion is a proposal; its restriction can be put on trial as it is.
type suggestion struct {
	Since       time.Time          `json:"since"`
	Requests    int64              `json:"requests"` // that it stands on
	Restriction access.Restriction `json:"restriction"`
	Addresses   []string           `json:"addresses"` // that the key was used from
	Notes       []string           `json:"notes"`     // what was left open, and why
}

// lookBack is how far evidence reaches when nobody says how far.
const lookBack = 30 * 24 * time.Hour

func (k keyRoutes) suggest(ctx context.Context, c *endpoint.Call, in suggestInput) (suggestion, error) {
	since := k.views.clock.Now().Add(-lookBack)
	if t := optionalTime(in.Since); t != nil {
		since = *t
	}
	g, err := k.keys.Suggest(ctx, c.Who, in.ID, since)
	return showSuggestion(g), err
}

func showSuggestion(g apikey.Suggestion) suggestion {
	return suggestion{
		Since: g.Since, Requests: g.Requests, Restriction: g.Restriction,
		Addresses: orEmpty(g.Addresses), Notes: orEmpty(g.Notes),
	}
}
