package secrets_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"latchkey/internal/apikey"
)

// raw is a body that is sent as it is, as JSON that it may not be.
type raw string

// v1Key is a key of the scene, made by /v1.
type v1Key struct{ text, path string }

var idPattern = regexp.MustCompile(`"id":(\d+)`)

// use calls with a key and wants a status.
func (c *scene) use(status int, text string) {
	c.t.Helper()
	c.want(status, "GET", "/api/user/current", nil, "x-api-key", text)
}

// bootstrap uses the key of the first start, which ends with set-up.
func (c *scene) bootstrap() {
	text := c.secret("key of the first start")
	c.use(200, text)
	c.want(200, "GET", "/v1/self", nil, "x-api-key", text)
	c.want(200, "GET", "/v1/keys", nil, "x-api-key", text)
}

// newKey makes a key by /v1.
func (c *scene) newKey(name string, more body) v1Key {
	c.t.Helper()
	b := body{"name": name, "group_ids": []int{2}}
	for k, v := range more {
		b[k] = v
	}
	a := c.want(201, "POST", "/v1/keys", b, c.admin()...)
	return v1Key{c.show(a, "key "+name, keyPattern), "/v1/keys/" + idPattern.FindStringSubmatch(a.text)[1]}
}

// ownAPI is the life of keys under /v1.
func (c *scene) ownAPI() {
	c.use(401, c.secret("key of the first start")) // set-up has ended it
	c.want(200, "PUT", "/v1/policies/0", body{"allow_personal": true, "self_rotate": true, "self_revoke": true}, c.admin()...)
	k := c.newKey("of v1", body{"description": "Writes reports.", "tags": []string{"etl"}})
	c.use(200, k.text)
	c.want(200, "GET", "/v1/self", nil, "x-api-key", k.text)

	next := c.show(c.want(200, "POST", k.path+"/rotate", body{"overlap_days": 3}, c.admin()...), "key rotated", keyPattern)
	c.use(200, k.text)
	c.use(200, next)
	secrets := c.want(200, "GET", k.path+"/secrets", nil, c.admin()...)
	old := regexp.MustCompile(`\{"id":(\d+),"state":"retiring"`).FindStringSubmatch(secrets.text)
	if old == nil {
		c.t.Fatalf("no secret is retiring in\n%s", secrets.text)
	}
	c.want(204, "POST", k.path+"/secrets/"+old[1]+"/retire", nil, c.admin()...)
	c.use(401, k.text) // raises the alarm
	self := c.show(c.want(200, "POST", "/v1/self/rotate", nil, "x-api-key", next), "key rotated by itself", keyPattern)
	c.use(401, next)
	c.lookUp(k, self)
	c.refusals()
	c.evidence(k, self)
	c.broken(self)
	c.personal()
	c.pages()
	c.want(204, "POST", "/v1/self/revoke", nil, "x-api-key", self)
	c.use(401, self)
	c.want(200, "GET", k.path, nil, c.admin()...)
}

// lookUp finds a key by the digest of its text, which is not shown again.
func (c *scene) lookUp(k v1Key, now string) {
	for _, text := range []string{k.text, now} {
		c.want(200, "POST", "/v1/keys/lookup", body{"digest": hexDigest(text)}, c.admin()...)
	}
	c.want(404, "POST", "/v1/keys/lookup", body{"digest": strings.Repeat("0", 64)}, c.admin()...)
	c.want(400, "POST", "/v1/keys/lookup", body{"digest": now}, c.admin()...)
	c.want(400, "POST", "/v1/keys/lookup", body{"digest": []string{now}}, c.admin()...)
}

// refusals uses keys that are refused, for every reason.
func (c *scene) refusals() {
	end := time.Now().Add(1500 * time.Millisecond).UTC().Truncate(time.Second).Add(time.Second)
	expiring := c.newKey("that expires", body{"expires_at": end.Format(time.RFC3339)})
	c.use(200, expiring.text)
	disabled := c.newKey("disabled", nil)
	c.want(200, "POST", disabled.path+"/disable", body{"reason": "it was lost"}, c.admin()...)
	c.use(401, disabled.text)
	deleted := c.newKey("deleted", nil)
	c.want(204, "DELETE", deleted.path, nil, c.admin()...)
	c.use(401, deleted.text)
	far := c.newKey("of another address", body{"restriction": body{"addresses": []string{"192.0.2.0/24"}}})
	c.use(401, far.text)
	slow := c.newKey("with a limit", body{"restriction": body{"rate_limit": body{"requests": 1, "seconds": 86_400}}})
	c.use(200, slow.text)
	c.use(429, slow.text)
	narrow := c.newKey("that reads people", body{"restriction": body{"scopes": []string{"people:read"}}})
	c.want(403, "GET", "/api/permissions/group", nil, "x-api-key", narrow.text)
	c.want(403, "GET", "/v1/keys", nil, "x-api-key", narrow.text)
	c.use(401, apikey.NewText("lk_").Reveal())
	time.Sleep(time.Until(end))
	c.use(401, expiring.text)
}

