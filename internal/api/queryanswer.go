package api

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"time"

	"latchkey/internal/endpoint"
	"latchkey/internal/engine"
	"latchkey/internal/export"
	"latchkey/internal/query"
)

// jsonValue is a value of a customer's database.
type jsonValue struct{ v any }

// MarshalJSON implements json.Marshaler.
func (j jsonValue) MarshalJSON() ([]byte, error) { return export.AppendJSON(nil, j.v, true), nil }

// ran is what an answer tells about the query that was run, well or not.
type ran struct {
	context    string         // ad-hoc, question, dashboard, csv-download, …
	query      map[string]any // as it was sent, or as the card stores it
	databaseID int64
	cardID     int64 // 0 for none
	dashboard  int64 // 0 for none
	startedAt  time.Time
	ints       bool // whole numbers that JavaScript would round come as numbers
	export     bool
}

// The parts of json_query that clients look at.
const (
	keyMiddleware  = "middleware"
	keyConstraints = "constraints"
	keyIntToString = "js-int-to-string?"
)

// exactInts reports whether the sender wants large numbers as numbers.
func exactInts(q map[string]any) bool {
	m, _ := q[keyMiddleware].(map[string]any)
	want, given := m[keyIntToString].(bool)
	return given && !want
}

// jsonQuery is the query with how it is run.
func (m ran) jsonQuery() map[string]any {
	out := maps.Clone(m.query)
	if out == nil {
		out = map[string]any{}
	}
	out[keyMiddleware] = map[string]any{keyIntToString: !m.ints, "add-default-userland-constraints?": !m.export}
	return out
}

// wireColumn is a column of a result (contract/content-data.md 6.3).
type wireColumn struct {
	Name          string          `json:"name"`
	DisplayName   string          `json:"display_name"`
	BaseType      engine.BaseType `json:"base_type"`
	EffectiveType engine.BaseType `json:"effective_type"`
	SemanticType  *string         `json:"semantic_type"`
	DatabaseType  string          `json:"database_type"`
	Source        string          `json:"source,omitempty"`
	FieldRef      []any           `json:"field_ref"`
	Fingerprint   *struct{}       `json:"fingerprint,omitempty"`
}

func toWireColumns(list []query.Column, source string) []wireColumn {
	out := make([]wireColumn, len(list))
	for i, c := range list {
		out[i] = wireColumn{
			Name: c.Name, DisplayName: c.DisplayName, BaseType: c.Type, EffectiveType: c.Type,
			DatabaseType: c.NativeType, Source: source,
			FieldRef: []any{"field", c.Name, map[string]any{"base-type": c.Type}},
		}
	}
	return out
}

// nativeForm is the SQL that was run.
type nativeForm struct {
	Query  string `json:"query"`
	Params []any  `json:"params"`
}

func toNativeForm(c query.Compiled) nativeForm {
	out := nativeForm{Query: c.SQL}
	for _, a := range c.Args {
		out.Params = append(out.Params, jsonValue{a})
	}
	return out
}

// dataTail is what stands behind the rows.
type dataTail struct {
	Cols     []wireColumn `json:"cols"`
	Native   *nativeForm  `json:"native_form,omitempty"`
	Timezone string       `json:"results_timezone"`
	Metadata struct {
		Columns []wireColumn `json:"columns"`
	} `json:"results_metadata"`
	Insights  *struct{} `json:"insights"`
	Truncated int       `json:"rows_truncated,omitempty"`
}

// answerTail is what stands behind the data.
type answerTail struct {
	Status      string         `json:"status"`
	RowCount    int            `json:"row_count"`
	RunningTime int64          `json:"running_time"`
	StartedAt   time.Time      `json:"started_at"`
	DatabaseID  int64          `json:"database_id"`
	Context     string         `json:"context"`
	Average     *int64         `json:"average_execution_time"`
	Cached      *bool          `json:"cached"`
	CardID      int64          `json:"card_id,omitempty"`
	DashboardID int64          `json:"dashboard_id,omitempty"`
	JSONQuery   map[string]any `json:"json_query"`
}

// queryAnswer streams a result as JSON (contract/content-data.md 6.3). The
// rows come first, for what stands behind them is known at their end only.
type queryAnswer struct {
	result *query.Result
	ran    ran
}

// Documents implements endpoint.Documented.
func (*queryAnswer) Documents() any {
	return struct {
		Data struct {
			Rows [][]any `json:"rows"`
			dataTail
		} `json:"data"`
		answerTail
	}{}
}

// flushAt is how many bytes are held before they are sent. Until then, a
// failure can still be answered as one.
const flushAt = 32 << 10

// Respond implements endpoint.Responder.
func (a *queryAnswer) Respond(w http.ResponseWriter, _ *http.Request) {
	defer a.result.Close()
	b := append(make([]byte, 0, flushAt+4096), `{"data":{"rows":[`...)
	begun := false
	for first := true; ; first = false {
		row, err := a.result.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			breakOff(w, begun, err, a.ran)
			return
		}
		if !first {
			b = append(b, ',')
		}
		b = a.appendRow(b, row)
		if len(b) >= flushAt {
			if begun = a.send(w, b, begun); !begun {
				return
			}
			b = b[:0]
		}
	}
	tail, err := a.tail()
	if err != nil {
		breakOff(w, begun, err, a.ran)
		return
	}
	a.send(w, append(b, tail...), begun)
}

// send writes a piece. It reports false when the client has gone.
func (a *queryAnswer) send(w http.ResponseWriter, b []byte, begun bool) bool {
	if !begun {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusAccepted)
	}
	_, err := w.Write(b)
	return err == nil
}

func (a *queryAnswer) appendRow(b []byte, row []any) []byte {
	b = append(b, '[')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		b = export.AppendJSON(b, v, !a.ran.ints)
	}
	return append(b, ']')
}

func (a *queryAnswer) tail() ([]byte, error) {
	columns := a.result.Columns()
	native := toNativeForm(a.result.Compiled)
	data := dataTail{Cols: toWireColumns(columns, "native"), Native: &native, Timezone: a.result.Timezone, Truncated: a.result.Truncated()}
	data.Metadata.Columns = toWireColumns(columns, "")
	inner, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	outer, err := json.Marshal(answerTail{
		Status: "completed", RowCount: a.result.Count(), RunningTime: a.result.Took().Milliseconds(), StartedAt: a.result.StartedAt,
		DatabaseID: a.result.DatabaseID, Context: a.ran.context, CardID: a.ran.cardID, DashboardID: a.ran.dashboard, JSONQuery: a.ran.jsonQuery(),
	})
	if err != nil {
		return nil, err
	}
	out := append([]byte("],"), inner[1:]...)
	return append(append(out, ','), outer[1:]...), nil
}

// breakOff answers a failure while nothing has been sent. Afterwards it breaks
// the connection, so that nobody takes a part for the whole.
func breakOff(w http.ResponseWriter, begun bool, err error, m ran) {
	if begun {
		panic(http.ErrAbortHandler)
	}
	f := newFailedQuery(err, m)
	if err := endpoint.WriteJSON(w, f.status(), f.body()); err != nil {
		panic(http.ErrAbortHandler)
	}
}
