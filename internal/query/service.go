package query

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/engine"
	"latchkey/internal/query/mbql"
	"latchkey/internal/setting"
	"latchkey/internal/warehouse"
)

// MaxRows is how many rows any result has at most (contract/content-data.md 6.3).
const MaxRows = 1_048_575

// The limits of rows where nothing else is set (contract/content-data.md 6.3).
const (
	bareRows       = 2000
	aggregatedRows = 10000
)

// Deps is what the service needs. All fields are required except where noted.
type Deps struct {
	Warehouse *warehouse.Service
	Settings  *setting.Service
	Clock     clock.Clock
	Timeout   time.Duration // how long a query may take, its reader included

	// Snippet returns the text of a snippet, by its id or, when that is 0, its
	// name, and refuses who may not read it; nil stands for a saved question,
	// whose writer was asked. Optional.
	Snippet func(ctx context.Context, who *access.Principal, id int64, name string) (string, error)
	// Card returns the query of a saved question, and refuses who may not read
	// it. Optional.
	Card func(ctx context.Context, who *access.Principal, id int64) (json.RawMessage, error)
}

// Service runs queries. It is safe for concurrent use.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service { return &Service{d} }

// Request is a query that is not saved, as it was sent.
type Request struct {
	Query  []byte // JSON in either form, with parameters, constraints and middleware
	Export bool   // all rows that there may be, not those for a screen
}

// Stored is a saved query and what is asked of it.
type Stored struct {
	Query      []byte // the stored dataset_query
	Parameters []Parameter
	Declared   []Parameter // what the card itself declares: ids, types, targets and defaults
	CardID     int64       // for messages
	Export     bool
}

// envelope is what stands beside a query when it is run.
type envelope struct {
	Parameters  json.RawMessage `json:"parameters"`
	Constraints struct {
		MaxResults *int64 `json:"max-results"`
		MaxBare    *int64 `json:"max-results-bare-rows"`
	} `json:"constraints"`
}

// Run begins a query that is not saved: who must be allowed to read its
// database. The error is a *Failure. The caller closes the result.
func (s *Service) Run(ctx context.Context, who *access.Principal, in Request) (*Result, error) {
	q, env, err := read(in.Query)
	if err != nil {
		return nil, asFailure(err)
	}
	p, err := s.plan(ctx, who, q)
	if err != nil {
		return nil, asFailure(err)
	}
	if err := access.Data(who, p.base.ID); err != nil {
		return nil, asFailure(err)
	}
	params, err := ReadParameters(env.Parameters)
	if err != nil {
		return nil, err
	}
	p.give(params)
	if !in.Export {
		p.limit = s.rowLimit(q, env)
	}
	return s.start(ctx, p)
}

// RunStored begins a saved query. That who may read the question has been
// decided; the right to read its database is not needed
// (contract/content-data.md 7.4), but a key that is bound to other databases
// stays bound. The error is a *Failure. The caller closes the result.
func (s *Service) RunStored(ctx context.Context, who *access.Principal, in Stored) (*Result, error) {
	q, env, err := read(in.Query)
	if err != nil {
		return nil, asFailure(err)
	}
	p, err := s.plan(ctx, who, q)
	if err != nil {
		return nil, asFailure(err)
	}
	p.saved = true
	if err := access.Data(who, p.base.ID); err != nil {
		return nil, asFailure(err)
	}
	params, err := in.parameters(p.tags)
	if err != nil {
		return nil, err
	}
	p.give(params)
	if !in.Export {
		p.limit = s.rowLimit(q, env)
	}
	return s.start(ctx, p)
}

// parameters completes what was sent by what the card declares, and refuses
// what names no tag of the query (contract/content-data.md 3.8).
func (in Stored) parameters(tags map[string]mbql.TemplateTag) ([]Parameter, error) {
	declared := map[string]Parameter{}
	var out []Parameter
	for _, d := range in.Declared {
		declared[d.ID] = d
		d.Value = nil
		out = append(out, d)
	}
	for _, p := range in.Parameters {
		d, known := declared[p.ID]
		if p.Target == nil && known {
			p.Target = d.Target
		}
		if p.Type == "" {
			p.Type = d.Type
		}
		if p.Options == nil {
			p.Options = d.Options
		}
		ref, named := p.tag()
		if !named && p.ID != "" {
			ref, named = tagRef{id: p.ID}, true
			p.Target = nil
		}
		if _, ok := lookUp(tags, ref); !ok && named && !known {
			return nil, failed(BadParameter, fmt.Sprintf("Invalid parameter: Card %d does not have a template tag named %q.", in.CardID, orElse(ref.name, ref.id)))
		}
		out = append(out, p)
	}
	return out, nil
}

