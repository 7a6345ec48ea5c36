package sqlite

import (
	"strings"

	"latchkey/internal/engine"
)

// single makes sure that a text is one statement that reads. The authorizer
// decides what a statement may do; this gives better messages, and keeps the
// driver from running what stands behind the first semicolon.
func single(text string) error {
	if strings.ContainsRune(text, 0) {
		return refused(engine.Invalid, "The query must not contain null characters.")
	}
	first, rest := split(text)
	word := strings.ToUpper(firstWord(first))
	switch {
	case word == "":
		return refused(engine.Invalid, "The query is empty.")
	case firstWord(rest) != "" || strings.Trim(bare(rest), "; \t\r\n\f\v") != "":
		return refused(engine.Forbidden, "A query is one statement: nothing may follow the semicolon.")
	case !readingWords[word]:
		return refused(engine.Forbidden, "Queries only read: a statement begins with SELECT, WITH, VALUES or EXPLAIN, not with "+word+".")
	}
	return nil
}

var readingWords = map[string]bool{"SELECT": true, "WITH": true, "VALUES": true, "EXPLAIN": true}

func refused(kind engine.Kind, message string) error {
	return &engine.Error{Kind: kind, Message: message}
}

// split cuts a text at the first semicolon that ends a statement.
func split(text string) (first, rest string) {
	for i := 0; i < len(text); {
		if text[i] == ';' {
			if strings.TrimSpace(bare(text[:i])) == "" { // an empty statement is none
				text, i = text[i+1:], 0
				continue
			}
			return text[:i], text[i+1:]
		}
		i += token(text[i:])
	}
	return text, ""
}

// token returns the length of the token at the beginning of a text: a comment,
// a literal, a quoted name, or one byte.
func token(s string) int {
	switch {
	case strings.HasPrefix(s, "--"):
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i + 1
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		if i := strings.Index(s[2:], "*/"); i >= 0 {
			return i + 4
		}
		return len(s)
	case s[0] == '\'' || s[0] == '"' || s[0] == '`':
		return quoted(s, s[0])
	case s[0] == '[':
		return quoted(s, ']')
	}
	return 1
}

// quoted returns the length of a quoted text; a doubled quote is part of it.
func quoted(s string, end byte) int {
	for i := 1; i < len(s); i++ {
		if s[i] != end {
			continue
		}
		if end != ']' && i+1 < len(s) && s[i+1] == end {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}

// bare returns a text without its comments.
func bare(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		n := token(text[i:])
		if t := text[i : i+n]; strings.HasPrefix(t, "--") || strings.HasPrefix(t, "/*") {
			b.WriteByte(' ')
		} else {
			b.WriteString(t)
		}
		i += n
	}
	return b.String()
}

// firstWord returns the letters at the beginning of a text, behind comments and
// opening brackets.
func firstWord(text string) string {
	s := strings.TrimLeft(bare(text), " \t\r\n\f\v(")
	end := strings.IndexFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' })
	if end < 0 {
		return s
	}
	return s[:end]
}
