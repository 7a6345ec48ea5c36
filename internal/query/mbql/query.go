package mbql

import (
	"encoding/json"
	"strconv"

	"latchkey/internal/fault"
)

// Query is a query that was read and checked. It does not change; the zero
// value is no query and has no database.
type Query struct {
	sent *object // the text that was read, its keys spelled as Metabase spells them
	five *object // the same query as MBQL 5
}

// The types of a query, as cards and the legacy form name them.
const (
	TypeNative = "native"
	TypeQuery  = "query"
)

// Read reads a query in either form. Keys may be spelled with "_" for "-",
// numbers may be sent as text, template tags as a list, and options may be left
// out, as clients do. It returns an Invalid fault that says what is wrong.
func Read(raw []byte) (Query, error) {
	v, err := parse(raw)
	if err != nil {
		return Query{}, err
	}
	o, ok := v.(*object)
	if !ok {
		return Query{}, fault.New(fault.Invalid, "A query must be an object.")
	}
	return build(normalize(o))
}

// build makes the query of a text with normal keys.
func build(sent *object) (Query, error) {
	c := newUpgrade(sent)
	five := c.query(sent)
	if c.err != nil {
		return Query{}, c.err
	}
	return Query{sent: sent, five: five}, nil
}

// IsZero reports whether this is no query.
func (q Query) IsZero() bool { return q.five == nil }

// JSON returns the query in the form in which it was sent, with every key that
// was sent. It is what a card stores.
func (q Query) JSON() json.RawMessage { return encode(orNull(q.sent)) }

// MarshalJSON writes what JSON returns.
func (q Query) MarshalJSON() ([]byte, error) { return q.JSON(), nil }

// MBQL5 returns the query as MBQL 5. Every clause has a lib/uuid: the one that
// was sent, or one that follows from the query, so that the same query always
// gives the same bytes.
func MBQL5(q Query) json.RawMessage { return encode(orNull(q.five)) }

// Legacy returns the query in the legacy form.
func Legacy(q Query) json.RawMessage {
	if q.IsZero() {
		return encode(nil)
	}
	return encode(downgradeQuery(q.five))
}

func orNull(o *object) any {
	if o == nil {
		return nil
	}
	return o
}

// Database returns the id of the database the query is for. It may be
// VirtualDatabase when the source is a card.
func (q Query) Database() int64 {
	id, _ := number(q.five.get("database"))
	return id
}

// VirtualDatabase is the database that clients name when the source of a query
// is a card and they do not know where the card's data lies (contract 6.3).
const VirtualDatabase = -1337

// WithDatabase returns the query for another database.
func (q Query) WithDatabase(id int64) Query {
	if q.IsZero() {
		return q
	}
	n := json.Number(strconv.FormatInt(id, 10))
	return Query{sent: q.sent.with("database", n), five: q.five.with("database", n)}
}

// QueryType returns TypeNative or TypeQuery. A query over native SQL, with a
// structured stage behind it, is a TypeQuery.
func (q Query) QueryType() string {
	if q.IsNative() {
		return TypeNative
	}
	return TypeQuery
}

// IsNative reports whether the query is SQL and nothing more.
func (q Query) IsNative() bool { return isNative(q.last()) }

// NativeText returns the SQL of the query, or of its first stage.
func (q Query) NativeText() string {
	return text(q.first().get("native"))
}

// SourceTable returns the table that the first stage reads.
func (q Query) SourceTable() (int64, bool) {
	return number(q.first().get("source-table"))
}

// TableID returns the table that a card with this query belongs to, or 0.
func (q Query) TableID() int64 {
	id, _ := q.SourceTable()
	return id
}

// SourceCard returns the card whose result the first stage reads.
func (q Query) SourceCard() (int64, bool) {
	return number(q.first().get("source-card"))
}

// Aggregated reports whether the rows are aggregated: such a query may answer
// more rows than one that lists them (contract 6.3).
func (q Query) Aggregated() bool {
	aggregations, _ := q.last().get("aggregation").([]any)
	breakouts, _ := q.last().get("breakout").([]any)
	return len(aggregations)+len(breakouts) > 0
}

// RowLimit returns the number of rows that the query itself allows, by limit or
// page.
func (q Query) RowLimit() (int64, bool) {
	limit, limited := number(q.last().get("limit"))
	page, _ := q.last().get("page").(*object)
	if items, paged := number(page.get("items")); paged && (!limited || items < limit) {
		return items, true
	}
	return limit, limited
}

func (q Query) stages() []any {
	stages, _ := q.five.get("stages").([]any)
	return stages
}

// first and last return a stage. There is always one, but for the zero value.
func (q Query) first() *object { return stageAt(q.stages(), 0) }
func (q Query) last() *object  { return stageAt(q.stages(), len(q.stages())-1) }

func stageAt(stages []any, i int) *object {
	if i < 0 || i >= len(stages) {
		return nil
	}
	o, _ := stages[i].(*object)
	return o
}

func isNative(stage *object) bool { return stage.has("native") }
