package seed_test

import (
	"strings"
	"testing"

	"latchkey/internal/apikey"
	"latchkey/internal/secret"
	"latchkey/internal/seed"
)

func TestParse(t *testing.T) {
	d, err := apikey.DigestOf(secret.New(textB))
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, `
version: 1
groups: [{name: Reporting}]
people:
  - {email: Ada@Example.com, first_name: Ada, groups: [Administrators], password_env: PASSWORD}
policies:
  - {instance: true, max_days: 90, rate_limit: {requests: 100, seconds: 60}}
keys:
  - name: Nightly export
    groups: &g [Reporting]
    owner: ada@example.com
    tags: [etl, night]
    expires_at: 2027-06-30
    restriction: {read_only: true, scopes: [people:read], resources: {groups: [Reporting, 7]}, hours: {from: 08:00, to: "18:00"}, addresses: [10.0.0.0/8, 2001:db8::/32]}
    secret_file: `+write(t, textA+"\n")+`
  - name: Second
    groups: *g
    expires_at: never
    hash: `+d.String()+`
`)
	k := f.Keys[0]
	if len(f.Groups) != 1 || f.People[0].Email != "ada@example.com" || f.Policies[0].Rules.MaxDays != 90 || f.Policies[0].Rules.RateLimit.Seconds != 60 {
		t.Errorf("read %+v", f)
	}
	if k.Line != 9 || k.Groups.V[0] != "Reporting" || k.ExpiresAt.V.Year() != 2027 || !k.Restriction.V.ReadOnly || k.Restriction.V.Hours.From != "08:00" ||
		strings.Join(k.Restriction.V.Resources["groups"], ",") != "7" || len(k.Restriction.V.Addresses) != 2 {
		t.Errorf("key %+v", k)
	}
	if k := f.Keys[1]; !k.ExpiresAt.Null || k.Groups.V[0] != "Reporting" || k.Description.Set {
		t.Errorf("key %+v", k)
	}
}

// Every mistake names the file, its line and what to do.
func TestMistakes(t *testing.T) {
	const head = "version: 1\n"
	const key = "keys:\n- name: x\n  secret_env: KEY_A\n"
	for _, tt := range []struct{ text, want string }{
		{"", "seed.yaml: is empty; begin with version: 1"},
		{"- a", "seed.yaml: is no seed file; begin with version: 1"},
		{"a: [", "seed.yaml: is not YAML: "},
		{head + "---\nversion: 1", "seed.yaml: holds more than one document; remove what follows the line ---"},
		{"keys: []", "seed.yaml:1: version is missing; write version: 1"},
		{"version: 2", `seed.yaml:1: version "2" is unknown; this program knows version: 1`},
		{head + "key: []", `seed.yaml:2: unknown member "key"; the members are: version, groups, people, policies, keys`},
		{head + "version: 1", "seed.yaml:2: version stands twice; keep one"},
		{head + "groups: Reporting", "seed.yaml:2: groups: must be a list"},
		{head + "groups: [Reporting]", "seed.yaml:2: group: must be a mapping with: name"},
		{head + "groups: [{name: 7}]", "seed.yaml:2: group: name: must be a text; put it in quotes"},
		{head + "groups: [{name: ' '}]", "seed.yaml:2: group: name is blank"},
		{head + "groups:\n- name: A\n- name: a", `seed.yaml:4: group "a": stands twice in this file, first on line 3`},
		{head + "people: [{email: ada}]", `seed.yaml:2: person: "ada" is no e-mail address`},
		{head + "people: [{email: a@example.com, password: x}]", `seed.yaml:2: person: unknown member "password"`},
		{head + "policies: [{max_days: 3}]", "seed.yaml:2: policy: write either group: <name> or instance: true"},
		{head + "policies: [{instance: true, max_days: -3}]", "seed.yaml:2: policy: max_days: must be a whole number"},
		{head + "policies: [{instance: true, self_rotate: 1}]", "seed.yaml:2: policy: self_rotate: must be true or false"},
		{head + "keys: [{name: x}]", `seed.yaml:2: key "x": needs its secret: one of secret_file, secret_env and hash`},
		{head + "keys:\n- name: x\n  secret_env: NONE", `seed.yaml:4: key "x": the variable NONE is not set`},
		{head + "keys:\n- name: x\n  secret_file: /none/there", `seed.yaml:4: key "x": cannot read the secret: open /none/there`},
		{head + "keys:\n- name: x\n  secret_file: " + write(t, "\n"), ` is empty; write the secret into it`},
		{head + "keys:\n- name: x\n  secret_env: KEY_A\n  hash: x", `seed.yaml:3: key "x": has more than one of secret_file, secret_env and hash; keep one`},
		{head + "keys:\n- name: x\n  secret_env: KEY_A\n  secret_file: x", `seed.yaml:4: key x: has secret_file and secret_env; keep one`},
		{head + "keys:\n- name: x\n  hash: sha256.native.00.lk_", `seed.yaml:4: key x: hash must be what latchkey seed hash prints`},
		{head + key + "- name: x\n  secret_env: KEY_B", `seed.yaml:5: key "x": stands twice in this file, first on line 3`},
		{head + key + "- name: y\n  secret_env: KEY_A", `seed.yaml:5: key "y": has the same secret as the key on line 3; give each its own`},
		{head + key + "  expires_at: soon", "seed.yaml:5: key: expires_at must be a time such as 2027-06-30T00:00:00Z, a date, or never"},
		{head + key + "  expires_at: never\n  expires_in_days: 3", `seed.yaml:3: key "x": has expires_at and expires_in_days; keep one`},
		{head + key + "  restriction: {readonly: true}", "seed.yaml:5: key x: restriction.readonly is unknown; the members are read_only"},
		{head + key + "  restriction: []", "seed.yaml:5: key x: restriction must be a mapping"},
		{head + key + "  restriction: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}", "seed.yaml:5: key x: restriction: is too deep or too long"},
	} {
		_, err := seed.Parse("seed.yaml", strings.NewReader(tt.text), environ)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), textA) || strings.Contains(err.Error(), pass)) {
			t.Errorf("a secret is in the error: %v", err)
		}
	}
}

func TestMetabaseMistakes(t *testing.T) {
	entry := func(key, group string) string {
		return "version: 1\nconfig:\n  api-keys:\n  - {name: ETL key, key: " + key + ", creator: ada@example.com, group: " + group + "}\n"
	}
	for _, tt := range []struct{ text, want string }{
		{entry("lk_thisisonlyanexample", "admin"), "seed.yaml:4: Invalid API key format. Key must be between 11-254 characters and start with 'mb_'."},
		{entry("mb_short", "admin"), "Invalid API key format."},
		{entry("mb_thisisonlyanexample", "Reporting"), "seed.yaml:4: api-keys: group must be admin or all-users"},
		{entry(`"{{env NONE}}"`, "admin"), "seed.yaml:4: the variable NONE is not set"},
		{"version: 1\nconfig:\n  api-keys:\n  - {name: ETL key}\n", "seed.yaml:4: api-keys: creator is missing"},
		{"version: 1\nconfig: 3", "seed.yaml:2: config: must be a mapping with api-keys"},
	} {
		_, err := seed.Parse("seed.yaml", strings.NewReader(tt.text), environ)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}
