package seed

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// parser reads the nodes of one file and collects what is wrong.
type parser struct {
	name     string
	environ  func(string) (string, bool)
	mistakes []error
}

func (p *parser) bad(line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, fmt.Errorf("%s:%d: %s", p.name, line, fmt.Sprintf(format, args...)))
}

// badFields reports the fields of a fault, behind what they belong to.
func (p *parser) badFields(line int, what string, err error) {
	for field, text := range fault.As(err).Fields {
		p.bad(line, "%s: %s %s", what, field, text)
	}
}

func plain(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// object returns the members of a mapping; one that is null is absent. An
// unknown member is a mistake.
func (p *parser) object(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	n = plain(n)
	out := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		p.bad(n.Line, "%s: must be a mapping with: %s", what, strings.Join(known, ", "))
		return out
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], plain(n.Content[i+1])
		switch {
		case !slices.Contains(known, key.Value):
			p.bad(key.Line, "%sunknown member %q; the members are: %s", prefixed(what), key.Value, strings.Join(known, ", "))
		case seen[key.Value]:
			p.bad(key.Line, "%s%s stands twice; keep one", prefixed(what), key.Value)
		case !isNull(value):
			out[key.Value] = value
		}
		seen[key.Value] = true
	}
	return out
}

func prefixed(what string) string {
	if what == "" {
		return ""
	}
	return what + ": "
}

// items returns the entries of a list; an absent one has none.
func (p *parser) items(n *yaml.Node, what string) []*yaml.Node {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.bad(n.Line, "%s: must be a list", what)
		return nil
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = plain(item)
	}
	return out
}

// text returns a text. Numbers and the like must stand in quotes, so that
// nothing is read otherwise than it was meant.
func (p *parser) text(n *yaml.Node, what string) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.bad(n.Line, "%s: must be a text; put it in quotes", what)
		return "", false
	}
	return n.Value, true
}

// optional returns a text that may be absent.
func (p *parser) optional(n *yaml.Node, what string) opt.Value[string] {
	if s, ok := p.text(n, what); ok {
		return opt.Of(s)
	}
	return opt.Value[string]{}
}

// texts returns a list of texts that may be absent.
func (p *parser) texts(n *yaml.Node, what string) opt.Value[[]string] {
	if n == nil {
		return opt.Value[[]string]{}
	}
	out := []string{}
	for _, item := range p.items(n, what) {
		if s, ok := p.text(item, what); ok {
			out = append(out, s)
		}
	}
	return opt.Of(out)
}

// required returns a text that must be there and not blank.
func (p *parser) required(parent, n *yaml.Node, what string) (string, bool) {
	if n == nil {
		p.bad(parent.Line, "%s is missing", what)
		return "", false
	}
	s, ok := p.text(n, what)
	if ok && strings.TrimSpace(s) == "" {
		p.bad(n.Line, "%s is blank", what)
		return "", false
	}
	return s, ok
}

// number returns a whole number from 0 that may be absent.
func (p *parser) number(n *yaml.Node, what string) int {
	if n == nil {
		return 0
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < 0 || n.Tag != "!!int" {
		p.bad(n.Line, "%s: must be a whole number", what)
		return 0
	}
	return v
}

// flag returns true or false; absent is false.
func (p *parser) flag(n *yaml.Node, what string) bool {
	if n == nil {
		return false
	}
	if n.Tag != "!!bool" {
		p.bad(n.Line, "%s: must be true or false", what)
	}
	return strings.EqualFold(n.Value, "true")
}

// The bounds of what is read as a tree: more is a mistake, or a trap.
const (
	maxDepth = 8
	maxNodes = 100_000
)

// tree returns a node as encoding/json takes it.
func (p *parser) tree(n *yaml.Node, what string) any {
	left := maxNodes
	v, ok := p.branch(n, maxDepth, &left)
	if !ok {
		p.bad(n.Line, "%s: is too deep or too long", what)
	}
	return v
}

func (p *parser) branch(n *yaml.Node, depth int, left *int) (any, bool) {
	n = plain(n)
	*left--
	if depth == 0 || *left < 0 {
		return nil, false
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, ok := p.branch(n.Content[i+1], depth-1, left)
			if !ok {
				return nil, false
			}
			out[n.Content[i].Value] = v
		}
		return out, true
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			v, ok := p.branch(item, depth-1, left)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	}
	return scalar(n), true
}

// scalar returns a plain value; what is no number, truth or null is a text.
func scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return v
		}
	}
	return n.Value
}