// lookUp finds the name of the tag that is meant.
func lookUp(tags map[string]mbql.TemplateTag, ref tagRef) (string, bool) {
	if _, ok := tags[ref.name]; ok {
		return ref.name, true
	}
	for name, t := range tags {
		if ref.id != "" && t.ID == ref.id {
			return name, true
		}
	}
	return "", false
}

// Compiled is the SQL of a query.
type Compiled struct {
	SQL  string
	Args []any
}

// Compile returns the SQL that a query would run as. Whoever asks must be
// allowed to run it. The error is a *Failure.
func (s *Service) Compile(ctx context.Context, who *access.Principal, raw []byte) (Compiled, error) {
	q, env, err := read(raw)
	if err != nil {
		return Compiled{}, asFailure(err)
	}
	p, err := s.plan(ctx, who, q)
	if err != nil {
		return Compiled{}, asFailure(err)
	}
	if err := access.Data(who, p.base.ID); err != nil {
		return Compiled{}, asFailure(err)
	}
	params, err := ReadParameters(env.Parameters)
	if err != nil {
		return Compiled{}, err
	}
	p.give(params)
	sql, err := p.expand(p.query.NativeText())
	if err != nil {
		return Compiled{}, asFailure(err)
	}
	return Compiled{SQL: sql, Args: p.args}, nil
}

func read(raw []byte) (mbql.Query, envelope, error) {
	q, err := mbql.Read(raw)
	if err != nil {
		return q, envelope{}, err
	}
	var env envelope
	if err := json.Unmarshal(raw, &env); err != nil {
		return q, env, failed(Invalid, "constraints must be an object of whole numbers.")
	}
	return q, env, nil
}

// plan is a query that is ready to be written as SQL.
type plan struct {
	*expander
	query mbql.Query
	limit int // 0 for none but MaxRows
	conn  engine.Database
}

func (s *Service) plan(ctx context.Context, who *access.Principal, q mbql.Query) (*plan, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	structured := !q.IsNative()
	base, err := s.Warehouse.Find(ctx, q.Database())
	if err != nil && (!structured || q.Database() != mbql.VirtualDatabase) {
		return nil, &Failure{Kind: Invalid, Message: fmt.Sprintf("Database %d does not exist.", q.Database()), Err: err}
	}
	if structured {
		return nil, failed(Unsupported, "Structured queries are not supported by this server yet; write the question as a native query.")
	}
	conn, err := s.Warehouse.Connection(ctx, base)
	if err != nil {
		return nil, err
	}
	e := &expander{
		service: s, ctx: ctx, who: who, base: base, dialect: conn.Dialect(), dates: s.dates(base),
		tags: tagsByName(q), given: map[string]given{},
	}
	return &plan{expander: e, query: q, conn: conn}, nil
}

// give sorts the parameters by the tags that they name.
func (p *plan) give(params []Parameter) {
	for _, param := range params {
		ref, ok := param.tag()
		if !ok {
			ref = tagRef{id: param.ID}
		}
		name, ok := lookUp(p.tags, ref)
		if !ok {
			name = ref.name // a snippet may hold the tag
		}
		if name != "" {
			p.given[name] = given{param: p.given[name].param.merge(param), ok: true}
		}
	}
}

// merge keeps the default that a card declares beside a value that was sent.
func (p Parameter) merge(later Parameter) Parameter {
	if later.Default == nil {
		later.Default = p.Default
	}
	return later
}

// rowLimit is the limit of rows for a screen. What a query or its sender allows
// counts when it is less.
func (s *Service) rowLimit(q mbql.Query, env envelope) int {
	limit := int64(bareRows)
	if n := s.Settings.Int("unaggregated-query-row-limit"); n > 0 {
		limit = int64(n)
	}
	if q.Aggregated() {
		limit = aggregatedRows
		if n := s.Settings.Int("aggregated-query-row-limit"); n > 0 {
			limit = int64(n)
		}
	}
	for _, given := range []*int64{env.Constraints.MaxResults, env.Constraints.MaxBare} {
		if given != nil && *given > 0 {
			limit = min(limit, *given)
		}
	}
	return int(min(limit, MaxRows))
}

// dates are those of the instance's time zone, or else of the database's.
func (s *Service) dates(base warehouse.Database) dates {
	d := dates{now: s.Clock.Now()}
	if loc, err := time.LoadLocation(s.Timezone(base)); err == nil {
		d.now = d.now.In(loc)
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(day.String(), s.Settings.String("start-of-week")) {
			d.weekStart = day
		}
	}
	return d
}

// Timezone returns the time zone of results.
func (s *Service) Timezone(base warehouse.Database) string {
	return orElse(s.Settings.String("report-timezone"), base.Timezone)
}
