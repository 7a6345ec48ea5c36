package web

import (
	"html"
	"html/template"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestMarkdown is the longest text of a dashboard that is formatted. A
// longer one is shown as it was written.
const longestMarkdown = 20_000

// markdown formats the text of a dashboard: headings, lists, quotes, code,
// emphasis and links to the web. Whatever else is written, HTML above all, is
// text.
func markdown(text string) template.HTML {
	if len(text) > longestMarkdown {
		return template.HTML("<p>" + html.EscapeString(text) + "</p>") //nolint:gosec // escaped
	}
	m := marker{}
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		m.line(strings.TrimRight(line, " \t\n"))
	}
	m.end()
	return template.HTML(m.out.String()) //nolint:gosec // inline and code escape all that was written
}

// marker writes the blocks of a text.
type marker struct {
	out   strings.Builder
	block string   // the open one: p, ul, ol, blockquote, pre, or "" between blocks
	lines []string // of the open block
}

var (
	headingLine = regexp.MustCompile(`^(#{1,6})\s+(.*?)\s*#*$`)
	bulletLine  = regexp.MustCompile(`^\s{0,3}[-*+]\s+(.*)$`)
	numberLine  = regexp.MustCompile(`^\s{0,3}\d{1,9}[.)]\s+(.*)$`)
	quoteLine   = regexp.MustCompile(`^>\s?(.*)$`)
	ruleLine    = regexp.MustCompile(`^\s{0,3}([-*_]\s*){3,}$`)
)

func (m *marker) line(line string) {
	if strings.HasPrefix(line, "```") {
		open := m.block == "pre"
		m.end()
		if !open {
			m.block = "pre"
		}
		return
	}
	if m.block == "pre" {
		m.lines = append(m.lines, line)
		return
	}
	if line == "" {
		m.end()
		return
	}
	if h := headingLine.FindStringSubmatch(line); h != nil {
		m.end()
		// The page and its cards have the headings above these.
		tag := []string{"h3", "h4", "h5"}[min(len(h[1]), 3)-1]
		m.out.WriteString("<" + tag + ">" + inline(h[2]) + "</" + tag + ">")
		return
	}
	if ruleLine.MatchString(line) {
		m.end()
		m.out.WriteString("<hr>")
		return
	}
	for _, kind := range []struct {
		block string
		line  *regexp.Regexp
	}{{"ul", bulletLine}, {"ol", numberLine}, {"blockquote", quoteLine}} {
		if found := kind.line.FindStringSubmatch(line); found != nil {
			m.add(kind.block, found[1])
			return
		}
	}
	if m.block == "ul" || m.block == "ol" { // the line before goes on
		m.lines[len(m.lines)-1] += " " + strings.TrimSpace(line)
		return
	}
	m.add("p", line)
}

func (m *marker) add(block, line string) {
	if m.block != block {
		m.end()
		m.block = block
	}
	m.lines = append(m.lines, line)
}

// end closes the open block.
func (m *marker) end() {
	switch m.block {
	case "p", "blockquote":
		m.out.WriteString("<" + m.block + ">" + inline(strings.Join(m.lines, "\n")) + "</" + m.block + ">")
	case "pre":
		m.out.WriteString("<pre>" + html.EscapeString(strings.Join(m.lines, "\n")) + "</pre>")
	case "ul", "ol":
		m.out.WriteString("<" + m.block + ">")
		for _, line := range m.lines {
			m.out.WriteString("<li>" + inline(line) + "</li>")
		}
		m.out.WriteString("</" + m.block + ">")
	}
	m.block, m.lines = "", nil
}

// inline formats what stands in a line.
func inline(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		if text, n := span(s, i); n > 0 {
			out.WriteString(text)
			i += n
			continue
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		out.WriteString(html.EscapeString(s[i : i+n]))
		i += n
	}
	return out.String()
}

// span formats the span that begins at a place, and returns how long it is, 0
// for none.
func span(s string, at int) (string, int) {
	rest := s[at:]
	switch rest[0] {
	case '\\':
		if len(rest) > 1 && strings.IndexByte("\\`*_[]()#+-.!>", rest[1]) >= 0 {
			return html.EscapeString(rest[1:2]), 2
		}
	case '`':
		if end := strings.IndexByte(rest[1:], '`'); end > 0 {
			return "<code>" + html.EscapeString(rest[1:1+end]) + "</code>", end + 2
		}
	case '[':
		return webLink(rest)
	case '*', '_':
		if rest[0] == '_' && at > 0 && isWord(lastRune(s[:at])) {
			return "", 0 // as in snake_case
		}
		if text, n := emphasis(rest, rest[:1]+rest[:1], "strong"); n > 0 {
			return text, n
		}
		return emphasis(rest, rest[:1], "em")
	}
	return "", 0
}

func emphasis(s, mark, tag string) (string, int) {
	if !strings.HasPrefix(s, mark) || len(s) == len(mark) || s[len(mark)] == ' ' || s[len(mark)] == mark[0] {
		return "", 0
	}
	end := strings.Index(s[len(mark):], mark)
	if end <= 0 || s[len(mark)+end-1] == ' ' {
		return "", 0
	}
	return "<" + tag + ">" + inline(s[len(mark):len(mark)+end]) + "</" + tag + ">", end + 2*len(mark)
}

// webLink formats [text](address), if the address leads to the web or to a page
// of ours.
func webLink(s string) (string, int) {
	label, rest, ok := strings.Cut(s[1:], "](")
	if !ok || strings.ContainsAny(label, "[\n") {
		return "", 0
	}
	address, _, ok := strings.Cut(rest, ")")
	if !ok || !safeAddress(address) {
		return "", 0
	}
	return `<a href="` + html.EscapeString(address) + `" rel="noopener noreferrer">` + inline(label) + "</a>", len(label) + len(address) + 4
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

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