// evidence reads all that is kept about a key, and asks what it may do.
func (c *scene) evidence(k v1Key, text string) {
	id := strings.TrimPrefix(k.path, "/v1/keys/")
	password := c.learn("password in an explained call", made("explained"))
	for _, call := range []body{
		{"method": "PUT", "path": "/api/user/1/password", "body": body{"password": password}},
		{"method": "GET", "path": "/api/user/1?token=" + text},
		{"method": "POST", "path": "/v1/keys", "body": body{"name": []string{password}}},
		{"method": "POST", "path": "/api/session", "body": body{"username": ada, "password": password}},
	} {
		call["key_id"] = c.number(id)
		c.want(200, "POST", "/v1/explain", call, c.admin()...)
	}
	c.want(200, "PUT", k.path+"/trial", body{"scopes": []string{"people:read"}}, c.admin()...)
	c.want(200, "GET", "/api/permissions/group", nil, "x-api-key", text)
	for _, path := range []string{"", "/secrets", "/suggestion", "/usage", "/usage?by=hour", "/requests", "/verdict", "/trial"} {
		c.want(200, "GET", k.path+path, nil, c.admin()...)
	}
	for _, path := range []string{
		"/v1/keys?kind=any", "/v1/keys?query=" + text, "/v1/policies", "/v1/audit", "/v1/audit/head", "/v1/audit/export", "/v1/audit?q=" + text,
		"/v1/people/1/sessions", "/v1/vocabulary", "/v1/openapi.json", "/v1/docs",
	} {
		c.want(200, "GET", path, nil, c.admin()...)
	}
	for _, path := range []string{"", "/" + id} {
		c.want(200, "GET", "/admin/settings/authentication/api-keys"+path, nil, cookie(c.s.Session)...)
	}
	c.want(200, "GET", "/metrics", nil, "Authorization", "Bearer "+c.secret("metrics token"))
	c.want(401, "GET", "/metrics", nil, "Authorization", "Bearer "+text)
	c.want(401, "GET", "/metrics?token="+c.secret("metrics token"), nil)
}

func (c *scene) number(s string) (n int64) {
	c.t.Helper()
	if _, err := fmt.Sscan(s, &n); err != nil {
		c.t.Fatal(err)
	}
	return n
}

// broken sends requests that hold a key where none belongs.
func (c *scene) broken(key string) {
	for _, who := range [][]string{nil, c.admin(), {"x-api-key", key}} {
		for _, b := range []any{
			raw(key), raw(`{"name":"` + key), raw(`{"name":` + key + `}`), raw(`["` + key + `"]`), raw(`"` + key + `"`),
			body{"key": key}, body{"name": []string{key}}, body{"name": body{"a": key}},
			body{"name": "a", "group_ids": key}, body{"name": "a", "expires_at": key}, body{"name": "a", "owner_id": key},
			body{"name": "a", "restriction": key}, body{"name": "a", "restriction": body{"quota": body{"requests": 1, "period": key}}},
		} {
			c.refusedOnly("POST", "/v1/keys", b, who)
		}
		for _, r := range []body{
			{"scopes": []string{key}}, {"routes": []string{key}}, {"addresses": []string{key}}, {"resources": body{"keys": []string{key}}},
		} {
			a := c.refusedOnly("POST", "/v1/keys", body{"name": "a", "restriction": r}, who)
			if who != nil { // who may make keys is told which item is wrong
				a.may = []string{key}
			}
		}
		for _, path := range []string{
			"/v1/" + key, "/v1/keys/" + key, "/v1/keys/" + key + "/secrets", "/v1/personal-keys/" + key, "/v1/policies/" + key,
			"/v1/people/" + key + "/sessions", "/v1/keys?state=" + key, "/v1/keys?group_id=" + key, "/v1/keys?limit=" + key,
			"/v1/self?api_key=" + key, "/v1/keys/1/usage?from=" + key, "/v1/audit?after=" + key, "/v1/audit/export?from=" + key,
		} {
			c.refusedOnly("GET", path, nil, who)
		}
		c.refusedOnly("POST", "/v1/keys/"+key+"/rotate", nil, who)
		c.refusedOnly("POST", "/v1/keys/1/secrets/"+key+"/retire", nil, who)
		for _, a := range []*saying{
			c.call("GET", "/api/setting/"+key, nil, who...), c.call("PUT", "/api/setting/"+key, body{"value": "a"}, who...),
		} {
			if who != nil { // it says which setting there is not, as Metabase does
				a.may = []string{key}
			}
		}
		c.call("GET", "/api/user/"+key, nil, who...)
		c.call("DELETE", "/api/permissions/membership/"+key, nil, who...)
	}
	for _, name := range []string{"Authorization", "X-Metabase-Session", "Cookie", "Referer", "X-Forwarded-For", "X-Request-Id", "Content-Type", "Origin"} {
		c.call("POST", "/v1/self", raw("{}"), name, key)
		c.call("POST", "/v1/self", raw("{}"), name, strings.Repeat(key+" ", 30_000))
	}
	c.call("GET", "/v1/self", nil, "x-api-key", strings.Repeat(key, 1000))
	c.call("GET", "/v1/self", nil, "x-api-key", strings.Repeat(key, 30_000))
	c.call("GET", "/v1/self?"+strings.Repeat(key, 30_000), nil, "x-api-key", key)
	c.call("GET", "/metrics", nil, "Authorization", "Bearer "+strings.Repeat(key, 1000))
}

