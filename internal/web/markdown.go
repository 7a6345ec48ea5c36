package web

import (
	"html"
	"html/template"
	"net/url"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// longestMarkdown is the longest text of a dashboard that is formatted, in
// bytes. A longer one is shown as it was written.
const longestMarkdown = 100_000

// formatter formats the texts of dashboards: CommonMark with tables, struck
// text and addresses that become links. HTML is text like any other, and
// pictures are links to them: a page loads nothing from elsewhere.
type formatter struct{ markdown goldmark.Markdown }

func newFormatter() formatter {
	blocks := []util.PrioritizedValue{ // all of CommonMark but HTML
		util.Prioritized(parser.NewSetextHeadingParser(), 100),
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewCodeBlockParser(), 500),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(parser.NewBlockquoteParser(), 800),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	}
	spans := []util.PrioritizedValue{
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(parser.NewLinkParser(), 200),
		util.Prioritized(parser.NewEmphasisParser(), 500),
	}
	return formatter{goldmark.New(
		goldmark.WithParser(parser.NewParser(
			parser.WithBlockParsers(blocks...), parser.WithInlineParsers(spans...),
			parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
			parser.WithASTTransformers(util.Prioritized(tamer{}, 1000)),
		)),
		goldmark.WithExtensions(
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), // no inline styles
			extension.Strikethrough, extension.Linkify,
		),
	)}
}

// format returns the HTML of a text.
func (f formatter) format(s string) template.HTML {
	var out strings.Builder
	if len(s) > longestMarkdown || f.markdown.Convert([]byte(s), &out) != nil {
		return template.HTML("<p>" + html.EscapeString(s) + "</p>") //nolint:gosec // escaped
	}
	return template.HTML(out.String()) //nolint:gosec // without HTML of its own, with links that tamer has seen
}

// tamer makes a text fit the page: its headings stand below those of the page,
// and its links lead to the web, to mail or to pages of ours.
type tamer struct{}

// Transform implements parser.ASTTransformer.
func (tamer) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var nodes []ast.Node // what is replaced while one walks is walked past
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			nodes = append(nodes, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range nodes {
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(n.Level+2, 5)
		case *ast.Link:
			tame(n, n.Destination)
		case *ast.Image:
			link := ast.NewLink()
			link.Destination, link.Title = n.Destination, n.Title
			adopt(link, n)
			n.Parent().ReplaceChild(n.Parent(), n, link)
			tame(link, link.Destination)
		case *ast.AutoLink:
			tame(n, n.URL(reader.Source()))
		}
	}
}

// tame marks a link as one of somebody, or leaves only its text when it leads
// where it may not.
func tame(link ast.Node, destination []byte) {
	if safeAddress(string(util.URLEscape(destination, true))) {
		link.SetAttributeString("rel", []byte("noopener noreferrer"))
		return
	}
	parent := link.Parent()
	for link.FirstChild() != nil {
		parent.InsertBefore(parent, link, link.FirstChild())
	}
	parent.RemoveChild(parent, link)
}

func adopt(to, from ast.Node) {
	for from.FirstChild() != nil {
		to.AppendChild(to, from.FirstChild())
	}
}

// safeAddress reports whether a link that somebody wrote may lead to an address.
func safeAddress(address string) bool {
	u, err := url.Parse(address)
	if err != nil || strings.ContainsFunc(address, unicode.IsSpace) {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return u.Opaque != ""
	case "":
		return strings.HasPrefix(address, "/") && address == localPath(address)
	}
	return false
}
