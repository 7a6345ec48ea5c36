package mbql

import (
	"encoding/json"
	"strings"
)

// The types of a template tag (contract/content-data.md 6.6).
const (
	TagText         = "text"
	TagNumber       = "number"
	TagDate         = "date"
	TagBoolean      = "boolean"
	TagDimension    = "dimension" // a field filter
	TagCard         = "card"
	TagSnippet      = "snippet"
	TagTemporalUnit = "temporal-unit"
)

// TemplateTag says what a {{tag}} in the SQL takes.
type TemplateTag struct {
	ID          string
	Name        string
	DisplayName string
	Type        string // TagText and the others
	Required    bool
	Default     json.RawMessage // nil when there is none
	Dimension   Dimension       // of a TagDimension or TagTemporalUnit
	Alias       string          // the SQL to use in place of the field's name, or ""
	WidgetType  string          // of a TagDimension, such as date/range or string/=; "" when unsaid
	Options     json.RawMessage // of the widget, such as {"case-sensitive":false}; nil when unsaid
	CardID      int64           // of a TagCard
	SnippetID   int64           // of a TagSnippet that names its snippet by id
	SnippetName string          // of a TagSnippet
	Inferred    bool            // it stands in the SQL and the query does not declare it
}

// Dimension is the field that a field filter compares.
type Dimension struct {
	FieldID     int64  // 0 when the field is named by its column
	Column      string // "" when it is named by its id
	BaseType    string
	SourceField int64  // the foreign key it is reached by, or 0
	JoinAlias   string // the join it comes from, or ""
}

// IsZero reports whether no field is named.
func (d Dimension) IsZero() bool { return d.FieldID == 0 && d.Column == "" }

// TemplateTags returns the tags of the SQL: those that the query declares, in
// their order, then those that only stand in the SQL, as servers infer them:
// text, or card or snippet by their form.
func (q Query) TemplateTags() []TemplateTag { return tagsOf(q.first()) }

// TemplateTag returns the tag of that name.
func (q Query) TemplateTag(name string) (TemplateTag, bool) {
	for _, t := range q.TemplateTags() {
		if t.Name == name {
			return t, true
		}
	}
	return TemplateTag{}, false
}

func tagsOf(stage *object) []TemplateTag {
	if !isNative(stage) {
		return nil
	}
	var tags []TemplateTag
	seen := map[string]bool{}
	declared, _ := stage.get("template-tags").(*object)
	if declared != nil {
		for _, name := range declared.keys {
			t := declaredTag(name, declared.vals[name])
			seen[tagKey(t.Name)] = true
			tags = append(tags, t)
		}
	}
	for _, t := range ScanTags(text(stage.get("native"))) {
		if key := tagKey(t.Name); !seen[key] {
			seen[key] = true
			tags = append(tags, inferredTag(t))
		}
	}
	return tags
}

// tagKey is the form in which names of tags are compared: a snippet is the same
// with and without a space behind the colon.
func tagKey(name string) string {
	if snippet, ok := strings.CutPrefix(name, "snippet:"); ok {
		return "snippet: " + strings.TrimSpace(snippet)
	}
	return name
}

func declaredTag(key string, v any) TemplateTag {
	o, _ := v.(*object)
	t := TemplateTag{
		ID: text(o.get("id")), Name: text(o.get("name")), DisplayName: text(o.get("display-name")),
		Type: text(o.get("type")), Required: o.get("required") == true,
		Default: rawOrNil(o.get("default")), Options: rawOrNil(o.get("options")),
		Alias: text(o.get("alias")), WidgetType: text(o.get("widget-type")),
		SnippetName: text(o.get("snippet-name")), Dimension: dimensionOf(o.get("dimension")),
	}
	t.CardID, _ = number(o.get("card-id"))
	t.SnippetID, _ = number(o.get("snippet-id"))
	if t.Name == "" {
		t.Name = key
	}
	return fillTag(t, tagNamed(t.Name))
}

func inferredTag(at Tag) TemplateTag {
	return fillTag(TemplateTag{Name: at.Name, Inferred: true}, at)
}

// fillTag gives a tag what its name says and nothing else did.
func fillTag(t TemplateTag, named Tag) TemplateTag {
	if t.Type == "" {
		t.Type = map[Kind]string{Variable: TagText, Card: TagCard, Snippet: TagSnippet}[named.Kind]
	}
	if t.Type == TagCard && t.CardID == 0 {
		t.CardID = named.CardID
	}
	if t.Type == TagSnippet && t.SnippetName == "" {
		t.SnippetName = named.Snippet
	}
	if t.ID == "" {
		t.ID = nameUUID("template-tag", t.Name)
	}
	if t.DisplayName == "" {
		t.DisplayName = displayName(t.Name)
	}
	return t
}

// displayName makes words of a name: created_at becomes Created At.
func displayName(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == ' ' })
	for i, w := range words {
		r := []rune(w)
		words[i] = strings.ToUpper(string(r[0])) + string(r[1:])
	}
	return strings.Join(words, " ")
}

// dimensionOf reads a field of either form. A tag that names none has none.
func dimensionOf(v any) Dimension {
	clause, _ := v.([]any)
	if len(clause) < 2 || clause[0] != "field" {
		return Dimension{}
	}
	opts, ref := fieldParts(clause[1:])
	d := Dimension{BaseType: text(opts.get("base-type")), JoinAlias: text(opts.get("join-alias"))}
	d.SourceField, _ = number(opts.get("source-field"))
	if d.FieldID, _ = number(ref); d.FieldID == 0 {
		d.Column = text(ref)
	}
	return d
}

func rawOrNil(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	return encode(v)
}

// WithTemplateTags returns the query with the tags declared that only stood in
// the SQL, which is how a card is stored.
func (q Query) WithTemplateTags() Query {
	if !q.IsNative() {
		return q
	}
	missing := newObject()
	for _, t := range q.TemplateTags() {
		if t.Inferred {
			missing.set(t.Name, t.object())
		}
	}
	if missing.len() == 0 {
		return q
	}
	if out, err := build(declaring(q.sent, missing)); err == nil {
		return out
	}
	return q
}

func (t TemplateTag) object() *object {
	o := newObject("id", t.ID, "name", t.Name, "display-name", t.DisplayName, "type", t.Type)
	if t.CardID > 0 {
		o.set("card-id", jsonInt(t.CardID))
	}
	if t.SnippetName != "" {
		o.set("snippet-name", t.SnippetName)
	}
	return o
}

// declaring returns the text of a native query, in its own form, with more tags.
func declaring(sent, more *object) *object {
	if stages, ok := sent.get("stages").([]any); ok {
		return sent.with("stages", []any{withTags(stageAt(stages, 0), more)})
	}
	inner, _ := sent.get("native").(*object)
	return sent.with("native", withTags(inner, more))
}

func withTags(o, more *object) *object {
	declared, _ := o.get("template-tags").(*object)
	all := declared.without(func(string) bool { return false })
	for _, k := range more.keys {
		all.set(k, more.vals[k])
	}
	return o.with("template-tags", all)
}
