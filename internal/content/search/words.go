package search

import (
	"strings"
	"unicode"
)

// Bounds of what counts of a text, so that no text makes a search slow.
const (
	maxWords  = 32
	maxLetter = 100 // of a word
)

// words returns the words of a text in lower case. Punctuation of ASCII parts
// words, as it does in the index; what other characters do is for the
// database. Words without a letter or digit are none.
func words(text string) []string {
	parts := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r < unicode.MaxASCII && !letterOrDigit(r)
	})
	var out []string
	for _, w := range parts {
		if !strings.ContainsFunc(w, letterOrDigit) || len(out) == maxWords {
			continue
		}
		runes := []rune(w)
		out = append(out, string(runes[:min(len(runes), maxLetter)]))
	}
	return out
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// sqliteMatch writes a search for FTS5. Every word is quoted, so that nothing
// in it is an operator.
func sqliteMatch(words []string, inSQL bool) string {
	var b strings.Builder
	if !inSQL {
		b.WriteString("{name description} : ")
	}
	b.WriteByte('(')
	for i, w := range words {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(`"` + strings.ReplaceAll(w, `"`, `""`) + `"`)
	}
	b.WriteString(" *)")
	return b.String()
}

// postgresMatch writes a search for to_tsquery, quoted in the same way.
func postgresMatch(words []string, inSQL bool) string {
	weights := "AB"
	if inSQL {
		weights = "ABC"
	}
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(" & ")
		}
		b.WriteString("'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(w) + "':")
		if i == len(words)-1 {
			b.WriteByte('*')
		}
		b.WriteString(weights)
	}
	return b.String()
}

// matches reports whether a text holds all words, the last one by its
// beginning: what the databases do for items.
func matches(query []string, text string) bool {
	if len(query) == 0 {
		return true
	}
	have := map[string]bool{}
	last := query[len(query)-1]
	begins := false
	for _, w := range words(text) {
		have[w] = true
		begins = begins || strings.HasPrefix(w, last)
	}
	for _, w := range query[:len(query)-1] {
		if !have[w] {
			return false
		}
	}
	return begins
}
