package seed

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"

	"latchkey/internal/secret"
)

// source says where a secret stands: in a file or in a variable.
type source struct {
	line      int
	path, env string
}

func (s source) given() bool { return s.path != "" || s.env != "" }

// source reads <name>_file and <name>_env of an entry.
func (p *parser) source(o map[string]*yaml.Node, name, what string) source {
	var s source
	file, env := o[name+"_file"], o[name+"_env"]
	if text, ok := p.text(file, what+": "+name+"_file"); ok {
		s = source{line: file.Line, path: text}
	}
	if text, ok := p.text(env, what+": "+name+"_env"); ok {
		if s.given() {
			p.bad(env.Line, "%s: has %s_file and %s_env; keep one", what, name, name)
		}
		s = source{line: env.Line, env: text}
	}
	return s
}

// maxSecret bounds the file of a secret.
const maxSecret = 64 << 10

// read returns the secret. A line break at the end of a file is dropped.
func (s source) read(environ func(string) (string, bool)) (secret.Text, error) {
	if s.env != "" {
		text, ok := environ(s.env)
		if !ok {
			return secret.Text{}, fmt.Errorf("the variable %s is not set", s.env)
		}
		return secret.New(text), nil
	}
	f, err := os.Open(s.path)
	if err != nil {
		return secret.Text{}, fmt.Errorf("cannot read the secret: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case err != nil:
		return secret.Text{}, fmt.Errorf("cannot read the secret: %w", err)
	case len(b) > maxSecret:
		return secret.Text{}, fmt.Errorf("%s is too long for a secret", s.path)
	case text == "":
		return secret.Text{}, errors.New(s.path + " is empty; write the secret into it")
	}
	return secret.New(text), nil
}
