package api

import (
	"context"
	"encoding/json"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/clock"
	"latchkey/internal/endpoint"
	"latchkey/internal/export"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query"
	"latchkey/internal/query/mbql"
)

type queryRoutes struct {
	databases databaseRoutes
	queries   *query.Service
	clock     clock.Clock
}

// newQueryRoutes is also for the routes that run saved questions.
func newQueryRoutes(s Services) queryRoutes {
	return queryRoutes{databases: databaseRoutes{s.Warehouse}, queries: s.Queries, clock: clock.System{}}
}

// datasetInput is a query, which is the whole body.
type datasetInput struct {
	Query    map[string]any   `json:"*"`
	Database opt.Value[int64] `json:"database" kind:"databases"`
}

// exportInput is a query in a wrapper, for a file. The query may be written as
// text, as forms have it.
type exportInput struct {
	Query  any             `json:"query"`
	Format opt.Value[bool] `json:"format_rows"`
	Pivot  opt.Value[bool] `json:"pivot_results"`
	BOM    opt.Value[bool] `json:"csv_include_bom"`
	Visual opt.Value[any]  `json:"visualization_settings"`
}

// QueryEndpoints returns the routes that run queries which are not saved
// (contract/content-data.md 6.3 to 6.5).
func QueryEndpoints(s Services) []endpoint.Endpoint {
	r := newQueryRoutes(s)
	run := access.Authenticated(access.KindQueries, access.Read)
	list := []endpoint.Endpoint{
		endpoint.New("POST", "/api/dataset", "Run a query", run, r.run).Answers(http.StatusAccepted),
		endpoint.New("POST", "/api/dataset/native", "Show the SQL that a query runs as", run, r.native),
		endpoint.New("POST", "/api/dataset/query_metadata", "Get the databases, tables and fields that a query is about", run, r.metadata),
		endpoint.Naming(endpoint.New("POST", "/api/dataset/xlsx", "Refused: spreadsheets are not made yet", run, r.xlsx), r.databaseOfQuery, access.KindDatabases),
	}
	for _, format := range []string{export.FormatCSV, export.FormatJSON} {
		file := func(ctx context.Context, c *endpoint.Call, in exportInput) (exportAnswer, error) {
			return r.export(ctx, c, in, format)
		}
		list = append(list, endpoint.Naming(
			endpoint.New("POST", "/api/dataset/"+format, "Run a query and get all rows as a file", run, file), r.databaseOfQuery, access.KindDatabases))
	}
	return list
}

// textNoDatabase is what Metabase says.
const textNoDatabase = "`database` is required for all queries whose type is not `internal`."

// begin checks what every query has, and returns what answers tell about it.
func (r queryRoutes) begin(q map[string]any, context string) (raw []byte, m ran, err error) {
	if q["database"] == nil {
		return nil, m, fault.New(fault.Invalid, textNoDatabase)
	}
	if raw, err = json.Marshal(q); err != nil {
		return nil, m, fault.Wrap(err, "encode query")
	}
	m = ran{context: context, query: q, startedAt: r.clock.Now(), ints: exactInts(q)}
	read, err := mbql.Read(raw)
	if err != nil {
		return nil, m, newFailedQuery(&query.Failure{Kind: query.Invalid, Message: fault.As(err).Message, Err: err}, m)
	}
	m.databaseID = read.Database()
	return raw, m, nil
}

func (r queryRoutes) run(ctx context.Context, c *endpoint.Call, in datasetInput) (*queryAnswer, error) {
	raw, m, err := r.begin(in.Query, "ad-hoc")
	if err != nil {
		return nil, err
	}
	result, err := r.queries.Run(ctx, c.Who, query.Request{Query: raw})
	if err != nil {
		return nil, newFailedQuery(err, m)
	}
	return &queryAnswer{result, m}, nil
}

// object reads the query in the wrapper of a download.
func (in exportInput) object() (map[string]any, error) {
	if q, ok := in.Query.(map[string]any); ok {
		return q, nil
	}
	var q map[string]any
	s, ok := in.Query.(string)
	if !ok || json.Unmarshal([]byte(s), &q) != nil || q == nil {
		return nil, fault.Field("query", "value must be a query: an object, or one written as JSON in a text.")
	}
	return q, nil
}

