package bulk

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"latchkey/internal/fault"
)

// The columns of a table of people, and what else they may be called.
var columns = map[string]string{
	"email": "email", "e-mail": "email", "mail": "email", "email_address": "email", "e-mail_address": "email",
	"first_name": "first_name", "firstname": "first_name", "given_name": "first_name",
	"last_name": "last_name", "lastname": "last_name", "surname": "last_name", "family_name": "last_name",
	"groups": "groups", "group": "groups",
}

// textColumns names the columns, for messages.
const textColumns = "The first line names the columns: email, first_name, last_name, groups."

// ReadTable reads people from CSV: a first line that names the columns, and a
// line for each person, whose groups stand in one column with semicolons
// between. Commas, semicolons and tabulators may separate the columns. What
// makes a single line useless is in Line.Err; it returns Invalid when the whole
// table cannot be read, with the line where that ends.
func ReadTable(raw []byte) ([]Line, error) {
	raw, err := plainText(raw)
	if err != nil {
		return nil, err
	}
	head, _, _ := bytes.Cut(raw, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord = separator(head), -1
	names, err := r.Read()
	if err != nil {
		return nil, broken(err)
	}
	places, err := header(names)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for {
		if len(lines) > MaxSteps {
			return lines, nil // which is refused
		}
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, broken(err)
		}
		number, _ := r.FieldPos(0)
		lines = append(lines, tableLine(number, row, places, len(names)))
	}
}

// plainText takes the byte order mark away, and refuses what is no UTF-8.
func plainText(raw []byte) ([]byte, error) {
	if bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return nil, malformed("It is UTF-16. Save it as UTF-8.")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	number := 0
	for line := range bytes.Lines(raw) {
		if number++; !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return nil, malformed("Line " + strconv.Itoa(number) + " is not UTF-8.")
		}
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, malformed("It is empty. " + textColumns)
	}
	return raw, nil
}

func malformed(text string) error { return fault.Coded(fault.Invalid, "malformed-table", "%s", text) }

func broken(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return malformed("Line " + strconv.Itoa(e.Line) + " is no CSV: " + e.Err.Error() + ".")
	}
	return malformed("It is no CSV.")
}

// separator is the sign that stands most often in the first line, which names
// columns and holds nothing else.
func separator(head []byte) rune {
	best, most := ',', 0
	for _, sign := range []rune{',', ';', '\t'} {
		if n := bytes.Count(head, []byte(string(sign))); n > most {
			best, most = sign, n
		}
	}
	return best
}

// header finds the places of the columns.
func header(names []string) (map[string]int, error) {
	places := map[string]int{}
	for i, name := range names {
		plain := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
		column, ok := columns[plain]
		if _, again := places[column]; !ok || again {
			return nil, malformed("The column " + strconv.Quote(name) + " is unknown, or there twice. " + textColumns)
		}
		places[column] = i
	}
	if _, ok := places["email"]; !ok {
		return nil, malformed("There is no column email. " + textColumns)
	}
	return places, nil
}

func tableLine(number int, row []string, places map[string]int, width int) Line {
	l := Line{Number: number}
	if len(row) != width {
		l.Err = fault.New(fault.Invalid, "The line has %d columns, and the first line %d.", len(row), width)
		return l
	}
	cell := func(column string) string {
		i, ok := places[column]
		if !ok {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	l.Email, l.First, l.Last = cell("email"), textOrNil(cell("first_name")), textOrNil(cell("last_name"))
	for name := range strings.SplitSeq(cell("groups"), ";") {
		if name = strings.TrimSpace(name); name != "" {
			l.Groups = append(l.Groups, GroupName{Name: name})
		}
	}
	return l
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// personLine is a line of JSON.
type personLine struct {
	Email  string            `json:"email"`
	First  *string           `json:"first_name"`
	Last   *string           `json:"last_name"`
	Groups []json.RawMessage `json:"groups"`
}

// ReadLines reads people from JSON lines. Blank lines are nothing; what makes a
// line useless is in Line.Err. It returns Invalid for what is no UTF-8.
func ReadLines(raw []byte) ([]Line, error) {
	raw, err := plainText(raw)
	if err != nil {
		return nil, err
	}
	var lines []Line
	number := 0
	for text := range bytes.Lines(raw) {
		number++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if len(lines) > MaxSteps {
			break // which is refused
		}
		l, err := jsonLine(text)
		l.Number, l.Err = number, err
		lines = append(lines, l)
	}
	return lines, nil
}

func jsonLine(text []byte) (Line, error) {
	var p personLine
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return Line{}, lineFault(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Line{}, fault.Coded(fault.Invalid, "malformed-json", "The line is not one JSON value.")
	}
	l := Line{Email: p.Email, First: p.First, Last: p.Last}
	for _, g := range p.Groups {
		name, ok := groupName(g)
		if !ok {
			return l, fault.Field("groups", "Send a list of names or ids of groups.")
		}
		l.Groups = append(l.Groups, name)
	}
	return l, nil
}

func groupName(raw json.RawMessage) (GroupName, bool) {
	var name string
	if json.Unmarshal(raw, &name) == nil && name != "" {
		return GroupName{Name: name}, true
	}
	var id int64
	err := json.Unmarshal(raw, &id)
	return GroupName{ID: id}, err == nil && id > 0
}

// lineFault says what is wrong with a line of JSON, and never shows a value.
func lineFault(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && slices.Contains([]string{"email", "first_name", "last_name", "groups"}, e.Field) {
		return fault.Field(e.Field, "The value is of the wrong kind.")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name, err := strconv.Unquote(name); err == nil {
			return fault.Field(name, "There is no such field.")
		}
	}
	return fault.Coded(fault.Invalid, "malformed-json", "The line is not a JSON object.")
}