// refusedOnly is call with a request that cannot be right.
func (c *scene) refusedOnly(method, path string, b any, headers []string) *saying {
	c.t.Helper()
	a := c.call(method, path, b, headers...)
	if a.status < 400 || a.status > 499 {
		c.t.Errorf("%s with %v: %d, want a refusal\n%s", a.what, b, a.status, a.text)
	}
	return a
}

// personal makes and ends keys of a person.
func (c *scene) personal() {
	who := header(c.signIn("session of Bo for keys", bo, c.secret("next password of Bo")))
	a := c.want(201, "POST", "/v1/personal-keys", body{"name": "mine"}, who...)
	text, path := c.show(a, "key of Bo", keyPattern), "/v1/personal-keys/"+idPattern.FindStringSubmatch(a.text)[1]
	c.use(200, text)
	c.want(403, "GET", "/v1/personal-keys", nil, "x-api-key", text)
	next := c.show(c.want(200, "POST", path+"/rotate", nil, who...), "key of Bo rotated", keyPattern)
	c.use(401, text)
	c.use(200, next)
	c.want(200, "GET", "/v1/personal-keys", nil, who...)
	c.want(200, "GET", path, nil, who...)
	c.want(200, "GET", "/account/api-keys", nil, who...)
	c.want(204, "DELETE", path, nil, who...)
	c.use(401, next)
}

// file writes a file for a command or an option.
func (c *scene) file(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// foreign makes up the text of a key of another server.
func foreign(name string) string { return "mb_" + name + "Marked" + rand.Text() + rand.Text() }

// seeds gives keys their texts in every way that a seed file has, and makes
// every mistake with them.
func (c *scene) seeds() {
	inFile, hashed := c.learn("key in a file", foreign("File")), c.learn("key known by its hash", foreign("Hash"))
	inEnv := c.secret("key in a variable")
	hash := c.run(0, "", "seed", "hash", "--file", c.file("key", hashed+"\n"))
	hash.may = []string{hashed} // the digest is what it is there for
	seed := func(keys string) string {
		return c.file("seed.yaml", "version: 1\ngroups: [{name: Seeded}]\nkeys:\n"+keys)
	}
	good := seed("  - {name: by file, groups: [Seeded], secret_file: " + c.file("key", inFile+"\n") + "}\n" +
		"  - {name: by variable, secret_env: SEEDED_KEY}\n  - {name: by hash, hash: \"" + strings.TrimSpace(hash.text) + "\"}\n")
	c.run(1, "", "seed", "diff", good)
	c.run(0, "", "seed", "apply", "--dry-run", good)
	c.run(0, "", "seed", "apply", good)
	c.run(0, "", "seed", "diff", good)
	for _, text := range []string{inFile, inEnv, hashed} {
		c.soon(200, text)
	}
	other := c.learn("key that follows in a file", foreign("Next"))
	c.run(0, "", "seed", "apply", seed("  - {name: by file, groups: [Seeded], secret_file: "+c.file("key", other)+"}\n"))
	c.soon(200, other)
	c.soon(401, inFile)
	c.run(1, "", "seed", "apply", seed("  - {name: a, secret: "+other+"}\n"))
	c.run(1, "", "seed", "apply", seed("  - {name: a, hash: "+other+"}\n"))
	c.run(1, "", "seed", "apply", seed("  - {name: a, hash: sha256.native."+other+"}\n"))
	c.run(1, "", "seed", "apply", seed("  - {name: a, hash: ["+other+"}\n"))
	c.run(1, "", "seed", "apply", seed("  - "+other+"\n"))
	c.run(1, "", "seed", "apply", seed("  - {name: a, secret_file: "+c.file("two", other+"\n"+other)+"}\n"))
	c.run(1, "", "seed", "apply", c.file("seed.yaml", other))
	c.run(1, "", "seed", "apply", c.file("seed.yaml", "version: 1\n\t"+other))
	metabase := c.learn("key in a config.yml", foreign("Metabase"))
	c.run(0, "", "seed", "apply", c.file("config.yml", "version: 1\nconfig:\n  api-keys:\n    - {name: meta, group: all-users, creator: "+ada+", key: "+metabase+"}\n"))
	c.soon(200, metabase)
	c.run(1, "", "seed", "apply", c.file("config.yml", "version: 1\nconfig:\n  api-keys:\n    - {name: meta2, group: none, creator: "+ada+", key: "+metabase+"}\n"))
	c.run(1, "", "seed", "hash", "--file", c.file("key", "short"))
	c.foreignTried(inEnv, other)
}

// soon waits until a key that a command made or ended is answered so.
func (c *scene) soon(status int, text string) {
	c.t.Helper()
	var a *saying
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if a = c.call("GET", "/api/user/current", nil, "x-api-key", text); a.status == status {
			return
		}
	}
	c.t.Fatalf("%s: %d, want %d\n%s", a.what, a.status, status, a.text)
}

