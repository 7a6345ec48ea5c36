package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"latchkey/internal/secret"
)

// Command is what one command of the program adds to the shared options.
type Command struct {
	Name  string              // as typed: "serve", "key create"
	Args  string              // what follows the flags, for the usage line: "<name>"
	About string              // a sentence or more, for the help text
	Flags func(*flag.FlagSet) // adds the command's own flags; may be nil

	// AllOptions makes the help text list every shared option, not only those
	// that say where the data is.
	AllOptions bool
}

// Load reads the options of a command without flags or a name of its own; see
// Command.Load.
func Load(args, environ []string, help io.Writer) (*Config, []string, error) {
	return Command{AllOptions: true}.Load(args, environ, help)
}

// Load reads what is in force for one run: the flags in args, over the
// variables in environ (as os.Environ gives them), over the YAML file that
// either names, over the defaults. It returns the arguments that are no flags;
// flags may stand before and after them, and "--" ends the flags.
//
// For -h and --help it writes the help text and returns flag.ErrHelp. Any other
// error has one line for each mistake, which names it and says how to mend it.
func (cmd Command) Load(args, environ []string, help io.Writer) (*Config, []string, error) {
	c := &Config{}
	table := options(c)
	flags, rest, err := cmd.readFlags(table, args)
	if errors.Is(err, flag.ErrHelp) {
		return nil, nil, errors.Join(cmd.writeHelp(help, table), err)
	}
	if err != nil {
		return nil, nil, err
	}
	variables, envErr := readEnviron(table, environ)
	file, fileErr := map[string]value{}, error(nil)
	if v, ok := firstOf("config", flags, variables); ok {
		file, fileErr = readFile(table, v)
	}
	if err := errors.Join(envErr, fileErr); err != nil {
		return nil, nil, err
	}
	if err := c.fill(table, flags, variables, file); err != nil {
		return nil, nil, err
	}
	return c, rest, nil
}

// fill gives each option the value of the first source that has one.
func (c *Config) fill(table []Option, sources ...map[string]value) error {
	c.values = make(map[string]value, len(table))
	var mistakes []error
	for _, o := range table {
		v, err := o.pick(sources)
		if err == nil && (v.text != "" || v.from != fromDefault) {
			err = mistake(v.from, o.store(v))
		}
		if err != nil {
			mistakes = append(mistakes, err)
		}
		if o.Secret && v.text != "" {
			v.text = secret.Hidden
		}
		c.values[o.Name] = v
	}
	if len(mistakes) == 0 {
		mistakes = c.checkTogether()
	}
	c.PepperFile = c.values["pepper"].file
	if c.Pepper.Empty() {
		c.PepperFile = filepath.Join(c.DataDir, "pepper")
	}
	return errors.Join(mistakes...)
}

// store gives the value to the option. An empty value means "nothing" where
// nothing is also the default.
func (o Option) store(v value) error {
	if v.text == "" && o.Default == "" {
		return nil
	}
	return o.set(v.text)
}

// pick returns the value of the first source that has one, reading the file of
// a secret that is given so.
func (o Option) pick(sources []map[string]value) (value, error) {
	for _, source := range sources {
		v, given := source[o.Name]
		f, givenFile := value{}, false
		if o.Secret {
			f, givenFile = source[o.FileName()]
		}
		switch {
		case given && givenFile:
			return v, fmt.Errorf("%s and %s are both set; keep one", v.from, f.from)
		case given:
			return v, nil
		case givenFile:
			return readSecret(f)
		}
	}
	return value{text: o.Default, from: fromDefault}, nil
}

// readSecret reads the file that a secret's value stands in.
func readSecret(v value) (value, error) {
	const limit = 64 << 10
	f, err := os.Open(v.text)
	if err != nil {
		return v, mistake(v.from, fmt.Errorf("cannot read the secret: %w", err))
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	s := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case err != nil:
		err = fmt.Errorf("cannot read the secret: %w", err)
	case len(b) > limit:
		err = fmt.Errorf("%s is too long for a secret", v.text)
	case s == "":
		err = fmt.Errorf("%s is empty; write the secret into it", v.text)
	}
	return value{text: s, from: v.from, file: v.text}, mistake(v.from, err)
}

// checkTogether finds options that do not fit each other.
func (c *Config) checkTogether() []error {
	var all []error
	need := func(wrong bool, option, format string, args ...any) {
		if wrong {
			all = append(all, mistake(c.From(option), fmt.Errorf(format, args...)))
		}
	}
	need(c.AdminEmail != "" && c.AdminPassword.Empty(), "admin-email", "needs a password; set %s", variable("admin-password-file"))
	need(c.AdminEmail == "" && !c.AdminPassword.Empty(), "admin-password", "needs an address; set %s", variable("admin-email"))
	need(c.SMTP.Host != "" && c.SMTP.From == "", "smtp-host", "needs a sender; set %s", variable("smtp-from"))
	need(c.SMTP.User == "" && !c.SMTP.Password.Empty(), "smtp-password", "needs a user name; set %s", variable("smtp-user"))
	need(c.MetricsListen == c.Listen && !strings.HasSuffix(c.Listen, ":0"), "metrics-listen", "is the same as listen; choose another port, or leave it out and set %s", variable("metrics-token-file"))
	need(!c.PepperPrevious.Empty() && samePepper(c.Pepper, c.PepperPrevious), "pepper-previous", "is the same as pepper; leave it out until the pepper has changed")
	return all
}

func samePepper(a, b secret.Text) bool {
	x, errX := pepperBytes(a.Reveal())
	y, errY := pepperBytes(b.Reveal())
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// mistake puts the place of an error before it.
func mistake(where string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", where, err)
}

// firstOf returns the value of the first source that has the name.
func firstOf(name string, sources ...map[string]value) (value, bool) {
	for _, s := range sources {
		if v, ok := s[name]; ok {
			return v, true
		}
	}
	return value{}, false
}
