package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// vocabulary is what may be written in one source.
type vocabulary struct {
	known   []string
	guesses map[string]string
	noun    string              // "flag"
	spell   func(string) string // how a name is written there
}

func vocabularyOf(table []Option, noun string, spell func(string) string) vocabulary {
	known, guesses := names(table)
	return vocabulary{known, guesses, noun, spell}
}

// unknown is the error for a name that the source does not have.
func (v vocabulary) unknown(where, name string) error {
	meant := v.guesses[name]
	if plain := strings.TrimSuffix(name, "-file"); slices.Contains(v.known, plain) {
		meant = plain
	} else if meant == "" {
		meant = Suggest(name, v.known)
	}
	if meant == "" {
		return fmt.Errorf("%s: there is no such %s; remove it, or see latchkey config --help for all", where, v.noun)
	}
	return fmt.Errorf("%s: there is no such %s; did you mean %s?", where, v.noun, v.spell(meant))
}

// shared is the value of a shared option on the command line. It keeps the
// text as it is: all sources are checked in one place.
type shared struct {
	text string
	kind Kind
}

func (s *shared) String() string   { return s.text }
func (s *shared) IsBoolFlag() bool { return s.kind == Switch }

// Set keeps the value; a list that is given again grows.
func (s *shared) Set(text string) error {
	if s.kind == List && s.text != "" {
		text = s.text + "," + text
	}
	s.text = text
	return nil
}

