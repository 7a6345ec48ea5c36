package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"latchkey/internal/endpoint"
)

// wholeBody is the field that a body is reported under when it is no object.
const wholeBody = "_error"

// validationBody is the 400 of contract/identity.md 0.5.
func validationBody(e *endpoint.ValidationError) any {
	texts, specific := map[string]any{}, map[string]any{}
	fill(texts, specific, e.Fields)
	return map[string]any{"errors": texts, "specific-errors": specific}
}

func fill(texts, specific map[string]any, fields []endpoint.FieldProblem) {
	for _, f := range fields {
		name := f.Name
		if name == "" {
			name = wholeBody
		}
		texts[name], specific[name] = describe(f.Problem)
	}
}

// describe renders a problem: what was wanted, and how the value fails.
// Problems inside a nested map nest, unless the map lacks everything that it
// must have: then the map itself is described (2.2, prefs). Problems inside a
// list stand at their place, with null for the items that are fine.
func describe(p *endpoint.Problem) (text, specific any) {
	switch {
	case p.Fields != nil && lacksAll(p):
		return want(p.Want), []string{"missing required key, received: nil"}
	case p.Fields != nil:
		texts, specifics := map[string]any{}, map[string]any{}
		fill(texts, specifics, p.Fields)
		return texts, specifics
	case p.Items != nil:
		list := make([]any, len(p.Items))
		for i, item := range p.Items {
			if item != nil {
				_, list[i] = describe(item)
			}
		}
		return want(p.Want), list
	}
	all := make([]string, len(p.Failed))
	for i, f := range p.Failed {
		all[i] = failure(p, f) + ", received: " + received(p)
	}
	return want(p.Want), all
}

// lacksAll reports whether none of the required members is there.
func lacksAll(p *endpoint.Problem) bool {
	required, missing := 0, 0
	for _, f := range p.Want.Fields {
		if f.Required {
			required++
		}
	}
	for _, f := range p.Fields {
		if slices.Contains(f.Failed, endpoint.Missing) {
			missing++
		}
	}
	return required > 0 && missing == required
}

// Bounds of what an answer repeats of a request.
const (
	hiddenValue = `"***"`
	maxEcho     = 1000
)

// received prints a value the way Clojure does. Secrets are not repeated,
// whatever type they came as, and long values are cut.
func received(p *endpoint.Problem) string {
	if p.Want.Secret && p.Received != nil {
		return hiddenValue
	}
	var b strings.Builder
	printValue(&b, p.Received)
	if s := b.String(); len(s) > maxEcho {
		return strings.ToValidUTF8(s[:maxEcho], "") + "..."
	}
	return b.String()
}

// printValue writes nil, true, 5, "text", [1 2] and {:a 1, :b 2}. It stops
// soon after what is shown at most.
func printValue(b *strings.Builder, v any) {
	if b.Len() > maxEcho {
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("nil")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case json.Number:
		b.WriteString(v.String())
	case string:
		printString(b, v)
	case []any:
		printList(b, v)
	case map[string]any:
		printMap(b, v)
	}
}

func printString(b *strings.Builder, s string) {
	if len(s) > maxEcho {
		s = s[:maxEcho]
	}
	escapes := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\f", `\f`, "\b", `\b`)
	b.WriteString(`"` + escapes.Replace(strings.ToValidUTF8(s, "\uFFFD")) + `"`)
}

func printList(b *strings.Builder, list []any) {
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		if b.Len() > maxEcho {
			return
		}
		printValue(b, v)
	}
	b.WriteByte(']')
}

func printMap(b *strings.Builder, m map[string]any) {
	b.WriteByte('{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > maxEcho {
			return
		}
		b.WriteString(":" + strings.ToValidUTF8(key, "\uFFFD") + " ")
		printValue(b, m[key])
	}
	b.WriteByte('}')
}
