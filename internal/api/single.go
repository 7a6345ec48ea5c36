package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/bulk"
	"latchkey/internal/content"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/group"
)

// singleCall is a call of this API.
type singleCall struct {
	method, path string
	body         map[string]any // nil for none
}

// Single returns what plans operations of bulk calls: what the call of this API,
// by the table of its routes, that does the same would want. With that, a key is
// judged alike whether it does one thing or many at once.
func Single(table *endpoint.Table, groups *group.Service) bulk.Planner {
	return func(ctx context.Context, who *access.Principal, o *bulk.Operation) (access.Request, bool, error) {
		call, ok, err := singleOf(ctx, groups, o)
		if err != nil || !ok {
			return access.Request{}, false, err
		}
		var body []byte
		if call.body != nil {
			if body, err = json.Marshal(call.body); err != nil {
				return access.Request{}, false, fault.Wrap(err, "write a single call")
			}
		}
		rt, req, err := table.Plan(ctx, who, call.method, call.path, body)
		if rt == nil {
			return req, false, err
		}
		if o.Op == bulk.RemoveMembership {
			// The operation names both ends itself, where the single call names the membership.
			req.Refs = append(req.Refs, access.NewRef(access.KindGroups, idText(o.Group.ID)), access.NewRef(access.KindPeople, idText(o.User.ID)))
		}
		return req, true, badInput(err)
	}
}

// badInput turns what a call would be refused for into a fault, so that an
// operation whose rights cannot be told is refused for the same.
func badInput(err error) error {
	e, ok := errors.AsType[*endpoint.ValidationError](err)
	if !ok {
		return err
	}
	f := &fault.Error{Kind: fault.Invalid, Fields: map[string]string{}}
	for _, field := range e.Fields {
		f.Fields[field.Name] = "The value is not valid."
	}
	return f
}

// singleOf returns the call that does what an operation does.
func singleOf(ctx context.Context, groups *group.Service, o *bulk.Operation) (singleCall, bool, error) {
	switch o.Op {
	case bulk.CreateGroup:
		return singleCall{http.MethodPost, "/api/permissions/group", map[string]any{"name": o.Name}}, true, nil
	case bulk.CreatePerson:
		return singleCall{http.MethodPost, "/api/user", personBody(o)}, true, nil
	case bulk.UpdatePerson:
		return singleCall{http.MethodPut, "/api/user/" + idText(o.User.ID), personBody(o)}, true, nil
	case bulk.AddMembership:
		return singleCall{http.MethodPost, "/api/permissions/membership", map[string]any{"group_id": o.Group.ID, "user_id": o.User.ID}}, true, nil
	case bulk.RemoveMembership:
		id, err := groups.MembershipID(ctx, group.Pair{GroupID: o.Group.ID, UserID: o.User.ID})
		return singleCall{http.MethodDelete, "/api/permissions/membership/" + idText(id), nil}, true, err
	case bulk.SetPermission:
		return singleCall{http.MethodPut, "/api/collection/graph?force=true&skip-graph=true", grantBody(o)}, true, nil
	}
	return itemCall(o)
}

// grantBody is the part of the permission graph that an operation writes.
func grantBody(o *bulk.Operation) map[string]any {
	place := "root"
	if o.Collection.ID != 0 {
		place = idText(o.Collection.ID)
	}
	level := map[string]string{"view": "read", "curate": "write"}[o.Level]
	return map[string]any{"groups": map[string]any{idText(o.Group.ID): map[string]any{place: cmp.Or(level, "none")}}}
}

// itemPaths are the routes of items by their kind.
var itemPaths = map[string]string{
	string(content.Collection): "/api/collection/",
	string(content.Card):       "/api/card/",
	string(content.Dashboard):  "/api/dashboard/",
	string(content.Snippet):    "/api/native-query-snippet/",
	string(content.Timeline):   "/api/timeline/",
}

// itemCall returns the call that does to an item what an operation does. There
// is no call that deletes a snippet, so whoever may archive one may delete it.
func itemCall(o *bulk.Operation) (singleCall, bool, error) {
	path, ok := itemPaths[o.Kind]
	path += idText(o.Item.ID)
	switch {
	case !ok:
		return singleCall{}, false, nil
	case o.Op == bulk.Delete && o.Kind != string(content.Snippet):
		return singleCall{http.MethodDelete, path, nil}, true, nil
	case o.Op == bulk.Archive, o.Op == bulk.Delete:
		return singleCall{http.MethodPut, path, map[string]any{"archived": true}}, true, nil
	case o.Op == bulk.Restore:
		body := map[string]any{}
		if o.Placed {
			body = placeBody(o)
		}
		body["archived"] = false
		return singleCall{http.MethodPut, path, body}, true, nil
	case o.Op == bulk.Move:
		return singleCall{http.MethodPut, path, placeBody(o)}, true, nil
	}
	return singleCall{}, false, nil
}

// placeBody is the body of a call that moves an item. Collections lie in their
// parent, other items in their collection; the root is null.
func placeBody(o *bulk.Operation) map[string]any {
	name, to := "collection_id", any(nil)
	if o.Kind == string(content.Collection) {
		name = "parent_id"
	}
	if o.Collection.ID != 0 {
		to = o.Collection.ID
	}
	return map[string]any{name: to}
}

// personBody is the body of a call that makes or changes a person: what is not
// given is not in it, and so needs no right.
func personBody(o *bulk.Operation) map[string]any {
	body := map[string]any{}
	if o.Email != "" {
		body["email"] = o.Email
	}
	if o.First != nil {
		body["first_name"] = *o.First
	}
	if o.Last != nil {
		body["last_name"] = *o.Last
	}
	if len(o.Groups) > 0 {
		list := []any{map[string]any{"id": access.AllUsers}}
		for _, g := range o.Groups {
			list = append(list, map[string]any{"id": g.ID})
		}
		body["user_group_memberships"] = list
	}
	return body
}
