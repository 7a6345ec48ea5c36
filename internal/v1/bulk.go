package v1

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/bulk"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// BulkEndpoints returns the route that does many things in one call. Anybody
// who is known may call it: each operation is judged for itself.
func BulkEndpoints(s *bulk.Service) []endpoint.Endpoint {
	r := bulkRoutes{s}
	return []endpoint.Endpoint{
		endpoint.New(http.MethodPost, "/v1/bulk", "Do up to 10,000 operations, all or nothing or each for itself",
			access.Authenticated(access.KindSelf, access.Write), r.do).Lines("operations"),
	}
}

type bulkRoutes struct{ bulk *bulk.Service }

// bulkInput is a list of operations, and how they run. With JSON lines, mode
// and dry_run stand in the query.
type bulkInput struct {
	Operations  []operationInput  `json:"operations"`
	Mode        opt.Value[string] `json:"mode" rule:"enum=atomic|each,notnull"`
	DryRun      opt.Value[bool]   `json:"dry_run" rule:"notnull"`
	QueryMode   opt.Value[string] `query:"mode" rule:"enum=atomic|each,notnull"`
	QueryDryRun opt.Value[bool]   `query:"dry_run" rule:"notnull"`
}

// operationInput is one operation. Which fields it has depends on op.
type operationInput struct {
	Op           string                        `json:"op" rule:"enum=archive|restore|move|delete|set_collection_permission|add_membership|remove_membership|create_group|create_person"`
	Kind         opt.Value[string]             `json:"kind" rule:"enum=collection|card|dashboard|snippet|timeline,notnull"`
	ID           opt.Value[endpoint.IDOrRef]   `json:"id" rule:"notnull"`
	CollectionID opt.Value[endpoint.IDOrRef]   `json:"collection_id"` // null: the root
	GroupID      opt.Value[endpoint.IDOrRef]   `json:"group_id" rule:"notnull"`
	UserID       opt.Value[endpoint.IDOrRef]   `json:"user_id" rule:"notnull"`
	Level        opt.Value[string]             `json:"level" rule:"enum=view|curate|none,notnull"`
	Subtree      opt.Value[bool]               `json:"subtree" rule:"notnull"`
	Name         opt.Value[string]             `json:"name" rule:"nonblank,max=255,notnull"`
	Email        opt.Value[string]             `json:"email" rule:"email,notnull"`
	FirstName    opt.Value[string]             `json:"first_name" rule:"nonblank,max=254"`
	LastName     opt.Value[string]             `json:"last_name" rule:"nonblank,max=254"`
	GroupIDs     opt.Value[[]endpoint.IDOrRef] `json:"group_ids"`
	Invite       opt.Value[bool]               `json:"invite" rule:"notnull"`
	Ref          opt.Value[string]             `json:"ref" rule:"nonempty,max=64,notnull"`
}

// fieldSet are the fields that an operation needs, and those that it may have.
type fieldSet struct{ needs, may []string }

// operationFields are the fields of each operation.
func operationFields(op bulk.Op) fieldSet {
	switch op {
	case bulk.Archive, bulk.Delete:
		return fieldSet{needs: []string{"kind", "id"}}
	case bulk.Restore:
		return fieldSet{needs: []string{"kind", "id"}, may: []string{"collection_id"}}
	case bulk.Move:
		return fieldSet{needs: []string{"kind", "id", "collection_id"}}
	case bulk.SetPermission:
		return fieldSet{needs: []string{"group_id", "collection_id", "level"}, may: []string{"subtree"}}
	case bulk.AddMembership, bulk.RemoveMembership:
		return fieldSet{needs: []string{"group_id", "user_id"}}
	case bulk.CreateGroup:
		return fieldSet{needs: []string{"name"}, may: []string{"ref"}}
	}
	return fieldSet{needs: []string{"email"}, may: []string{"first_name", "last_name", "group_ids", "invite", "ref"}}
}

// given are the fields that came.
func (in *operationInput) given() []string {
	var all []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"kind", in.Kind.Set}, {"id", in.ID.Set}, {"collection_id", in.CollectionID.Set}, {"group_id", in.GroupID.Set},
		{"user_id", in.UserID.Set}, {"level", in.Level.Set}, {"subtree", in.Subtree.Set}, {"name", in.Name.Set}, {"email", in.Email.Set},
		{"first_name", in.FirstName.Set}, {"last_name", in.LastName.Set}, {"group_ids", in.GroupIDs.Set},
		{"invite", in.Invite.Set}, {"ref", in.Ref.Set},
	} {
		if f.set {
			all = append(all, f.name)
		}
	}
	return all
}