// flagSet holds the shared flags and those of the command.
func (cmd Command) flagSet(table []Option) *flag.FlagSet {
	fs := flag.NewFlagSet(cmd.Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	for _, o := range table {
		fs.Var(&shared{kind: o.Kind}, o.Name, o.Help)
		if o.Secret {
			fs.Var(&shared{kind: Path}, o.FileName(), o.Help)
		}
	}
	if cmd.Flags != nil {
		cmd.Flags(fs)
	}
	return fs
}

// readFlags walks the arguments. The package flag stops at the first argument
// that is no flag and repeats the values of secrets in its errors, so the walk
// is ours and only the registry is its.
func (cmd Command) readFlags(table []Option, args []string) (map[string]value, []string, error) {
	fs := cmd.flagSet(table)
	words := vocabularyOf(table, "flag", func(n string) string { return "--" + n })
	fs.VisitAll(func(f *flag.Flag) { words.known = append(words.known, f.Name) })
	var rest []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			rest = append(rest, args...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		used, err := setFlag(fs, words, arg, args)
		if err != nil {
			return nil, nil, err
		}
		args = args[used:]
	}
	given := map[string]value{}
	fs.Visit(func(f *flag.Flag) {
		if s, ok := f.Value.(*shared); ok {
			given[f.Name] = value{text: s.text, from: "--" + f.Name}
		}
	})
	return given, rest, nil
}

// setFlag sets the flag in arg and says how many of the next arguments it took.
func setFlag(fs *flag.FlagSet, words vocabulary, arg string, next []string) (int, error) {
	name, text, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	f := fs.Lookup(name)
	if f == nil {
		if name == "h" || name == "help" {
			return 0, flag.ErrHelp
		}
		return 0, words.unknown("--"+name, name)
	}
	used := 0
	if b, ok := f.Value.(interface{ IsBoolFlag() bool }); !hasValue && ok && b.IsBoolFlag() {
		text = "true"
	} else if !hasValue {
		if len(next) == 0 {
			return 0, fmt.Errorf("--%s: needs a value; write --%s=<value>", name, name)
		}
		text, used = next[0], 1
	}
	if err := fs.Set(name, text); err != nil {
		return 0, fmt.Errorf("--%s: %q does not fit: %w", name, text, err)
	}
	return used, nil
}

// readEnviron returns the options that the environment sets. A variable that
// is empty counts as not set, as container files write it.
func readEnviron(table []Option, environ []string) (map[string]value, error) {
	words := vocabularyOf(table, "variable", variable)
	given := map[string]value{}
	var mistakes []error
	for _, pair := range environ {
		key, text, _ := strings.Cut(pair, "=")
		bare, ours := strings.CutPrefix(key, Prefix)
		name := strings.ReplaceAll(strings.ToLower(bare), "_", "-")
		switch {
		case !ours || isForOthers(key, text):
		case !slices.Contains(words.known, name) || variable(name) != key:
			mistakes = append(mistakes, words.unknown(key, name))
		case text != "":
			given[name] = value{text: text, from: key}
		}
	}
	slices.SortFunc(mistakes, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return given, errors.Join(mistakes...)
}

// isForOthers reports whether a variable with our prefix is not for us: the two
// that clients of the API use, and those that Kubernetes makes in every
// container beside a service named "latchkey".
func isForOthers(key, text string) bool {
	switch key {
	case Prefix + "API_KEY", Prefix + "URL":
		return true
	case Prefix + "PORT":
		return strings.Contains(text, "://")
	}
	made := regexp.MustCompile(`^` + Prefix + `(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	return made.MatchString(key)
}

// readFile returns the options that the YAML file sets.
func readFile(table []Option, path value) (map[string]value, error) {
	if path.text == "" {
		return nil, nil
	}
	f, err := os.Open(path.text)
	if err != nil {
		return nil, mistake(path.from, fmt.Errorf("cannot read the configuration file: %w", err))
	}
	defer func() { _ = f.Close() }()
	var doc, more yaml.Node
	loader, err := yaml.NewLoader(f)
	if err != nil {
		return nil, mistake(path.text, err)
	}
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: is not YAML: %s", path.text, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if !errors.Is(loader.Load(&more), io.EOF) {
		return nil, fmt.Errorf("%s: holds more than one document; remove what follows the line ---", path.text)
	}
	return readDocument(table, path.text, &doc)
}

// readDocument reads a mapping from names to values.
func readDocument(table []Option, path string, doc *yaml.Node) (map[string]value, error) {
	root := doc.Content[0]
	if isNull(root) {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: is not a list of options; write lines such as listen: 127.0.0.1:3000", path)
	}
	words := vocabularyOf(table, "option", func(n string) string { return n })
	given := map[string]value{}
	var mistakes []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key := root.Content[i]
		name := strings.ReplaceAll(key.Value, "_", "-")
		where := fmt.Sprintf("%s:%d (%s)", path, key.Line, key.Value)
		text, set, err := nodeText(kindOf(table, name), root.Content[i+1])
		switch _, twice := given[name]; {
		case name == "config":
			err = errors.New("a configuration file cannot name another; remove it")
		case !slices.Contains(words.known, name):
			mistakes = append(mistakes, words.unknown(where, name))
			continue
		case twice:
			err = errors.New("is set twice; keep one")
		}
		if err != nil {
			mistakes = append(mistakes, mistake(where, err))
		} else if set {
			given[name] = value{text: text, from: where}
		}
	}
	return given, errors.Join(mistakes...)
}

// nodeText returns a value of the file as its text, and whether there is one.
func nodeText(kind Kind, n *yaml.Node) (string, bool, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case isNull(n):
		return "", false, nil
	case n.Kind == yaml.ScalarNode:
		return n.Value, true, nil
	case n.Kind == yaml.SequenceNode && kind == List:
		var all []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || isNull(item) {
				return "", false, errors.New("is a list with something else than plain values in it")
			}
			all = append(all, item.Value)
		}
		return strings.Join(all, ","), true, nil
	case n.Kind == yaml.SequenceNode:
		return "", false, errors.New("takes one value, not a list")
	}
	return "", false, errors.New("takes a plain value, not a nested block")
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// kindOf returns the kind of an option by name.
func kindOf(table []Option, name string) Kind {
	for _, o := range table {
		if o.Name == name {
			return o.Kind
		}
	}
	return Path
}
