package query

import (
	"context"
	"fmt"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/engine"
	"latchkey/internal/fault"
	"latchkey/internal/query/mbql"
	"latchkey/internal/warehouse"
)

// given is what callers and cards say about the value of a tag.
type given struct {
	param Parameter
	ok    bool // a parameter names the tag, maybe with null
}

// expander turns an SQL text with tags into a statement. Values only ever
// become arguments; what is spliced into the text are the SQL of cards and
// snippets, and names of columns that we know.
type expander struct {
	service *Service
	ctx     context.Context
	who     *access.Principal
	base    warehouse.Database
	dialect engine.Dialect
	dates   dates

	tags   map[string]mbql.TemplateTag
	given  map[string]given
	args   []any
	within []string // the cards and snippets that are being expanded
	saved  bool     // what is being expanded is saved: its writer was asked about its snippets
	taken  int      // how many cards and snippets the query has taken in
}

// Bounds of what cards and snippets make of a query: how deep they may refer to
// one another, how many a query takes in, each as often as it stands there, and
// how long the SQL may get. Without the second, a few that refer to one another
// several times each would keep the server busy for ever and write nothing.
const (
	maxDepth = 16
	maxTaken = 500
	maxSQL   = 1 << 20
)

// errNoValue leaves out a block.
type noValueError struct{ tag string }

// Error implements error.
func (e *noValueError) Error() string { return "no value for " + e.tag }

// expand writes the statement of a native query.
func (e *expander) expand(sql string) (string, error) {
	nodes, err := parse(sql)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := e.write(&b, nodes, false); err != nil {
		return "", err
	}
	return b.String(), nil
}

// write expands nodes. In a block, a tag without a value is a *noValueError;
// outside, it is a failure.
func (e *expander) write(b *strings.Builder, nodes []node, block bool) error {
	for _, n := range nodes {
		switch {
		case n.block != nil:
			if err := e.writeBlock(b, n.block); err != nil {
				return err
			}
		case n.tag == nil:
			b.WriteString(n.text)
		default:
			sql, err := e.resolve(n, block)
			if err != nil {
				return err
			}
			b.WriteString(sql)
		}
		if b.Len() > maxSQL {
			return failed(Invalid, "The query is too long.")
		}
	}
	return nil
}

func (e *expander) writeBlock(b *strings.Builder, nodes []node) error {
	before := len(e.args)
	var inner strings.Builder
	err := e.write(&inner, nodes, true)
	if _, none := err.(*noValueError); none { //nolint:errorlint // it is never wrapped
		e.args = e.args[:before]
		return nil
	}
	b.WriteString(inner.String())
	return err
}

// arg adds an argument and returns what stands for it.
func (e *expander) arg(v any) string {
	e.args = append(e.args, v)
	return e.dialect.Placeholder(len(e.args))
}

func (e *expander) resolve(n node, block bool) (string, error) {
	tag, ok := e.tags[n.tag.Name]
	if !ok {
		tag = mbql.TemplateTag{Name: n.tag.Name, DisplayName: n.tag.Name, Type: mbql.TagText, CardID: n.tag.CardID, SnippetName: n.tag.Snippet}
	}
	switch n.tag.Kind { // the form counts, whatever the declaration says
	case mbql.Snippet:
		return e.snippet(tag)
	case mbql.Card:
		return e.card(tag)
	}
	if n.quoted {
		return "", failed(Invalid, fmt.Sprintf("Take the quotes away from around {{%s}}: its value is handed over on its own.", n.tag.Name))
	}
	switch tag.Type {
	case mbql.TagDimension:
		return e.filter(tag, block)
	case mbql.TagText, mbql.TagNumber, mbql.TagDate, mbql.TagBoolean, "":
		return e.variable(tag, block)
	}
	return "", failed(Unsupported, fmt.Sprintf("This server does not support parameters of the type %s yet.", tag.Type))
}