// foreignTried shows keys from outside in the wrong places.
func (c *scene) foreignTried(texts ...string) {
	for _, text := range texts {
		c.use(401, text+"0")
		c.use(401, text[:20])
		c.call("GET", "/api/"+text, nil)
		c.call("GET", "/v1/keys/"+text, nil, "x-api-key", text)
		c.call("GET", "/v1/self?key="+url.QueryEscape(text), nil, "x-api-key", text)
		c.call("POST", "/v1/keys", raw(text), "x-api-key", text)
	}
}

// keyCommands runs the commands about keys.
func (c *scene) keyCommands() {
	generated := c.run(0, "", "key", "generate")
	c.show(generated, "key generated", keyPattern)
	c.show(c.run(0, "", "key", "rotate", "--overlap", "1d", "ci"), "key rotated by command", keyPattern)
	c.run(0, "", "key", "show", "ci")
	c.run(0, "", "key", "secrets", "ci")
	c.run(0, "", "key", "explain", "ci", "GET", "/api/user/1?key="+c.secret("key rotated by command"))
	c.run(0, "", "key", "disable", "--reason", "lost", "ci")
	c.run(1, "", "key", "show", c.secret("key rotated by command"))
	c.run(0, "", "audit", "list")
	c.run(0, "", "audit", "export")
	c.run(0, "", "audit", "export", "--query", c.secret("key rotated by command"))
}

// ownFailures makes /v1 fail inside while it holds keys.
func (c *scene) ownFailures() {
	good := c.newKey("that sees failures", nil)
	for _, table := range []string{"audit", "api_key_secret"} {
		c.breakTable(table, func() {
			c.call("POST", "/v1/keys", body{"name": "fails without " + table}, c.admin()...)
			c.call("POST", good.path+"/rotate", nil, c.admin()...)
			c.call("POST", "/v1/self/rotate", nil, "x-api-key", good.text)
			c.call("GET", "/v1/self", nil, "x-api-key", good.text)
			c.call("GET", "/v1/self", nil, "x-api-key", c.secret("key rotated by command"))
		})
	}
	c.breakTable("usage_last", func() {
		c.call("GET", good.path, nil, c.admin()...)
		c.call("GET", "/v1/self", nil, "x-api-key", good.text)
		// A text that is in force already is shown all the same, or it was lost.
		good.text = c.show(c.want(200, "POST", "/v1/self/rotate", nil, "x-api-key", good.text), "key rotated in a failure", keyPattern)
		c.newKey("made in a failure", nil)
	})
	c.use(200, good.text)
}

// pages makes and rotates keys on pages.
func (c *scene) pages() {
	const keys = "/admin/settings/authentication/api-keys"
	who := cookie(c.s.Session)
	form := func() url.Values { return url.Values{"name": {"on a page"}, "token": {rand.Text()}} }
	a := c.want(200, "POST", "/account/api-keys/new", form(), who...)
	c.use(200, c.show(a, "key of Ada by page", keyPattern))
	k := c.newKey("rotated on a page", nil)
	path := strings.Replace(k.path, "/v1/keys", keys, 1)
	c.use(200, c.show(c.want(200, "POST", path+"/rotate", url.Values{"overlap": {"now"}, "token": {rand.Text()}}, who...), "key rotated by page", keyPattern))
	for _, path := range []string{path, keys, "/account/api-keys", "/admin/audit"} {
		c.want(200, "GET", path, nil, who...)
	}
	for _, digest := range []string{k.text, hexDigest(k.text)} { // the page sends the second
		c.call("POST", "/admin/audit/key", url.Values{"digest": {digest}, "token": {rand.Text()}}, who...)
	}
}

// hexDigest is what stands for a text where the text itself must not travel.
func hexDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
