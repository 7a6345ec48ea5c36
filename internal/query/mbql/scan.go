package mbql

import (
	"strconv"
	"strings"
)

// Kind is what a tag in SQL stands for.
type Kind int

// The kinds of a tag, told by its form (contract/content-data.md 6.6).
const (
	Variable Kind = iota // {{name}}
	Card                 // {{#77}} or {{#77-slug}}
	Snippet              // {{snippet: Name}}
)

// Tag is one {{tag}} in SQL.
type Tag struct {
	Name     string // what stands between the braces, trimmed; the key among the template tags
	Kind     Kind
	CardID   int64  // of a Card
	Snippet  string // the name of a Snippet
	Optional bool   // it stands in a block [[ ]]
	Start    int    // where its first brace is, in bytes
	End      int    // behind its last brace
}

// ScanTags returns the tags of an SQL text in their order, each as often as it
// stands there. What stands in a comment is no tag.
func ScanTags(sql string) []Tag {
	s := scanner{sql: sql}
	for s.at < len(sql) {
		s.step()
	}
	return s.tags
}

type scanner struct {
	sql   string
	at    int
	quote byte // the quote we are in, or 0: "--" in a quoted text begins no comment
	depth int  // of optional blocks
	tags  []Tag
}

func (s *scanner) step() {
	rest := s.sql[s.at:]
	switch {
	case strings.HasPrefix(rest, "{{") && s.tag(rest):
	case s.quote == 0 && strings.HasPrefix(rest, "--"):
		s.skip(rest, "\n")
	case s.quote == 0 && strings.HasPrefix(rest, "/*"):
		s.skip(rest, "*/")
	case strings.HasPrefix(rest, "[["):
		s.depth++
		s.at += 2
	case strings.HasPrefix(rest, "]]") && s.depth > 0:
		s.depth--
		s.at += 2
	default:
		s.turn(rest[0])
		s.at++
	}
}

// turn opens or closes a quoted text. A doubled quote closes and opens again.
func (s *scanner) turn(c byte) {
	switch {
	case s.quote == c:
		s.quote = 0
	case s.quote == 0 && (c == '\'' || c == '"' || c == '`'):
		s.quote = c
	}
}

func (s *scanner) skip(rest, end string) {
	if i := strings.Index(rest[2:], end); i >= 0 {
		s.at += 2 + i + len(end)
		return
	}
	s.at = len(s.sql)
}

// tag takes the tag that rest begins with. It reports false when the braces
// hold nothing that is a name.
func (s *scanner) tag(rest string) bool {
	end := strings.IndexAny(rest[2:], "{}\n")
	if end < 0 || !strings.HasPrefix(rest[2+end:], "}}") {
		return false
	}
	name := strings.TrimSpace(rest[2 : 2+end])
	if name == "" {
		return false
	}
	t := tagNamed(name)
	t.Optional, t.Start = s.depth > 0, s.at
	s.at += end + 4
	t.End = s.at
	s.tags = append(s.tags, t)
	return true
}

// tagNamed tells from its name what a tag stands for.
func tagNamed(name string) Tag {
	if snippet, ok := strings.CutPrefix(name, "snippet:"); ok {
		return Tag{Name: name, Kind: Snippet, Snippet: strings.TrimSpace(snippet)}
	}
	if id, ok := cardOf(name); ok {
		return Tag{Name: name, Kind: Card, CardID: id}
	}
	return Tag{Name: name}
}

// cardOf returns the id in #77 or #77-slug.
func cardOf(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	digits, _, _ = strings.Cut(digits, "-")
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil && id > 0
}
