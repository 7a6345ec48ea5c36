package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

const keysPath = "/admin/settings/authentication/api-keys"

var here = netip.MustParseAddr("192.0.2.7")

var keyField = regexp.MustCompile(`id="api-key-text"[^>]* value="([^"]+)"`)

// shownKey returns the key that a page shows.
func shownKey(t *testing.T, a answer) string {
	t.Helper()
	m := keyField.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("the page shows no key\n%s", a.body)
	}
	return html.UnescapeString(m[1])
}

// works reports whether a key is accepted.
func (w *world) works(text string) bool {
	c, err := w.verifier.Verify(w.t.Context(), text, here)
	w.must(err)
	return c.Principal != nil
}

// key makes a key to test with.
func (w *world) key(name string, groupID int64) apikey.Key {
	w.t.Helper()
	k, _, err := w.keys.Create(w.t.Context(), boss(), name, groupID)
	w.must(err)
	return k
}

// TestGuide walks through the guide's way to a key, by what it says to click.
func TestGuide(t *testing.T) {
	w := ready(t)
	b := w.admin()
	b.get("/").wants(t, 200, `aria-label="Settings"`, `href="/admin"`, "Admin settings")
	b.get("/admin").leads(t, "/admin/settings/general")
	b.get("/admin/settings/general").wants(t, 200, ">Settings</a>", "Authentication</a>")
	b.get("/admin/settings/authentication").wants(t, 200, `data-testid="api-keys-setting"`, "0 API Keys", `href="`+keysPath+`">Manage</a>`)
	b.get(keysPath).wants(t, 200, "<h1>API Keys</h1>", "Create API Key", "No API keys yet")
	b.get(keysPath+"/new").wants(t, 200, "<h1 id=\"dialog-title\">Create API Key</h1>", ">Key name</label>", ">Group</label>", ">Create</button>", `maxlength="254"`)
	a := b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", "my key", "group_id", "2").
		wants(t, 200, "can't show it to you again", "Copy</span>", ">Done</a>")
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("a page with a key may be stored")
	}
	if key := shownKey(t, a); !w.works(key) {
		t.Errorf("the key %s does not work", key)
	}
	b.get("/admin/settings/authentication").wants(t, 200, "1 API Key")
	id := fmt.Sprint(w.onlyKey().ID)
	b.get(keysPath).wants(t, 200, `data-testid="api-key-row-`+id+`"`, `aria-label="Edit my key"`, `title="Edit"`, `title="Delete"`,
		"Key name</th>", "Group</th>", "Key</th>", "Last modified by</th>", "Last modified on</th>", "Ada Admin")
	b.get(keysPath+"/"+id+"/edit").wants(t, 200, "Edit API Key", "Regenerate API Key", w.onlyKey().Masked())
	b.get(keysPath+"/"+id+"/regenerate").wants(t, 200, "Latchkey will replace the existing API key with a new key. You won't be able to recover the old key.",
		"No, don't regenerate", ">Regenerate</button>")
	b.get(keysPath+"/"+id+"/delete").wants(t, 200, "You won't be able to recover a deleted API key. You'll have to create a new key.", ">Delete API Key</button>")
	b.post(keysPath+"/"+id+"/delete").leads(t, keysPath)
	b.get(keysPath).wants(t, 200, "No API keys yet", "The API key was deleted.")
}

func (w *world) onlyKey() apikey.Key {
	w.t.Helper()
	keys, n, err := w.keys.List(w.t.Context(), boss(), apikey.Filter{})
	w.must(err)
	if n != 1 {
		w.t.Fatalf("there are %d keys, want 1", n)
	}
	return keys[0]
}

