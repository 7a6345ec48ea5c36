package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"latchkey/internal/endpoint"
	"latchkey/internal/export"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query"
)

// storedRun is a saved question that is to be run. Whoever may read the
// question may run it (contract/content-data.md 7.4), so that is decided before.
type storedRun struct {
	query.Stored
	Name        string // of the question, for the name of a file
	DashboardID int64  // 0 unless a dashboard runs it
	Context     string // question, dashboard
}

// fileOptions is how a download of a saved question is asked for, in JSON or as
// a form (contract/content-data.md 3.8, clients.md). It is embedded in inputs.
type fileOptions struct {
	Parameters opt.Value[any]  `json:"parameters"`
	FormatRows opt.Value[bool] `json:"format_rows"`
	Pivot      opt.Value[bool] `json:"pivot_results"`
	BOM        opt.Value[bool] `json:"csv_include_bom"`
}

// readParameters reads the parameters of a run: a list, a list written as JSON
// in a text, the text null, or nothing.
func readParameters(v opt.Value[any]) ([]query.Parameter, error) {
	given, ok := v.Get()
	if !ok {
		return nil, nil
	}
	raw, err := json.Marshal(given)
	if text, is := given.(string); is {
		raw, err = []byte(text), nil
	}
	if err != nil {
		return nil, fault.Wrap(err, "encode parameters")
	}
	list, err := query.ReadParameters(raw)
	if err != nil {
		return nil, fault.Field("parameters", "value must be a list of parameters, or one written as JSON in a text.")
	}
	return list, nil
}

// ranStored is what answers tell about a saved question that is run.
func (r queryRoutes) ranStored(in storedRun) ran {
	m := ran{context: orElse(in.Context, "question"), cardID: in.CardID, dashboard: in.DashboardID, startedAt: r.clock.Now(), export: in.Export}
	dec := json.NewDecoder(bytes.NewReader(in.Query))
	dec.UseNumber()
	if dec.Decode(&m.query) != nil {
		m.query = nil // RunStored says what is wrong with it
	}
	if id, ok := m.query["database"].(json.Number); ok {
		m.databaseID, _ = id.Int64()
	}
	return m
}

// runStored runs a saved question for a screen. The route answers 202.
func (r queryRoutes) runStored(ctx context.Context, c *endpoint.Call, in storedRun) (*queryAnswer, error) {
	m := r.ranStored(in)
	result, err := r.queries.RunStored(ctx, c.Who, in.Stored)
	if err != nil {
		return nil, newFailedQuery(err, m)
	}
	return &queryAnswer{result, m}, nil
}

// exportStored runs a saved question for a file: csv or json. For xlsx it
// returns the refusal.
func (r queryRoutes) exportStored(ctx context.Context, c *endpoint.Call, in storedRun, format string, o fileOptions) (exportAnswer, error) {
	if format != export.FormatCSV && format != export.FormatJSON {
		return exportAnswer{}, noSpreadsheets(r.clock)
	}
	in.Export, in.Context = true, format+"-download"
	m := r.ranStored(in)
	result, err := r.queries.RunStored(ctx, c.Who, in.Stored)
	if err != nil {
		return exportAnswer{}, newFailedQuery(err, m)
	}
	return exportAnswer{
		result: result, ran: m, format: format, name: fileName(in.Name),
		options: export.Options{Formatted: o.FormatRows.Or(false), BOM: o.BOM.Or(false)},
	}, nil
}

// fileName writes the name of a question as that of a file: letters and digits
// of ASCII, joined by underscores.
func fileName(name string) string {
	const longest = 100
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	out := strings.Join(words, "_")
	if len(out) > longest {
		out = out[:longest]
	}
	return orElse(out, "query_result")
}

// ResultMetadata is how a card stores the columns of its result
// (contract/content-data.md 3.1).
func ResultMetadata(columns []query.Column) json.RawMessage {
	out, err := json.Marshal(toWireColumns(columns, ""))
	if err != nil { // columns always encode
		return json.RawMessage("[]")
	}
	return out
}
