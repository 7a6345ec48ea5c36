package browser_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// wire is everything that a browser has sent, bodies and headers included.
type wire struct {
	mu   sync.Mutex
	sent strings.Builder
	n    int
}

// listen writes down what the window sends from now on.
func (w *window) listen() *wire {
	w.t.Helper()
	x := &wire{}
	w.must(chromedp.Listen(w.ctx, x.hear))
	size := int64(1 << 20)
	command(w, network.Enable, network.EnableParams{MaxPostDataSize: &size})
	return x
}

func (x *wire) hear(event any) {
	var body string
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		for _, part := range e.Request.PostDataEntries {
			body += string(part.Bytes) + "\n"
		}
	case *network.EventRequestWillBeSentExtraInfo, *network.EventWebSocketFrameSent:
	default:
		return
	}
	head, err := json.Marshal(event)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.n++
	fmt.Fprintln(&x.sent, string(head), body, err)
}

// text returns all that was sent.
func (x *wire) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.sent.String()
}

// digestOf is what a browser may send of a text.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestAuditSearchByPastedKey finds what a leaked key did without the key
// leaving the browser.
func TestAuditSearchByPastedKey(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	id, key := s.Key("nightly-export", access.Administrators)
	if got := status(s, key, "GET", "/api/user", nil); got != http.StatusOK {
		t.Fatalf("the key is answered %d", got)
	}
	s.Admin(204, nil, "DELETE", fmt.Sprintf("/v1/keys/%d", id), nil)
	w.visit("/")
	w.admin("Audit", "Audit log")
	shots.everywhere(w, "audit-log")
	sent := w.listen()

	const label = "Paste a key to see what it did"
	w.fill(label, " "+key+" ")
	w.follow("button", "Find the key")
	w.in("dialog", "This is the key “nightly-export”")
	w.sees("This text does not work any more")
	shots.everywhere(w, "audit-pasted-key")
	w.follow("link", "What was done with it")
	w.sees("Made an API key", "Deleted an API key", "Key: nightly-export")
	w.followFirst("Deleted an API key")
	w.sees("api-key.delete")
	shots.everywhere(w, "audit-entry")

	// The same where the browser offers no SHA-256, as over plain HTTP.
	command(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `Object.defineProperty(Crypto.prototype, "subtle", { value: undefined })`,
	})
	w.visit("/admin/audit")
	if !ask[bool](w, `crypto.subtle === undefined`) {
		t.Error("the browser still offers SHA-256")
	}
	w.fill(label, key)
	w.pressed("Enter")
	w.sees("This is the key “nightly-export”")
	ask[any](w, `history.back()`) // the browser may have kept the page
	w.eventually("the log", func() bool { return w.path() == "/admin/audit" })
	if got := w.field(label).value(); got != "" {
		t.Errorf("coming back shows %q", got)
	}
	w.expects("404")
	w.fill(label, "lk_neverWasAKeyHere")
	w.follow("button", "Find the key")
	w.faulted(label, "No key of this instance has or had this text.")

	all := sent.text()
	if !strings.Contains(all, digestOf(key)) || !strings.Contains(all, digestOf("lk_neverWasAKeyHere")) {
		t.Errorf("the digests were not sent, or not seen, in %d requests", sent.n)
	}
	for _, secret := range []string{key, key[7:], "neverWasAKeyHere", base64.StdEncoding.EncodeToString([]byte(key))} {
		if strings.Contains(all, secret) {
			t.Errorf("the browser has sent %q", secret)
		}
	}

	command(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	w.visit("/admin/audit")
	w.sees("This search needs JavaScript")
	if !ask[bool](w, `document.getElementById("pasted-key").disabled && !document.getElementById("pasted-key").name`) {
		t.Error("without JavaScript a key can be pasted and sent")
	}
}

// TestDigests computes SHA-256 in the browser, with its own means and with
// ours, for the vectors of FIPS 180-4 and texts of every length of a block.
func TestDigests(t *testing.T) {
	together(t)
	_, w := signedIn(t)
	w.visit("/admin/audit")
	const ours = `(async (texts) => {
		const app = document.querySelector("script[type=module]").src;
		const { sha256, plainSha256 } = await import(app.replace("app.js", "sha256.js"));
		const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
		return Promise.all(texts.map(async (t) => [await sha256(t), hex(plainSha256(new TextEncoder().encode(t)))]));
	})`
	texts := []string{"", "abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "schlüssel ☃ 🔑"}
	known := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	}
	for n := range 130 {
		texts = append(texts, strings.Repeat("k", n))
	}
	in, err := json.Marshal(texts)
	w.must(err)
	for i, got := range ask[[][2]string](w, ours+"("+string(in)+")") {
		want := digestOf(texts[i])
		if i < len(known) && want != known[i] {
			t.Fatalf("the vector of %q is %s", texts[i], want)
		}
		if got[0] != want || got[1] != want {
			t.Errorf("%q: the browser says %s, our own code %s, want %s", texts[i], got[0], got[1], want)
		}
	}
}

