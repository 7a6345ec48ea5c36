package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"latchkey/internal/content/card"
	"latchkey/internal/export"
	"latchkey/internal/query"
	"latchkey/internal/query/mbql"
)

// questionBody is the page of a question.
type questionBody struct {
	itemHead
	Card   card.Card
	Asked  []asked
	Result *resultTable // nil where only the SQL is shown
}

// Download returns where the whole result is got as a file.
func (b questionBody) Download(format string) string {
	return fmt.Sprintf("/api/card/%d/query/%s", b.Card.ID, format)
}

// Sent returns the values of the parameters as the API takes them.
func (b questionBody) Sent() (string, error) {
	raw, err := json.Marshal(sent(b.Asked))
	return string(raw), err
}

// asked is a parameter that the page asks for.
type asked struct {
	query.Parameter
	Name     string // of the field
	Label    string
	Value    string // as it was typed
	Required bool
}

// questionBody reads what the page of a question shows, without its result.
func (p *page) questionBody(id int64, view string) (questionBody, error) {
	c, err := p.site.Cards.Get(p.ctx(), p.who, id)
	if err != nil {
		return questionBody{}, err
	}
	b := questionBody{Card: c}
	if b.itemHead, err = p.head(c.Item, view); err != nil {
		return b, err
	}
	q, err := mbql.Read(c.Query)
	if err != nil {
		return b, nil //nolint:nilerr // the result says what is wrong with the query
	}
	b.SQL = q.NativeText()
	b.Asked = askedOf(c, q, p.r.URL.Query())
	return b, nil
}

// askedOf returns the parameters of a card, with the values that stand in an
// address by their names. Where the card declares none, those of its SQL count.
func askedOf(c card.Card, q mbql.Query, values url.Values) []asked {
	declared, err := query.ReadParameters(c.Parameters)
	if err != nil || len(declared) == 0 {
		declared = nil
		for _, tag := range q.TemplateTags() {
			if p, ok := tagParameter(tag); ok {
				declared = append(declared, p)
			}
		}
	}
	var names []struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(c.Parameters, &names) // labels only
	out := make([]asked, len(declared))
	for i, d := range declared {
		a := asked{Parameter: d, Name: d.Slug, Label: d.Slug}
		if i < len(names) && names[i].Name != "" {
			a.Label = names[i].Name
		}
		if a.Name == "" {
			a.Name, a.Label = d.ID, d.ID
		}
		if tag, ok := q.TemplateTag(d.Slug); ok {
			a.Required = tag.Required
			if tag.DisplayName != "" {
				a.Label = tag.DisplayName
			}
		}
		a.Value = plainText(d.Default)
		if values.Has(a.Name) {
			a.Value = values.Get(a.Name)
		}
		out[i] = a
	}
	return out
}

// tagParameter is the parameter that a template tag stands for; cards and
// snippets are none.
func tagParameter(tag mbql.TemplateTag) (query.Parameter, bool) {
	kind := "variable"
	p := query.Parameter{ID: tag.ID, Slug: tag.Name, Default: tag.Default, Options: tag.Options}
	switch tag.Type {
	case mbql.TagCard, mbql.TagSnippet:
		return p, false
	case mbql.TagDimension:
		kind, p.Type = "dimension", tag.WidgetType
	case mbql.TagNumber:
		p.Type = "number/="
	case mbql.TagDate:
		p.Type = "date/single"
	default:
		p.Type = "category"
	}
	p.Target, _ = json.Marshal([]any{kind, []any{"template-tag", tag.Name}}) // texts always encode
	return p, true
}

// plainText writes a value of JSON as one types it; several are separated by commas.
func plainText(raw json.RawMessage) string {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil || v == nil {
		return ""
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	words := make([]string, len(list))
	for i, item := range list {
		words[i] = fmt.Sprint(item)
	}
	return strings.Join(words, ", ")
}

// sent returns the values as they are sent. A value that was emptied counts as
// none, also where there is a default.
func sent(all []asked) []query.Parameter {
	out := make([]query.Parameter, 0, len(all))
	for _, a := range all {
		p := a.Parameter
		p.Default, p.Value = nil, json.RawMessage("null")
		if v := strings.TrimSpace(a.Value); v != "" {
			p.Value, _ = json.Marshal(v) // a text always encodes
		}
		out = append(out, p)
	}
	return out
}

// showQuestion runs a question and shows the first rows.
func (p *page) showQuestion() error {
	b, err := p.question("result")
	if err != nil {
		return err
	}
	p.site.Content.Saw(p.who, b.Card.Ref())
	b.Result = p.runStored(query.Stored{Query: b.Card.Query, Parameters: sent(b.Asked), CardID: b.Card.ID})
	return p.show("question", b.Card.Name, b)
}

// showQuestionSQL shows how a question is asked.
func (p *page) showQuestionSQL() error {
	b, err := p.question("sql")
	if err != nil {
		return err
	}
	return p.show("question", b.Card.Name, b)
}

func (p *page) question(view string) (questionBody, error) {
	id, err := p.id()
	if err != nil {
		return questionBody{}, err
	}
	return p.questionBody(id, view)
}

// Formats returns the formats of files.
func (questionBody) Formats() []string { return []string{export.FormatCSV, export.FormatJSON} }

// FormatName returns what a button that gets a file says.
func (questionBody) FormatName(format string) string { return "Download " + strings.ToUpper(format) }