// valueOf returns what counts for a tag: the value that was given, or else the
// default. Null and an empty list are no value, unless the tag is required.
func (e *expander) valueOf(tag mbql.TemplateTag) ([]any, error) {
	g := e.given[tag.Name]
	list, err := values(g.param.Value)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && g.param.Value == nil {
		if list, err = values(g.param.Default); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 && (!g.ok || tag.Required) {
		list, err = values(tag.Default)
	}
	if len(list) == 0 && tag.Required && err == nil {
		return nil, &Failure{Kind: Missing, Message: fmt.Sprintf("You'll need to pick a value for '%s' before this query can run.", tag.DisplayName)}
	}
	return list, err
}

// enter notes that a card or snippet is being expanded, and refuses circles.
func (e *expander) enter(what string) error {
	for _, w := range e.within {
		if w == what {
			return failed(Invalid, "This query refers to itself: "+strings.Join(append(e.within, what), " → ")+".")
		}
	}
	if len(e.within) >= maxDepth {
		return failed(Invalid, "Questions and snippets refer to one another too deeply.")
	}
	if e.taken++; e.taken > maxTaken {
		return failed(Invalid, fmt.Sprintf("The query takes in more than %d questions and snippets.", maxTaken))
	}
	if ended := engine.Ended(e.ctx); ended != nil {
		return ended
	}
	e.within = append(e.within, what)
	return nil
}

func (e *expander) leave() { e.within = e.within[:len(e.within)-1] }

// snippet puts the text of a snippet in place. It may hold tags itself.
func (e *expander) snippet(tag mbql.TemplateTag) (string, error) {
	if e.service.Snippet == nil {
		return "", failed(Unsupported, "This server has no snippets.")
	}
	who := e.who
	if e.saved {
		who = nil
	}
	text, err := e.service.Snippet(e.ctx, who, tag.SnippetID, tag.SnippetName)
	if fault.Is(err, fault.NotFound) {
		return "", &Failure{Kind: Invalid, Message: fmt.Sprintf("Snippet %q does not exist.", tag.SnippetName), Err: err}
	}
	if err != nil {
		return "", asFailure(err)
	}
	if err := e.enter("snippet " + tag.SnippetName); err != nil {
		return "", err
	}
	defer e.leave()
	return e.expand(text)
}

// card puts the SQL of a saved question in place, with its own defaults.
func (e *expander) card(tag mbql.TemplateTag) (string, error) {
	if e.service.Card == nil {
		return "", failed(Unsupported, "This server has no saved questions.")
	}
	raw, err := e.service.Card(e.ctx, e.who, tag.CardID)
	if err != nil {
		return "", cardFailure(err, tag.CardID)
	}
	q, err := mbql.Read(raw)
	if err != nil {
		return "", asFailure(err)
	}
	switch {
	case !q.IsNative():
		return "", failed(Unsupported, fmt.Sprintf("Question %d is a structured query, which this server cannot run yet.", tag.CardID))
	case q.Database() != e.base.ID:
		return "", failed(Invalid, fmt.Sprintf("Question %d asks another database.", tag.CardID))
	}
	if err := e.enter(fmt.Sprintf("question %d", tag.CardID)); err != nil {
		return "", err
	}
	defer e.leave()
	tags, values, saved := e.tags, e.given, e.saved
	e.tags, e.given, e.saved = tagsByName(q), nil, true
	sql, err := e.expand(q.NativeText())
	e.tags, e.given, e.saved = tags, values, saved
	if err != nil {
		return "", err
	}
	return "(" + strings.TrimRight(sql, "; \t\r\n") + "\n)", nil
}

func tagsByName(q mbql.Query) map[string]mbql.TemplateTag {
	out := map[string]mbql.TemplateTag{}
	for _, t := range q.TemplateTags() {
		out[t.Name] = t
	}
	return out
}

// cardFailure is the failure of a reference to a question
// (contract/content-data.md 6.3).
func cardFailure(err error, id int64) *Failure {
	f := asFailure(err)
	switch f.Kind {
	case Denied:
		f.Message, f.CardID = fmt.Sprintf("You do not have permissions to view Card %d.", id), id
	case Invalid:
		f.Message = fmt.Sprintf("Card %d does not exist.", id)
	}
	return f
}
