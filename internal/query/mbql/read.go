package mbql

import (
	"encoding/json"
	"strconv"
	"strings"
)

// What may be spelled with "_" for "-" or in capitals, as old clients and
// several programs do. Any other key is the client's own and stays as it is.
var (
	queryKeys = keySet("lib/type", "database", "type", "query", "native", "stages", "parameters", "constraints", "middleware")
	stageKeys = keySet("lib/type", "source-table", "source-card", "source-query", "source-metadata", "fields", "filter", "filters",
		"aggregation", "breakout", "order-by", "limit", "page", "expressions", "joins", "native", "query", "template-tags", "collection")
	joinKeys = keySet("lib/type", "source-table", "source-card", "source-query", "source-metadata", "stages", "alias", "strategy",
		"condition", "conditions", "fields", "ident")
	tagKeys = keySet("id", "name", "display-name", "type", "required", "default", "dimension", "widget-type", "card-id",
		"snippet-id", "snippet-name", "options", "alias")
)

func keySet(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// spell is the normal spelling of a word of the language.
func spell(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }

// respell returns the object with the keys of a set spelled as they should be. A
// key that has the right spelling already wins over one that has not.
func respell(o *object, known map[string]bool) *object {
	out := newObject()
	for _, k := range o.keys {
		right := spell(k)
		switch {
		case !known[right]:
			out.set(k, o.vals[k])
		case right == k || !o.has(right):
			out.set(right, o.vals[k])
		}
	}
	return out
}

// normalize returns a sent query with its keys spelled right, numbers that came
// as text made numbers, tags that came as a list made a map, and its type said.
// Clauses stay as they were sent.
func normalize(o *object) *object {
	o = respell(o, queryKeys)
	fix(o, "database", integer)
	if isFive(o) {
		fix(o, "lib/type", func(any) any { return "mbql/query" })
		fixEach(o, "stages", normalStage)
		return o
	}
	fix(o, "type", func(v any) any { return spell(text(v)) })
	if text(o.get("type")) == "" {
		inferType(o)
	}
	fixObject(o, "native", normalNative)
	fixObject(o, "query", normalStage)
	return o
}

func isFive(o *object) bool {
	return o.has("stages") || strings.EqualFold(text(o.get("lib/type")), "mbql/query")
}

func inferType(o *object) {
	switch {
	case isObject(o.get("native")):
		o.set("type", TypeNative)
	case isObject(o.get("query")):
		o.set("type", TypeQuery)
	}
}

// normalNative is the inner part of a legacy native query.
func normalNative(o *object) *object {
	o = respell(o, stageKeys)
	fix(o, "template-tags", normalTags)
	return o
}

// normalStage is a stage, or the inner query that is one.
func normalStage(o *object) *object {
	o = respell(o, stageKeys)
	fix(o, "template-tags", normalTags)
	for _, k := range []string{"source-table", "source-card", "limit"} {
		fix(o, k, integer)
	}
	fixObject(o, "page", func(page *object) *object {
		page = respell(page, keySet("page", "items"))
		fix(page, "page", integer)
		fix(page, "items", integer)
		return page
	})
	fixObject(o, "source-query", normalStage)
	fixEach(o, "joins", normalJoin)
	return o
}

func normalJoin(o *object) *object {
	o = respell(o, joinKeys)
	fix(o, "source-table", integer)
	fix(o, "source-card", integer)
	fixObject(o, "source-query", normalStage)
	fixEach(o, "stages", normalStage)
	return o
}

// normalTags makes a map of template tags that came as a list, which clients
// send from 0.63 on.
func normalTags(v any) any {
	out := newObject()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			tag, _ := e.(*object)
			name := text(tag.get("name"))
			if name == "" {
				return v // refused later, with a message
			}
			out.set(name, respell(tag, tagKeys))
		}
		return out
	case *object:
		for _, k := range v.keys {
			out.set(k, v.vals[k])
			fixObject(out, k, func(tag *object) *object { return respell(tag, tagKeys) })
		}
		return out
	}
	return v
}

// fix changes the value of a key that is there. The object must be fresh.
func fix(o *object, key string, change func(any) any) {
	if o.has(key) {
		o.vals[key] = change(o.vals[key])
	}
}

func fixObject(o *object, key string, change func(*object) *object) {
	if inner, ok := o.get(key).(*object); ok {
		o.vals[key] = change(inner)
	}
}

func fixEach(o *object, key string, change func(*object) *object) {
	list, ok := o.get(key).([]any)
	if !ok {
		return
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = e
		if inner, ok := e.(*object); ok {
			out[i] = change(inner)
		}
	}
	o.vals[key] = out
}

// integer makes a number of a text that is one, and a card of "card__77" is
// left for the source to read.
func integer(v any) any {
	if s, ok := v.(string); ok {
		if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
			return jsonInt(n)
		}
	}
	return v
}

func jsonInt(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// number reads a whole number.
func number(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}
