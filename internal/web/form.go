package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
		short := name[strings.LastIndexByte(name, '.')+1:] // user.email is the field email
		if slices.Contains(fields, short) {
			f.Errors[short] = text
			continue
		}
		f.Message = strings.TrimSpace(f.Message + " " + text)
	}
	if f.Message == "" && len(f.Errors) == 0 {
		f.Message = "That did not work. Please check what you typed."
	}
	return nil
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