func TestCreateKeyRefusals(t *testing.T) {
	w := ready(t)
	b := w.admin()
	w.key("taken", access.AllUsers)
	try := func(name, groupID string) answer {
		return b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", name, "group_id", groupID)
	}
	try("taken", "1").wants(t, 400, "An API key with this name already exists.", `value="taken"`, `aria-invalid="true"`,
		`aria-describedby="error-name"`, `<option value="1" selected>`)
	try("  ", "1").wants(t, 400, "Value must be a non-blank string.")
	try("fine", "").wants(t, 400, `id="error-group_id"`, "Choose a group.", `value="fine"`)
	try("fine", "999").wants(t, 400, "This group does not exist any more.")
	try(strings.Repeat("é", 255), "1").wants(t, 400, "Value must be at most 254 characters long.")
	b.post(keysPath+"/new", "name", "no token", "group_id", "1").wants(t, http.StatusConflict, "This form was already sent")
	w.onlyKey()
	shownKey(t, try(strings.Repeat("é", 254), "1").wants(t, 200))
}

func TestAFormMakesOneKey(t *testing.T) {
	w := ready(t)
	b := w.admin()
	token := b.token(keysPath + "/new")
	form := []string{"token", token, "name", "once", "group_id", "1"}
	shown := make([]string, 5)
	var all sync.WaitGroup
	for i := range shown { // a double click, and then some
		all.Go(func() {
			if a := b.post(keysPath+"/new", form...); a.status == 200 {
				shown[i] = keyField.FindString(a.body)
			}
		})
	}
	all.Wait()
	for _, s := range shown {
		if s != "" && shown[0] != "" && s != shown[0] {
			t.Error("two different keys were shown")
		}
	}
	w.onlyKey()
	a := b.post(keysPath+"/new", form...).wants(t, http.StatusConflict, "This form was already sent") // back, and again
	if keyField.MatchString(a.body) {
		t.Error("the key was shown again")
	}
	// Another session cannot use the token up, or learn anything by it.
	other := w.admin()
	other.post(keysPath+"/new", form...).wants(t, 400, "An API key with this name already exists.")
}