// databaseOfQuery names the database of the query in a wrapper.
func (r queryRoutes) databaseOfQuery(_ context.Context, _ *endpoint.Call, in exportInput) ([]access.Ref, error) {
	q, err := in.object()
	if err != nil {
		return nil, nil //nolint:nilerr // the handler says so
	}
	raw, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	read, err := mbql.Read(raw)
	if err != nil || read.Database() == 0 {
		return nil, nil //nolint:nilerr // the handler says so
	}
	return databaseRef(read.Database()), nil
}

func (r queryRoutes) export(ctx context.Context, c *endpoint.Call, in exportInput, format string) (exportAnswer, error) {
	q, err := in.object()
	if err != nil {
		return exportAnswer{}, err
	}
	raw, m, err := r.begin(q, format+"-download")
	m.export = true
	if err != nil {
		return exportAnswer{}, err
	}
	result, err := r.queries.Run(ctx, c.Who, query.Request{Query: raw, Export: true})
	if err != nil {
		return exportAnswer{}, newFailedQuery(err, m)
	}
	return exportAnswer{
		result: result, ran: m, format: format, name: "query_result",
		options: export.Options{Formatted: in.Format.Or(false), BOM: in.BOM.Or(false)},
	}, nil
}

func (r queryRoutes) xlsx(context.Context, *endpoint.Call, exportInput) (endpoint.None, error) {
	return endpoint.None{}, noSpreadsheets(r.clock)
}

// noSpreadsheets is the refusal of a download as xlsx.
func noSpreadsheets(clk clock.Clock) error {
	return newFailedQuery(&query.Failure{
		Kind: query.Unsupported, Message: "Downloads as xlsx are not supported by this server yet; ask for csv or json.",
	}, ran{context: "xlsx-download", startedAt: clk.Now(), export: true})
}

func (r queryRoutes) native(ctx context.Context, c *endpoint.Call, in datasetInput) (nativeForm, error) {
	raw, m, err := r.begin(in.Query, "ad-hoc")
	if err != nil {
		return nativeForm{}, err
	}
	sql, err := r.queries.Compile(ctx, c.Who, raw)
	if err != nil {
		return nativeForm{}, newFailedQuery(err, m)
	}
	return toNativeForm(sql), nil
}

// wireQueryMetadata is what a query is about.
type wireQueryMetadata struct {
	Databases []wireDatabase `json:"databases"`
	Tables    []wireTable    `json:"tables"`
	Fields    []wireField    `json:"fields"`
	Snippets  []any          `json:"snippets"`
	Cards     []any          `json:"cards"`
	Boards    []any          `json:"dashboards"`
}

func (r queryRoutes) metadata(ctx context.Context, c *endpoint.Call, in datasetInput) (wireQueryMetadata, error) {
	raw, _, err := r.begin(in.Query, "ad-hoc")
	if err != nil {
		return wireQueryMetadata{}, err
	}
	return r.about(ctx, c, raw)
}

// about collects what a query names and the caller may read.
func (r queryRoutes) about(ctx context.Context, c *endpoint.Call, raw []byte) (wireQueryMetadata, error) {
	out := wireQueryMetadata{Databases: []wireDatabase{}, Tables: []wireTable{}, Fields: []wireField{}, Snippets: []any{}, Cards: []any{}, Boards: []any{}}
	q, err := mbql.Read(raw)
	if err != nil {
		return out, err
	}
	if d, err := r.databases.warehouse.Database(ctx, c.Who, q.Database()); err == nil {
		out.Databases = append(out.Databases, r.databases.toWire(c, d))
	}
	seen := map[int64]bool{}
	add := func(id int64) {
		if seen[id] {
			return
		}
		seen[id] = true
		if t, err := r.databases.tableMetadata(ctx, c, tableMetadataInput{ID: id}); err == nil {
			t.Database = nil
			out.Tables = append(out.Tables, t)
		}
	}
	for _, id := range q.Tables() {
		add(id)
	}
	for _, tag := range q.TemplateTags() {
		if tag.Dimension.FieldID == 0 {
			continue
		}
		if f, _, err := r.databases.warehouse.Field(ctx, c.Who, tag.Dimension.FieldID); err == nil {
			out.Fields = append(out.Fields, toWireField(f))
			add(f.TableID)
		}
	}
	return out, nil
}
