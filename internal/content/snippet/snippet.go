package snippet

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// Snippet is a piece of SQL: the shared record with its text.
type Snippet struct {
	content.Item
	Content string
}

// New is a snippet to be made.
type New struct {
	Name         string
	Content      string
	Description  *string
	CollectionID int64 // a folder of snippets, or the root
}

// Change is what to change of a snippet; what is absent or, except for the
// description and the folder, null stays.
type Change struct {
	Name         opt.Value[string]
	Content      opt.Value[string]
	Description  opt.Value[string]
	CollectionID opt.Value[int64]
	Archived     opt.Value[bool]
}

// Tag is something that the text of a snippet leaves open.
type Tag struct {
	ID          string
	Name        string
	DisplayName string
	Type        string // text, card or snippet
}

// maxContent bounds the text, in bytes.
const maxContent = 1 << 20

// checkName refuses names that cannot stand in {{snippet: Name}}. It returns
// Invalid at "name".
func checkName(name string) error {
	if err := content.CheckName(name); err != nil {
		return err
	}
	first := []rune(name)[0]
	if unicode.IsSpace(first) || strings.Contains(name, "}") {
		return fault.Field("name", "snippet names cannot include '}' or start with spaces")
	}
	return nil
}

// checkContent refuses texts that are too long. It returns Invalid at "content".
func checkContent(text string) error {
	if len(text) > maxContent {
		return fault.Field("content", "value must be at most %d bytes long.", maxContent)
	}
	return nil
}

// taken is the fault of a name that another snippet has
// (contract/content-data.md 8.2).
func taken() error {
	return fault.New(fault.Invalid, "A snippet with that name already exists. Please pick a different name.")
}

// Tags returns what the text of the snippet leaves open, each once. Their ids
// stay the same.
func (s Snippet) Tags() []Tag {
	var out []Tag
	seen := map[string]bool{}
	for _, t := range mbql.ScanTags(s.Content) {
		if seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		out = append(out, Tag{
			ID:   uuid.NewSHA1(uuid.NameSpaceOID, []byte(s.EntityID+"/"+t.Name)).String(),
			Name: t.Name, DisplayName: title(t.Name), Type: typeOf(t),
		})
	}
	return out
}

func typeOf(t mbql.Tag) string {
	switch t.Kind {
	case mbql.Snippet:
		return mbql.TagSnippet
	case mbql.Card:
		return mbql.TagCard
	}
	return mbql.TagText
}

// title writes the name of a tag for people: "created_at" is "Created at".
func title(name string) string {
	words := strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' }), " ")
	runes := []rune(cmp.Or(words, name))
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}
