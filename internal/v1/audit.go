package v1

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// AuditEndpoints returns the routes of the audit log.
func AuditEndpoints(log *audit.Log) []endpoint.Endpoint {
	read := access.Admin(access.KindAudit, access.Read)
	a := auditRoutes{log}
	return []endpoint.Endpoint{
		endpoint.New(http.MethodGet, "/v1/audit", "Search the audit log", read, a.list).Pages("limit"),
		endpoint.New(http.MethodGet, "/v1/audit/export", "Export the audit log as JSON lines", read, a.export).Pages("limit"),
		endpoint.New(http.MethodGet, "/v1/audit/head", "Get the newest entry's number and hash, to note elsewhere", read, a.head),
	}
}

type auditRoutes struct{ log *audit.Log }

// auditInput chooses entries; all conditions must hold.
type auditInput struct {
	ActorKind  opt.Value[string] `query:"actor_kind" rule:"enum=person|api-key|personal-key|command-line|anonymous|system,notnull"`
	ActorID    opt.Value[int64]  `query:"actor_id" rule:"posint,notnull"`
	KeyID      opt.Value[int64]  `query:"key_id" rule:"posint,notnull"`
	Action     opt.Value[string] `query:"action" rule:"nonempty,max=100,notnull"`
	ObjectKind opt.Value[string] `query:"object_kind" rule:"nonempty,max=100,notnull"`
	ObjectID   opt.Value[int64]  `query:"object_id" rule:"posint,notnull"`
	From       opt.Value[string] `query:"from" rule:"date-time,notnull"`
	To         opt.Value[string] `query:"to" rule:"date-time,notnull"`
	Query      opt.Value[string] `query:"q" rule:"nonempty,max=100,notnull"`
	After      opt.Value[int64]  `query:"after" rule:"posint,notnull"`
	Before     opt.Value[int64]  `query:"before" rule:"posint,notnull"`
	Newest     opt.Value[bool]   `query:"newest" rule:"notnull"`
}

// filter returns the filter that the input describes.
func (in auditInput) filter() (audit.Filter, error) {
	if in.ObjectID.Set && !in.ObjectKind.Set {
		return audit.Filter{}, fault.Field("object_id", "Send object_kind too: numbers of different kinds are alike.")
	}
	return audit.Filter{
		ActorKind: in.ActorKind.V, ActorID: in.ActorID.V, KeyID: in.KeyID.V, Action: in.Action.V,
		ObjectKind: in.ObjectKind.V, ObjectID: in.ObjectID.V, From: moment(in.From), To: moment(in.To),
		Query: in.Query.V, After: in.After.V, Before: in.Before.V, Newest: in.Newest.V,
	}, nil
}

// moment reads a time that ruleTime has checked. Absent is the zero time.
func moment(v opt.Value[string]) time.Time {
	t, err := time.Parse(time.RFC3339, v.V)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// auditPage is a part of the log. With next, ask for the part that follows:
// ?after=next, or ?before=next when the newest come first.
type auditPage struct {
	Data []auditRecord    `json:"data"`
	Next opt.Value[int64] `json:"next"`
}

// auditRecord is an entry of the log in the one form in which entries leave
// the house.
type auditRecord struct{ audit.Record }

// Documents implements endpoint.Documented.
func (auditRecord) Documents() any { return auditEntry{} }

// auditEntry is the JSON of an entry.
type auditEntry struct {
	ID         int64           `json:"id"`
	At         time.Time       `json:"at"`
	Actor      auditActor      `json:"actor"`
	Action     string          `json:"action"`
	Object     auditObject     `json:"object"`
	Details    json.RawMessage `json:"details"`
	RemoteAddr string          `json:"remote_addr"`
	RequestID  string          `json:"request_id"`
	Hash       string          `json:"hash"`
}

type auditActor struct {
	Kind  string `json:"kind"`
	ID    int64  `json:"id"`
	KeyID int64  `json:"key_id"`
	Name  string `json:"name"`
}

type auditObject struct {
	Kind string `json:"kind"`
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// defaultAuditPage is how many entries a part holds when no limit is given.
const defaultAuditPage = 100

func (a auditRoutes) list(ctx context.Context, c *endpoint.Call, in auditInput) (auditPage, error) {
	f, err := in.filter()
	if err != nil {
		return auditPage{}, err
	}
	f.Limit = c.Page.Limit.Or(defaultAuditPage)
	if f.Limit < 1 || f.Limit > audit.MaxLimit {
		return auditPage{}, fault.Field("limit", "Send a whole number from 1 to %d.", audit.MaxLimit)
	}
	records, err := a.log.List(ctx, f)
	page := auditPage{Data: make([]auditRecord, len(records))}
	for i, r := range records {
		page.Data[i] = auditRecord{r}
	}
	if len(records) == f.Limit {
		page.Next = opt.Of(records[len(records)-1].ID)
	}
	return page, err
}

// auditExport writes entries as they are read.
type auditExport struct {
	log    *audit.Log
	filter audit.Filter
}

func (a auditRoutes) export(_ context.Context, c *endpoint.Call, in auditInput) (auditExport, error) {
	f, err := in.filter()
	f.Limit = c.Page.Limit.V
	return auditExport{a.log, f}, err
}

// MediaType implements endpoint.Media.
func (auditExport) MediaType() string { return "application/x-ndjson" }

// Respond implements endpoint.Responder.
func (e auditExport) Respond(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", e.MediaType())
	h.Set("Content-Disposition", `attachment; filename="audit.ndjson"`)
	if err := e.log.Export(r.Context(), e.filter, w); err != nil {
		breakOff(w, err)
	}
}

// auditHead proves later, to whoever noted it, that nothing up to it was
// rewritten.
type auditHead struct {
	ID   int64  `json:"id"`
	Hash string `json:"hash"` // hexadecimal
}

func (a auditRoutes) head(ctx context.Context, _ *endpoint.Call, _ endpoint.None) (auditHead, error) {
	h, err := a.log.Head(ctx)
	return auditHead{ID: h.ID, Hash: hex.EncodeToString(h.Hash)}, err
}
