package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// File is a seed file that was read: its form is right, and the secrets of its
// keys are there. What is absent from an entry is not managed by the file.
type File struct {
	Name     string // for errors
	Groups   []Group
	People   []Person
	Policies []Policy
	Keys     []Key
	Ignored  []string // parts of a config.yml of Metabase that say nothing here

	environ func(name string) (string, bool)
}

// Group is a group that shall be there.
type Group struct {
	Line int
	Name string
}

// Person is a person who shall be there.
type Person struct {
	Line      int
	Email     string // lower case
	FirstName opt.Value[string]
	LastName  opt.Value[string]
	Groups    opt.Value[[]string] // beside All Users, by name

	password source // read when the person is made, and only then
}

// Policy is a policy for keys that shall hold.
type Policy struct {
	Line  int
	Group string // "" is the whole instance
	Rules apikey.Policy
}

// Key is a key that shall be there.
type Key struct {
	Line          int
	Name          string
	Description   opt.Value[string]
	Groups        opt.Value[[]string] // beside All Users, by name
	Owner         opt.Value[string]   // e-mail address; "" is nobody
	Successor     opt.Value[string]   // e-mail address; "" is nobody
	Tags          opt.Value[[]string]
	ExpiresAt     opt.Value[time.Time] // null is never
	ExpiresInDays int                  // when the key is made; 0 says nothing
	Restriction   opt.Value[access.Restriction]

	named   map[string][]string // resources of the restriction by name, by kind
	text    secret.Text         // or the digest
	digest  apikey.Digest
	creator string // of a config.yml of Metabase: the administrator who makes the key
}

// maxFile bounds a seed file.
const maxFile = 16 << 20

// Read reads and parses a seed file; environ is what os.Environ gives.
func Read(path string, environ []string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the seed file: %w", err)
	}
	defer func() { _ = f.Close() }()
	return Parse(path, f, environ)
}

// Parse reads a seed file, or a config.yml of Metabase, which is told by its
// member config. Its error has a line for each mistake, which begins with the
// name and the line of the file.
func Parse(name string, r io.Reader, environ []string) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the seed file: %w", err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s: is longer than %d MiB", name, maxFile>>20)
	}
	root, err := document(name, b)
	if err != nil {
		return nil, err
	}
	p := &parser{name: name, environ: lookup(environ)}
	file := &File{Name: name, environ: p.environ}
	if slices.ContainsFunc(root.Content, func(n *yaml.Node) bool { return n.Value == "config" }) {
		p.metabase(file, root)
	} else {
		p.file(file, root)
	}
	if err := errors.Join(p.mistakes...); err != nil {
		return nil, err
	}
	return file, nil
}

// document returns the one mapping that a file holds.
func document(name string, b []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(b))
	if err == nil {
		err = loader.Load(&doc)
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: is empty; begin with version: 1", name)
	case err != nil:
		return nil, fmt.Errorf("%s: is not YAML: %s", name, strings.ReplaceAll(err.Error(), "\n", " "))
	case !errors.Is(loader.Load(&more), io.EOF):
		return nil, fmt.Errorf("%s: holds more than one document; remove what follows the line ---", name)
	case len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode:
		return nil, fmt.Errorf("%s: is no seed file; begin with version: 1", name)
	}
	return doc.Content[0], nil
}

// lookup returns a look-up in an environment.
func lookup(environ []string) func(string) (string, bool) {
	all := map[string]string{}
	for _, v := range environ {
		if name, value, ok := strings.Cut(v, "="); ok {
			all[name] = value
		}
	}
	return func(name string) (string, bool) { v, ok := all[name]; return v, ok && v != "" }
}

// file reads a file in the form of this package.
func (p *parser) file(f *File, root *yaml.Node) {
	o := p.object(root, "", "version", "groups", "people", "policies", "keys")
	p.version(root, o["version"])
	once := map[string]int{}
	for _, n := range p.items(o["groups"], "groups") {
		if g, ok := p.group(n); ok && p.first(once, "group", strings.ToLower(g.Name), g.Name, g.Line) {
			f.Groups = append(f.Groups, g)
		}
	}
	for _, n := range p.items(o["people"], "people") {
		if v, ok := p.person(n); ok && p.first(once, "person", v.Email, v.Email, v.Line) {
			f.People = append(f.People, v)
		}
	}
	for _, n := range p.items(o["policies"], "policies") {
		if v, ok := p.policy(n); ok && p.first(once, "policy", strings.ToLower(v.Group), v.title(), v.Line) {
			f.Policies = append(f.Policies, v)
		}
	}
	for _, n := range p.items(o["keys"], "keys") {
		if v, ok := p.key(n); ok {
			p.addKey(f, once, v)
		}
	}
}

// addKey adds a key whose name and secret no other entry has.
func (p *parser) addKey(f *File, once map[string]int, k Key) {
	if !p.first(once, "key", k.Name, k.Name, k.Line) {
		return
	}
	secretOf := "secret of key " + string(k.digest.Sum[:])
	if line, twice := once[secretOf]; twice {
		p.bad(k.Line, "key %q: has the same secret as the key on line %d; give each its own", k.Name, line)
		return
	}
	once[secretOf] = k.Line
	f.Keys = append(f.Keys, k)
}

// first refuses the second entry of a kind with one name.
func (p *parser) first(once map[string]int, kind, id, name string, line int) bool {
	id = kind + " " + id
	if before, twice := once[id]; twice {
		p.bad(line, "%s %q: stands twice in this file, first on line %d", kind, name, before)
		return false
	}
	once[id] = line
	return true
}

func (p *parser) version(root, n *yaml.Node) {
	switch {
	case n == nil:
		p.bad(root.Line, "version is missing; write version: 1")
	case n.Value != "1":
		p.bad(n.Line, "version %q is unknown; this program knows version: 1", n.Value)
	}
}

// title is what a policy is called.
func (p Policy) title() string {
	if p.Group == "" {
		return instance
	}
	return p.Group
}

// instance is the name of the policy of the whole instance.
const instance = "(instance)"
