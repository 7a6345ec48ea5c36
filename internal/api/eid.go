package api

import (
	"context"
	"slices"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/content/dashboard"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/naming"
)

// The models whose entity ids clients ask for. Those that are not here have no
// entity ids of ours, so none is ever found.
const eidModels = "action card collection dashboard dashboard-card dashboard-tab dataset dimension document measure metric " +
	"permissions-group pulse pulse-card pulse-channel segment snippet timeline transform user"

// The states of a translation.
const (
	eidOK      = "ok"
	eidUnknown = "not-found"
	eidInvalid = "invalid-format"
)

type translateInput struct {
	EntityIDs map[string]any `json:"entity_ids"`
}

type wireTranslations struct {
	EntityIDs map[string]wireTranslation `json:"entity_ids"`
}

// wireTranslation is the number that an entity id stands for.
type wireTranslation struct {
	ID     int64  `json:"id,omitempty"`
	Type   string `json:"type"`
	Status string `json:"status"`
}

type eidRoutes struct {
	content *content.Service
	groups  *group.Service
	boards  *dashboard.Service
}

// EntityIDEndpoints returns the route that translates entity ids into numbers
// (contract/content-data.md 8.6).
func EntityIDEndpoints(c *content.Service, g *group.Service, boards *dashboard.Service) []endpoint.Endpoint {
	r := eidRoutes{c, g, boards}
	policy := access.Authenticated("collections", access.Read).Touching("groups").ByCollection()
	return []endpoint.Endpoint{
		endpoint.New("POST", "/api/eid-translation/translate", "Translate entity ids into numbers", policy, r.translate),
	}
}

// translate finds nothing that the caller may not see.
func (r eidRoutes) translate(ctx context.Context, c *endpoint.Call, in translateInput) (wireTranslations, error) {
	out := wireTranslations{EntityIDs: map[string]wireTranslation{}}
	for model, list := range in.EntityIDs {
		ids, err := entityIDs(model, list)
		if err != nil {
			return out, err
		}
		known, err := r.known(ctx, c.Who, model, ids)
		if err != nil {
			return out, err
		}
		for _, eid := range ids {
			t := wireTranslation{ID: known[eid], Type: model, Status: eidUnknown}
			switch {
			case t.ID != 0:
				t.Status = eidOK
			case !naming.IsEntityID(eid):
				t.Status = eidInvalid
			}
			out.EntityIDs[eid] = t
		}
	}
	return out, nil
}

// entityIDs reads the ids of a model. It returns Invalid at "entity_ids".
func entityIDs(model string, list any) ([]string, error) {
	if !slices.Contains(strings.Fields(eidModels), model) {
		return nil, fault.Field("entity_ids", "the keys must be among %s", strings.ReplaceAll(eidModels, " ", ", "))
	}
	items, ok := list.([]any)
	if !ok {
		return nil, fault.Field("entity_ids", "%s must be a list of entity ids", model)
	}
	out := make([]string, len(items))
	for i, v := range items {
		if out[i], ok = v.(string); !ok {
			return nil, fault.Field("entity_ids", "%s must be a list of entity ids", model)
		}
	}
	return out, nil
}

// known returns the numbers of the entity ids that the caller may know.
func (r eidRoutes) known(ctx context.Context, who *access.Principal, model string, eids []string) (map[string]int64, error) {
	out := map[string]int64{}
	kind := content.Kind(model)
	switch model {
	case "permissions-group":
		for _, g := range r.groups.Snapshot().ByName {
			if who.IsAdmin() && g.EntityID != "" {
				out[g.EntityID] = g.ID
			}
		}
		return out, nil
	case "dashboard-card":
		return r.boards.Parts(ctx, who, dashboard.CardPart, eids)
	case "dashboard-tab":
		return r.boards.Parts(ctx, who, dashboard.TabPart, eids)
	case string(content.ModelDataset), string(content.ModelMetric):
		kind = content.Card
	case string(content.Card), string(content.Collection), string(content.Dashboard), string(content.Snippet), string(content.Timeline):
	default:
		return out, nil
	}
	items, err := r.content.ByEntities(ctx, kind, eids)
	if err != nil {
		return nil, err
	}
	for eid, i := range items {
		level, err := r.content.LevelOf(ctx, who, i)
		if err != nil {
			return nil, fault.Wrap(err, "decide")
		}
		if level >= access.View {
			out[eid] = i.ID
		}
	}
	return out, nil
}
