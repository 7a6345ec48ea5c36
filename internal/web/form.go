package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// form is what somebody typed, and what is wrong with it. Secrets are never
// shown again.
type form struct {
	Values  url.Values
	Message string            // what is wrong with the form as a whole
	Errors  map[string]string // what is wrong with a field, by name
	Token   string            // makes the form work one time
	status  int
	focused bool // a field has taken the focus already
}

// newForm returns a form that shows values, given as name and value in turn.
func newForm(pairs ...string) *form {
	f := &form{Values: url.Values{}, Token: newToken(), status: http.StatusOK}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// readForm reads the body of a request. It returns an Invalid fault when it
// is not a form or too large.
func (p *page) readForm() (*form, error) {
	if err := p.r.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "The form could not be read. Please go back and try again.")
	}
	f := newForm()
	f.Values = p.r.PostForm
	return f, nil
}

// Get returns what was typed into a field.
func (f *form) Get(name string) string { return f.Values.Get(name) }

// text returns what was typed, without blanks around it.
func (f *form) text(name string) string { return strings.TrimSpace(f.Get(name)) }

// secret returns what was typed into a password field.
func (f *form) secret(name string) secret.Text { return secret.New(f.Get(name)) }

// optional returns what was typed, or nil for nothing.
func (f *form) optional(name string) *string {
	if t := f.text(name); t != "" {
		return &t
	}
	return nil
}

// id returns the id that was chosen; anything else is 0, which the domain
// refuses.
func (f *form) id(name string) int64 {
	n, err := positive(f.Get(name))
	if err != nil {
		return 0
	}
	return n
}

// ids returns all ids that were chosen.
func (f *form) ids(name string) []int64 {
	var out []int64
	for _, v := range f.Values[name] {
		if n, err := positive(v); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// refused takes a fault into the form when it is one that the person can mend
// by typing something else; any other error is returned. fields names the
// form's fields: a fault at another one is shown above the form.
func (f *form) refused(err error, fields ...string) error {
	e := fault.As(err)
	switch e.Kind {
	case fault.Invalid, fault.Conflict, fault.TooMany, fault.Unauthenticated:
	default:
		return err
	}
	f.status, f.Message, f.Errors = statusOf(e.Kind), sentence(e.Message), map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		text := sentence(e.Fields[name])
		if field := fieldOf(name, fields); field != "" {
			f.Errors[field] = text
			continue
		}
		f.Message = strings.TrimSpace(f.Message + " " + text)
	}
	switch {
	case f.Message == "" && len(f.Errors) == 0:
		f.Message = "That did not work. Please check what you typed."
	case f.Message == "" && f.wrong("restriction"):
		f.Message = "The restriction cannot be like this. Please look at what is marked." // far below, perhaps
	}
	return nil
}

// fieldOf returns the field of a form that a fault's field stands for, or "".
// user.email is the field email; where a form has the field restriction, all
// parts of it keep their names.
func fieldOf(name string, fields []string) string {
	head, _, _ := strings.Cut(name, ".")
	short := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case slices.Contains(fields, head):
		return name
	case slices.Contains(fields, short):
		return short
	}
	return ""
}

// filled reports whether something was typed or chosen in one of the fields.
func (f *form) filled(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return f.text(name) != "" })
}

// wrong reports whether something is wrong with one of the fields, or with a
// part of it.
func (f *form) wrong(names ...string) bool {
	for field := range f.Errors {
		head, _, _ := strings.Cut(field, ".")
		if slices.Contains(names, head) {
			return true
		}
	}
	return false
}

// has reports whether a value is among those chosen for a field.
func (f *form) has(name, value string) bool { return slices.Contains(f.Values[name], value) }

// items returns the words that were typed into a field, split at commas,
// blanks and ends of lines. Nothing typed is nil.
func (f *form) items(name string) []string {
	words := strings.FieldsFunc(f.Get(name), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(words) == 0 {
		return nil
	}
	return words
}

// sentence makes a wire text readable: it begins with a capital letter, and
// the few that say little to a person are said in other words.
func sentence(text string) string {
	switch text {
	case "":
		return ""
	case "did not match stored password":
		return "The e-mail address or the password is wrong."
	case "Invalid password":
		return "This is not your current password."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// finding reports whether the form was sent only to search inside of it, which
// browsers without JavaScript do.
func (f *form) finding() bool { return f.Get("find") != "" }

// at moves what is wrong with the form as a whole to a field, for forms that
// have only one.
func (f *form) at(field string) {
	if len(f.Errors) == 0 && f.Message != "" {
		f.Errors, f.Message = map[string]string{field: f.Message}, ""
	}
}

// formToken returns the token that makes the form work one time, for this
// session only.
func (p *page) formToken(f *form) string {
	if f.Get("token") == "" {
		return ""
	}
	return idText(p.who.SessionID) + " " + f.Get("token")
}

// idText writes an id as it stands in addresses and forms.
func idText(id int64) string { return strconv.FormatInt(id, 10) }

// rowID returns the id of a row, to which a page returns after a dialog.
func rowID(kind string, id int64) string { return kind + "-" + idText(id) }
