package web

import (
	"strconv"
	"strings"
	"time"

	"latchkey/internal/clock"
)

// input is a field of a form, as the template "input" draws it.
type input struct {
	Name, Label, Value, Error string
	Type                      string
	Hint                      string
	Placeholder               string
	Complete                  string // autocomplete
	Max                       string // characters
	List                      string // id of what is offered while one types
	Required                  bool
	Focus                     bool
	Fixed                     bool // shown, not to be changed
}

// newInput describes a field. options are: required, focus, fixed, and
// type=, hint=, placeholder=, complete=, max=, list=. A field with an error takes the
// focus from all others; passwords never show what was typed.
func newInput(f *form, name, label string, options ...string) input {
	in := input{Name: name, Label: label, Value: f.Get(name), Error: f.Errors[name], Type: "text"}
	for _, o := range options {
		in.option(o)
	}
	if len(f.Errors) > 0 {
		in.Focus = in.Error != "" && !f.focused
		f.focused = f.focused || in.Focus
	}
	if in.Type == "password" {
		in.Value = ""
	}
	return in
}

func (in *input) option(o string) {
	name, value, _ := strings.Cut(o, "=")
	switch name {
	case "required":
		in.Required = true
	case "focus":
		in.Focus = true
	case "fixed":
		in.Fixed = true
	case "type":
		in.Type = value
	case "hint":
		in.Hint = value
	case "placeholder":
		in.Placeholder = value
	case "complete":
		in.Complete = value
	case "max":
		in.Max = value
	case "list":
		in.List = value
	}
}

// Describes returns the ids of the texts that describe the field.
func (in input) Describes() string {
	var ids []string
	if in.Hint != "" {
		ids = append(ids, "hint-"+in.Name)
	}
	if in.Error != "" {
		ids = append(ids, "error-"+in.Name)
	}
	return strings.Join(ids, " ")
}

// search is the search box of a list.
type search struct {
	List  list
	Label string
}

func newSearch(l list, label string) search { return search{l, label} }

// moment is a time as people read it.
type moment struct {
	ISO  string // for machines
	Full string // shown when one points at it
	Text string
}

// newMoments returns the template function that puts times into words.
func newMoments(c clock.Clock) func(t any) moment {
	return func(t any) moment {
		switch v := t.(type) {
		case time.Time:
			return newMoment(v, c.Now())
		case *time.Time:
			if v != nil {
				return newMoment(*v, c.Now())
			}
		}
		return moment{Text: "never"}
	}
}

func newMoment(t, now time.Time) moment {
	if t.IsZero() || t.Unix() == 0 {
		return moment{Text: "never"}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), Full: t.Format("2 January 2006, 15:04 UTC"), Text: since(t, now)}
}

// since says how long ago something was; beyond a week it says the day.
func since(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 0, d >= 7*24*time.Hour:
		return t.Format("2 Jan 2006")
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute", "minutes") + " ago"
	case d < 24*time.Hour:
		return plural(int(d/time.Hour), "hour", "hours") + " ago"
	}
	return plural(int(d/(24*time.Hour)), "day", "days") + " ago"
}

// plural returns a count with its noun. It takes any integer, as templates
// have several kinds.
func plural(n any, one, many string) string {
	if i := toInt(n); i == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number writes a count with commas between thousands.
func number(n any) string {
	s := strconv.FormatInt(toInt(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func toInt(n any) int64 {
	switch v := n.(type) {
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

// inWords writes a length of time.
func inWords(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return plural(int(d/(24*time.Hour)), "day", "days")
	case d%time.Hour == 0:
		return plural(int(d/time.Hour), "hour", "hours")
	case d%time.Minute == 0:
		return plural(int(d/time.Minute), "minute", "minutes")
	}
	return plural(int(d/time.Second), "second", "seconds")
}
