package query

import (
	"strings"

	"latchkey/internal/query/mbql"
)

// node is a part of an SQL text with tags: plain text, a tag, or a block that
// is left out when one of its tags has no value.
type node struct {
	text   string
	tag    *mbql.Tag
	quoted bool // the tag stands inside quotes
	block  []node
}

// tagged reports whether there is a tag in a list of nodes or its blocks.
func tagged(list []node) bool {
	for _, n := range list {
		if n.tag != nil || tagged(n.block) {
			return true
		}
	}
	return false
}

// parser cuts an SQL text into nodes, by the same rules as mbql.ScanTags.
type parser struct {
	sql   string
	tags  []mbql.Tag
	at    int
	from  int // where the text that is not yet a node begins
	quote byte
	open  [][]node // the blocks that are open, and at first the text itself
}

// maxBlocks is how deep blocks may lie in one another. What is done for each
// grows with its depth.
const maxBlocks = 100

// parse cuts an SQL text into nodes. A block without a tag is plain text.
func parse(sql string) ([]node, error) {
	p := parser{sql: sql, tags: mbql.ScanTags(sql), open: [][]node{nil}}
	for p.at < len(sql) {
		if err := p.step(); err != nil {
			return nil, err
		}
	}
	p.flush(len(sql))
	for len(p.open) > 1 {
		inner := p.pop()
		if tagged(inner) {
			return nil, failed(Invalid, "Invalid query: found '[[' with no matching ']]'.")
		}
		p.add(node{text: "[["})
		p.add(inner...)
	}
	return p.open[0], nil
}

func (p *parser) add(list ...node) {
	last := len(p.open) - 1
	p.open[last] = append(p.open[last], list...)
}

func (p *parser) pop() []node {
	last := len(p.open) - 1
	inner := p.open[last]
	p.open = p.open[:last]
	return inner
}

// flush makes a node of the text up to here.
func (p *parser) flush(end int) {
	if end > p.from {
		p.add(node{text: p.sql[p.from:end]})
	}
	p.from = end
}

func (p *parser) step() error {
	rest := p.sql[p.at:]
	switch {
	case len(p.tags) > 0 && p.tags[0].Start == p.at:
		p.flush(p.at)
		p.add(node{tag: &p.tags[0], quoted: p.quote != 0})
		p.at, p.from = p.tags[0].End, p.tags[0].End
		p.tags = p.tags[1:]
	case p.quote == 0 && strings.HasPrefix(rest, "{{"):
		return failed(Invalid, "Invalid query: found '{{' with no matching '}}'.")
	case p.quote == 0 && strings.HasPrefix(rest, "--"):
		p.skip(rest, "\n")
	case p.quote == 0 && strings.HasPrefix(rest, "/*"):
		p.skip(rest, "*/")
	case strings.HasPrefix(rest, "[["):
		if len(p.open) > maxBlocks {
			return failed(Invalid, "Invalid query: blocks in [[ ]] lie in one another too deeply.")
		}
		p.flush(p.at)
		p.open = append(p.open, nil)
		p.at, p.from = p.at+2, p.at+2
	case strings.HasPrefix(rest, "]]") && len(p.open) > 1:
		p.close()
	default:
		p.turn(rest[0])
		p.at++
	}
	return nil
}

// close ends the innermost block.
func (p *parser) close() {
	p.flush(p.at)
	p.at, p.from = p.at+2, p.at+2
	inner := p.pop()
	if tagged(inner) {
		p.add(node{block: inner})
		return
	}
	p.add(node{text: "[["})
	p.add(inner...)
	p.add(node{text: "]]"})
}

// skip passes over a comment, which stays as it is.
func (p *parser) skip(rest, end string) {
	if i := strings.Index(rest[2:], end); i >= 0 {
		p.at += 2 + i + len(end)
		return
	}
	p.at = len(p.sql)
}

func (p *parser) turn(c byte) {
	switch {
	case p.quote == c:
		p.quote = 0
	case p.quote == 0 && (c == '\'' || c == '"' || c == '`'):
		p.quote = c
	}
}