func TestASecretIsOnNoOtherPage(t *testing.T) {
	w := ready(t)
	b := w.admin()
	key := shownKey(t, b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", "secretive", "group_id", "1"))
	id := fmt.Sprint(w.onlyKey().ID)
	for _, path := range []string{"/", keysPath, keysPath + "/" + id, keysPath + "/" + id + "/rotate", keysPath + "/" + id + "/edit", keysPath + "/" + id + "/regenerate", keysPath + "/" + id + "/delete", keysPath + "?q=" + key} {
		if a := b.get(path); path != keysPath+"?q="+key && strings.Contains(a.body, key[7:]) {
			t.Errorf("%s shows the key", path)
		}
	}
	if strings.Contains(w.log.String(), key) {
		t.Error("the log holds the key")
	}
}

func TestRegenerate(t *testing.T) {
	w := ready(t)
	b := w.admin()
	old := shownKey(t, b.post(keysPath+"/new", "token", b.token(keysPath+"/new"), "name", "rotating", "group_id", "1"))
	path := fmt.Sprintf("%s/%d/regenerate", keysPath, w.onlyKey().ID)
	token := b.token(path)
	next := shownKey(t, b.post(path, "token", token).wants(t, 200))
	if next == old || w.works(old) || !w.works(next) {
		t.Errorf("after regenerating: old works %v, new works %v", w.works(old), w.works(next))
	}
	b.post(path, "token", token).wants(t, http.StatusConflict)
	if !w.works(next) {
		t.Error("sending the form again ended the new key")
	}
}

func TestEditKey(t *testing.T) {
	w := ready(t)
	b := w.admin()
	g, err := w.groups.Create(t.Context(), boss(), "Analysts")
	w.must(err)
	k := w.key("before", access.AllUsers)
	w.key("taken", access.AllUsers)
	path := fmt.Sprintf("%s/%d/edit?page=1&q=be", keysPath, k.ID)
	b.post(path, "name", "taken", "group_id", fmt.Sprint(g.ID)).wants(t, 400, "An API key with this name already exists.", fmt.Sprintf(`<option value="%d" selected>`, g.ID))
	b.post(path, "name", "after", "group_id", fmt.Sprint(g.ID)).leads(t, fmt.Sprintf("%s?q=be#key-%d", keysPath, k.ID))
	got, err := w.keys.Get(t.Context(), boss(), k.ID)
	w.must(err)
	if got.Name != "after" || got.Group.Name != "Analysts" {
		t.Errorf("the key is %q in %q", got.Name, got.Group.Name)
	}
	b.get(keysPath+"?group="+fmt.Sprint(g.ID)).wants(t, 200, "Group: Analysts", "after").lacks(t, ">taken<")
}

func TestKeysSearchAndPages(t *testing.T) {
	w := ready(t)
	b := w.admin()
	for i := range 53 {
		w.key(fmt.Sprintf("job %02d", i), access.AllUsers)
	}
	b.get(keysPath).wants(t, 200, "job 00", "job 49", "1–50 of 53", `rel="next"`).lacks(t, "job 50", `rel="prev"`)
	b.get(keysPath+"?page=2").wants(t, 200, "job 50", "51–53 of 53", `rel="prev"`).lacks(t, "job 00", `rel="next"`)
	b.get(keysPath+"?page=9").wants(t, 200, "There is nothing on this page")
	b.get(keysPath+"?page=-1&q=JOB+4").wants(t, 200, "job 40").lacks(t, "job 00")
	b.get(keysPath+"?q=%25").wants(t, 200, "No API key matches “%”")
	b.get(keysPath+"?q="+strings.Repeat("x", 5000)).wants(t, 200)
	b.get(keysPath+"?page=99999999999999999999&q=%00%ff").wants(t, 200)
}

func TestHostileNamesAreText(t *testing.T) {
	w := ready(t)
	b := w.admin()
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{.}}`
	g, err := w.groups.Create(t.Context(), boss(), evil)
	w.must(err)
	k, _ := w.made(apikey.Draft{Name: evil, Groups: []int64{g.ID}, Description: evil, Tags: []string{evil[:25]}})
	w.must(w.settings.Set(t.Context(), boss(), "site-name", evil))
	for _, path := range []string{"/", keysPath, keysPath + "?q=" + "%3Cscript%3Ealert(1)", keysPath + "/new", fmt.Sprintf("%s/%d/edit", keysPath, k.ID),
		page(k.ID), page(k.ID, "?tab=rights"), page(k.ID, "/disable"), page(k.ID, "/restriction"), keysPath + "?tag=%3Cscript%3Ealert(1)",
		fmt.Sprintf("%s/%d/delete", keysPath, k.ID), "/admin/people/groups", fmt.Sprintf("/admin/people/groups/%d", g.ID),
		fmt.Sprintf("/admin/people/groups/%d/delete", g.ID), "/admin/people/new"} {
		a := b.get(path).wants(t, 200)
		if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, "<img src=x") {
			t.Errorf("%s: a name is not escaped\n%s", path, a.body)
		}
	}
}

func TestPagesHoldNoInlineCode(t *testing.T) {
	w := ready(t)
	b := w.admin()
	inline := regexp.MustCompile(`<script>|<style|\sstyle="|\son[a-z]+="|javascript:|https?://[^"']*\.(js|css)`)
	k := w.key("one", access.Administrators)
	for _, path := range []string{"/", "/admin/settings/general", "/admin/settings/authentication", keysPath, keysPath + "/new", fmt.Sprintf("%s/%d/edit", keysPath, k.ID),
		page(k.ID), page(k.ID, "?tab=rights"), page(k.ID, "?tab=least"), page(k.ID, "?tab=usage"), page(k.ID, "/rotate"), page(k.ID, "/restriction"),
		"/admin/people", "/admin/people/new", "/admin/people/user/1", "/admin/people/groups", "/admin/people/groups/2", "/admin/people/groups/2/add",
		"/account/profile", "/account/password", "/account/sessions"} {
		if found := inline.FindString(b.get(path).wants(t, 200).body); found != "" {
			t.Errorf("%s holds %q", path, found)
		}
	}
}