// TestExplainARefusal asks why a key was refused.
func TestExplainARefusal(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	id, key := s.Key("nightly-export", access.Administrators)
	s.Key("other", access.AllUsers)
	s.Admin(200, nil, "PUT", fmt.Sprintf("/v1/keys/%d/restriction", id), map[string]any{
		"scopes": []string{"people:read", "people:write"}, "fields": map[string]any{"people": []string{"first_name"}},
	})
	person, _ := s.Person("bo@example.com")
	call := fmt.Sprintf("/api/user/%d", person)
	if got := status(s, key, "PUT", call, map[string]any{"last_name": "B"}); got != http.StatusForbidden {
		t.Fatalf("the key is answered %d", got)
	}
	w.visit("/")
	w.admin("Audit", "Explain a call")
	w.fill("Find a key", "night")
	w.eventually("one key", func() bool { return !strings.Contains(ask[string](w, shown), "other") })
	shots.everywhere(w, "explain-choose")
	w.follow("link", "Choose nightly-export")
	w.choose("Method", "PUT")
	w.fill("Path", call)
	w.fill("Body", `{"last_name": "B"}`)
	w.follow("button", "Explain")
	w.sees("Refused with status 403, reason: field", "The restriction allows it")
	shots.everywhere(w, "explain-refusal")
	w.fill("Body", `{"first_name": "B"}`)
	w.follow("button", "Explain")
	w.sees("Allowed", "field first_name of people")
	shots.take(w, "explain-allowed")
	w.expects("400")
	w.fill("Body", `{"first_name": `)
	w.follow("button", "Explain")
	w.faulted("Body", "This is not JSON.")
}

// TestPolicyPreview looks at whom a policy would meet, and switches it on.
func TestPolicyPreview(t *testing.T) {
	together(t)
	s, w, shots := began(t)
	for _, name := range []string{"dbt on CI", "Grafana panels", "nightly-export"} {
		s.Key(name, access.AllUsers)
	}
	w.visit("/")
	w.admin("Settings", "Authentication")
	w.follow("link", "Manage policies")
	w.find("heading", "Policies for keys")
	w.follow("link", "Edit the policy: All keys of this instance")
	d := w.in("dialog", "Policy for all keys")
	d.fill("Longest life", "90")
	d.fill("Requests", "100")
	d.click("checkbox", "People make personal keys for themselves")
	w.expects("400")
	d.follow("button", "Preview")
	w.sees("In how many seconds?")
	shots.take(w, "policy-fault")
	w.in("dialog", "Policy for all keys").fill("Seconds", "60")
	w.follow("button", "Preview")
	w.sees("3 keys do not fulfil this", "It never ends.")
	shots.everywhere(w, "policy-preview")
	w.click("radio", "Get the new end that the list shows")
	w.follow("button", "Switch on")
	w.sees("The policy is in force.", "at most 100 requests in 60 seconds")
	shots.everywhere(w, "policies")
	var key struct {
		ExpiresAt *time.Time `json:"expires_at"`
	}
	s.Admin(200, &key, "GET", "/v1/keys/1", nil)
	if key.ExpiresAt == nil {
		t.Error("the key has no end")
	}
	w.follow("link", "Remove the policy: All keys of this instance")
	shots.take(w, "policy-remove")
	w.follow("button", "Remove the policy")
	w.sees("The policy was removed.", "no rules")
}

// TestPersonalKey makes a key for oneself, which ends with the person.
func TestPersonalKey(t *testing.T) {
	together(t)
	s, _, shots := began(t)
	s.Admin(200, nil, "PUT", "/v1/policies/0", map[string]any{"allow_personal": true, "max_days": 90})
	analysts := s.Group("Analysts")
	id, _ := s.Person("bo@example.com", analysts)
	w := enter(t, s, "bo@example.com", apptest.AdminPassword)
	w.visit("/account/profile")
	w.follow("link", "API keys")
	w.sees("You have no keys", "no key lives longer than 90 days")
	shots.everywhere(w, "personal-keys-none")
	w.followFirst("Make a key")
	d := w.in("dialog", "Make a personal key")
	d.fill("Key name", "my notebook")
	d.click("checkbox", "Analysts")
	d.click("checkbox", "It only reads, and changes nothing")
	shots.everywhere(w, "personal-key-new")
	w.follow("button", "Make the key")
	key := w.keptKey()
	w.follow("link", "Done")
	if got := w.row("My API keys", "my notebook active"); got[2] != "Analysts, All Users only reads" {
		t.Errorf("row %q", got)
	}
	shots.everywhere(w, "personal-keys")

	var me struct{ Email string }
	s.Want(200, &me, "GET", "/api/user/current", nil, "X-Api-Key", key)
	if me.Email != "bo@example.com" {
		t.Errorf("the key acts as %q", me.Email)
	}
	w.follow("link", "Rotate my notebook")
	shots.take(w, "personal-key-rotate")
	w.follow("button", "Rotate")
	second := w.keptKey()
	w.follow("link", "Done")
	answers(t, s, key, http.StatusUnauthorized)
	s.Want(200, &me, "GET", "/api/user/current", nil, "X-Api-Key", second)
	w.follow("link", "End my notebook")
	shots.take(w, "personal-key-end")
	w.follow("link", "Cancel")
	s.Admin(200, nil, "DELETE", fmt.Sprintf("/api/user/%d", id), nil)
	answers(t, s, second, http.StatusUnauthorized)
}
