package config

import (
	"strings"
)

// Prefix begins the name of every environment variable that is read.
const Prefix = "LATCHKEY_"

// Kind says what an option's value looks like. It stands in help texts.
type Kind string

// The kinds of value. A choice is written as its values, such as "text|json".
const (
	Address  Kind = "host:port"
	Path     Kind = "path"
	URL      Kind = "url"
	Text     Kind = "text"
	Email    Kind = "email"
	Number   Kind = "number"
	Minutes  Kind = "minutes"
	Duration Kind = "duration"
	Bytes    Kind = "bytes"
	Switch   Kind = "true|false"
	List     Kind = "list"
)

// Option is one row of the table: something an operator can set.
type Option struct {
	Group   string // heading it stands under in help and reference
	Name    string // flag --name, YAML key name, variable LATCHKEY_NAME
	Kind    Kind
	Default string
	Empty   string // what it means when nothing is set and Default is empty
	Help    string
	Secret  bool // never shown; also read from the file that name-file names

	guesses []string                // other names people try, for the suggestion
	set     func(text string) error // parses, checks and stores in the Config
}

// Flag returns the option's flag.
func (o Option) Flag() string { return "--" + o.Name }

// Variable returns the option's environment variable.
func (o Option) Variable() string { return variable(o.Name) }

// FileName returns the name under which a secret's file is given.
func (o Option) FileName() string { return o.Name + "-file" }

func variable(name string) string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// spellings are all names that set the option.
func (o Option) spellings() []string {
	if o.Secret {
		return []string{o.Name, o.FileName()}
	}
	return []string{o.Name}
}

// names returns every name of the table, and the guesses with what they mean.
func names(table []Option) (known []string, guesses map[string]string) {
	guesses = map[string]string{}
	for _, o := range table {
		known = append(known, o.spellings()...)
		for _, g := range o.guesses {
			guesses[g] = o.Name
		}
	}
	return known, guesses
}
