package seed

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

func (p *parser) group(n *yaml.Node) (Group, bool) {
	o := p.object(n, "group", "name")
	name, ok := p.required(n, o["name"], "group: name")
	return Group{n.Line, name}, ok
}

func (p *parser) person(n *yaml.Node) (Person, bool) {
	o := p.object(n, "person", "email", "first_name", "last_name", "groups", "password_file", "password_env")
	v := Person{
		Line: n.Line, FirstName: p.optional(o["first_name"], "person: first_name"), LastName: p.optional(o["last_name"], "person: last_name"),
		Groups: p.texts(o["groups"], "person: groups"), password: p.source(o, "password", "person"),
	}
	email, ok := p.required(n, o["email"], "person: email")
	if ok && !people.ValidEmail(email) {
		p.bad(n.Line, "person: %q is no e-mail address", email)
		return v, false
	}
	v.Email = strings.ToLower(email)
	return v, ok
}

func (p *parser) policy(n *yaml.Node) (Policy, bool) {
	o := p.object(n, "policy", "group", "instance", "default_days", "max_days", "max_overlap_days", "rate_limit",
		"allow_personal", "self_rotate", "self_revoke")
	group := p.optional(o["group"], "policy: group").Or("")
	whole := p.flag(o["instance"], "policy: instance")
	if whole == (group != "") {
		p.bad(n.Line, "policy: write either group: <name> or instance: true")
		return Policy{}, false
	}
	v := Policy{Line: n.Line, Group: group, Rules: apikey.Policy{
		DefaultDays: p.number(o["default_days"], "policy: default_days"), MaxDays: p.number(o["max_days"], "policy: max_days"),
		MaxOverlapDays: p.number(o["max_overlap_days"], "policy: max_overlap_days"), AllowPersonal: p.flag(o["allow_personal"], "policy: allow_personal"),
		SelfRotate: p.flag(o["self_rotate"], "policy: self_rotate"), SelfRevoke: p.flag(o["self_revoke"], "policy: self_revoke"),
	}}
	if n := o["rate_limit"]; n != nil {
		r := p.object(n, "policy: rate_limit", "requests", "seconds")
		v.Rules.RateLimit = &access.RateLimit{
			Requests: int64(p.number(r["requests"], "policy: rate_limit: requests")), Seconds: int64(p.number(r["seconds"], "policy: rate_limit: seconds")),
		}
	}
	return v, true
}

func (p *parser) key(n *yaml.Node) (Key, bool) {
	before := len(p.mistakes)
	o := p.object(n, "key", "name", "description", "groups", "owner", "successor", "tags", "expires_at", "expires_in_days",
		"restriction", "secret_file", "secret_env", "hash")
	name, _ := p.required(n, o["name"], "key: name")
	k := Key{
		Line: n.Line, Name: name, Description: p.optional(o["description"], "key: description"),
		Groups: p.texts(o["groups"], "key: groups"), Tags: p.texts(o["tags"], "key: tags"),
		Owner: p.optional(o["owner"], "key: owner"), Successor: p.optional(o["successor"], "key: successor"),
		ExpiresAt: p.end(o["expires_at"]), ExpiresInDays: p.number(o["expires_in_days"], "key: expires_in_days"),
	}
	if k.ExpiresAt.Set && k.ExpiresInDays > 0 {
		p.bad(n.Line, "key %q: has expires_at and expires_in_days; keep one", name)
	}
	p.restriction(&k, o["restriction"])
	p.secret(&k, n, o)
	return k, len(p.mistakes) == before
}

// end reads the end of a key: a time, a date, or never.
func (p *parser) end(n *yaml.Node) opt.Value[time.Time] {
	if n == nil {
		return opt.Value[time.Time]{}
	}
	if n.Value == "never" {
		return opt.Null[time.Time]()
	}
	for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(form, n.Value); err == nil {
			return opt.Of(t.UTC().Truncate(time.Microsecond))
		}
	}
	p.bad(n.Line, "key: expires_at must be a time such as 2027-06-30T00:00:00Z, a date, or never")
	return opt.Value[time.Time]{}
}

// secret reads where the text of a key comes from.
func (p *parser) secret(k *Key, n *yaml.Node, o map[string]*yaml.Node) {
	from := p.source(o, "secret", "key "+k.Name)
	hash, hashed := p.text(o["hash"], "key: hash")
	switch {
	case hashed && from.given():
		p.bad(n.Line, "key %q: has more than one of secret_file, secret_env and hash; keep one", k.Name)
	case hashed:
		d, err := apikey.ParseDigest(strings.TrimSpace(hash))
		if err != nil {
			p.badFields(o["hash"].Line, "key "+k.Name, err)
		}
		k.digest = d
	case from.given():
		text, err := from.read(p.environ)
		if err != nil {
			p.bad(from.line, "key %q: %v", k.Name, err)
			return
		}
		k.text, k.digest.Sum = text, sha256.Sum256([]byte(text.Reveal()))
	default:
		p.bad(n.Line, "key %q: needs its secret: one of secret_file, secret_env and hash; latchkey key generate makes a text, latchkey seed hash its hash", k.Name)
	}
}

// byName are the kinds of resource that a file names by their names.
var byName = map[string]string{"groups": "name", "people": "e-mail address", "keys": "name"}

// restriction reads a restriction. Groups, people and keys that are named by a
// text wait until the file is applied; numbers are ids.
func (p *parser) restriction(k *Key, n *yaml.Node) {
	if n == nil {
		return
	}
	what := "key " + k.Name
	tree, ok := p.tree(n, what+": restriction").(map[string]any)
	if !ok {
		p.bad(n.Line, "%s: restriction must be a mapping", what)
		return
	}
	if resources, ok := tree["resources"].(map[string]any); ok {
		k.named = map[string][]string{}
		for kind := range byName {
			list, _ := resources[kind].([]any)
			var ids []any
			for _, item := range list {
				if name, ok := item.(string); ok {
					k.named[kind] = append(k.named[kind], name)
				} else {
					ids = append(ids, item)
				}
			}
			if len(list) > 0 {
				resources[kind] = append([]any{}, ids...)
			}
		}
	}
	raw, err := json.Marshal(tree)
	if err != nil { // plain values always encode
		p.bad(n.Line, "%s: restriction: %v", what, err)
		return
	}
	r, err := access.ParseRestriction(raw)
	if err != nil {
		p.badFields(n.Line, what, err)
		return
	}
	k.Restriction = opt.Of(r)
}