// wrong adds what is missing and what does not belong to the operation.
func (in *operationInput) wrong(all map[string]string, i int) {
	set, given := operationFields(bulk.Op(in.Op)), in.given()
	for _, name := range set.needs {
		if !slices.Contains(given, name) {
			all[fmt.Sprintf("operations.%d.%s", i, name)] = "The operation " + in.Op + " needs it."
		}
	}
	for _, name := range given {
		if !slices.Contains(set.needs, name) && !slices.Contains(set.may, name) {
			all[fmt.Sprintf("operations.%d.%s", i, name)] = "The operation " + in.Op + " does not take it."
		}
	}
	if in.Ref.Set && !endpoint.ValidRef(in.Ref.V) {
		all[fmt.Sprintf("operations.%d.ref", i)] = "Send letters, digits, dots, dashes and underscores."
	}
}

func (in *operationInput) operation() bulk.Operation {
	o := bulk.Operation{
		Op: bulk.Op(in.Op), Kind: in.Kind.V, Item: target(in.ID.V), Collection: target(in.CollectionID.V),
		Group: target(in.GroupID.V), User: target(in.UserID.V), Level: in.Level.V, Subtree: in.Subtree.V, Name: in.Name.V, Email: in.Email.V,
		Placed: in.Op == string(bulk.Restore) && in.CollectionID.Set,
		First:  in.FirstName.Ptr(), Last: in.LastName.Ptr(), Invite: in.Invite.V, Ref: in.Ref.V,
	}
	for _, g := range in.GroupIDs.V {
		o.Groups = append(o.Groups, target(g))
	}
	return o
}

func target(v endpoint.IDOrRef) bulk.Target { return bulk.Target{ID: v.ID, Ref: v.Ref} }

// operations reads all operations, or lists what is wrong with them.
func (in *bulkInput) operations() ([]bulk.Operation, error) {
	ops, wrong := make([]bulk.Operation, len(in.Operations)), map[string]string{}
	for i := range in.Operations {
		if in.Operations[i].wrong(wrong, i); len(wrong) >= maxFieldErrors {
			break
		}
		ops[i] = in.Operations[i].operation()
	}
	if len(wrong) > 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Fields: wrong}
	}
	return ops, bulk.CheckOperations(ops)
}

// mode and dry are how the operations run.
func (in *bulkInput) mode() string { return in.QueryMode.Or(in.Mode.Or(string(bulk.Atomic))) }
func (in *bulkInput) dry() bool    { return in.QueryDryRun.Or(in.DryRun.V) }

func (r bulkRoutes) do(ctx context.Context, c *endpoint.Call, in bulkInput) (bulkAnswer, error) {
	ops, err := in.operations()
	if err != nil {
		return bulkAnswer{}, err
	}
	req, err := bulkRequest(c, in.mode(), in.dry())
	if err != nil {
		return bulkAnswer{}, err
	}
	asked, err := json.Marshal([]any{"bulk", req.Mode, req.DryRun, ops})
	if err != nil {
		return bulkAnswer{}, fault.Wrap(err, "write operations")
	}
	req.Print = sha256.Sum256(asked)
	names := make([]string, len(ops))
	for i := range ops {
		names[i] = string(ops[i].Op)
	}
	return answerBulk(c, req, func(i int, res *bulkResult) { res.Op = names[i] },
		func(req bulk.Request) (*bulk.Report, error) {
			report, trial, err := r.bulk.Do(ctx, c.Who, ops, req)
			keepTrial(c, trial)
			return report, err
		})
}

// keepTrial notes what a restriction on trial would have refused.
func keepTrial(c *endpoint.Call, trial *access.Refusal) {
	if c.Trial == nil {
		c.Trial = trial
	}
}

// The header that makes a call safe to repeat, and the one that says that an
// answer is that of an earlier call.
const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotency-Replayed"
)

// bulkRequest reads how a call shall run.
func bulkRequest(c *endpoint.Call, mode string, dryRun bool) (bulk.Request, error) {
	req := bulk.Request{Mode: bulk.Mode(mode), DryRun: dryRun}
	keys, ok := c.Request.Header[idempotencyHeader]
	if !ok {
		return req, nil
	}
	const longest = 255
	if req.Key = keys[0]; len(keys) > 1 || req.Key == "" || len(req.Key) > longest || !printable(req.Key) {
		return req, fault.Coded(fault.Invalid, "idempotency-key", "The Idempotency-Key is not a text of 1 to %d printable ASCII characters.", longest)
	}
	return req, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
