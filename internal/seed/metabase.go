package seed

import (
	"crypto/sha256"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// administrators is the name of the group that every instance has.
const administrators = "Administrators"

// textKeyForm is Metabase's own (contract/identity.md 1.7).
const textKeyForm = "Invalid API key format. Key must be between 11-254 characters and start with 'mb_'."

// metabase reads the section api-keys of a config.yml of Metabase
// (contract/identity.md 1.7). The other sections are named as ignored.
func (p *parser) metabase(f *File, root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], plain(root.Content[i+1])
		switch key.Value {
		case "version":
			p.version(root, value)
		case "config":
			p.config(f, value)
		default:
			f.Ignored = append(f.Ignored, key.Value)
		}
	}
}

func (p *parser) config(f *File, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.bad(n.Line, "config: must be a mapping with api-keys")
		return
	}
	once := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		section, value := n.Content[i].Value, plain(n.Content[i+1])
		if section != "api-keys" {
			f.Ignored = append(f.Ignored, "config."+section)
			continue
		}
		for _, item := range p.items(value, "config.api-keys") {
			if k, ok := p.configKey(item); ok {
				p.addKey(f, once, k)
			}
		}
	}
}

func (p *parser) configKey(n *yaml.Node) (Key, bool) {
	before := len(p.mistakes)
	o := p.object(n, "api-keys", "name", "key", "creator", "group")
	get := func(member string) string {
		s, _ := p.required(n, o[member], "api-keys: "+member)
		return p.expand(n.Line, s)
	}
	k := Key{Line: n.Line, Name: get("name"), creator: get("creator"), Groups: opt.Of([]string{})}
	text, group := get("key"), get("group")
	if len(p.mistakes) > before {
		return k, false
	}
	switch group {
	case "admin":
		k.Groups = opt.Of([]string{administrators})
	case "all-users":
	default:
		p.bad(n.Line, "api-keys: group must be admin or all-users")
	}
	if len(text) < 12 || len(text) > 254 || !strings.HasPrefix(text, "mb_") {
		p.bad(n.Line, "%s", textKeyForm)
	}
	k.text, k.digest.Sum = secret.New(text), sha256.Sum256([]byte(text))
	return k, len(p.mistakes) == before
}

var template = regexp.MustCompile(`\{\{\s*env\s+([A-Za-z_][A-Za-z0-9_]*)\s*\}\}`)

// expand puts the values of variables in the place of {{ env NAME }}.
func (p *parser) expand(line int, s string) string {
	return template.ReplaceAllStringFunc(s, func(found string) string {
		name := template.FindStringSubmatch(found)[1]
		v, ok := p.environ(name)
		if !ok {
			p.bad(line, "the variable %s is not set", name)
		}
		return v
	})
}
