package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"latchkey/internal/apptest"
)

// patience is how long a person waits for something to appear.
const patience = 20 * time.Second

// pasteboard is held by who copies: all windows share one clipboard.
var pasteboard sync.Mutex

// stopBrowser ends the browser and waits until it is gone; nil if none ran.
var stopBrowser func()

// startBrowser starts the one browser that all tests share.
var startBrowser = sync.OnceValues(func() (context.Context, error) {
	path, err := findBrowser()
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("hide-scrollbars", true),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	stopBrowser = func() {
		within, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		_ = chromedp.Cancel(within)
	}
	return ctx, chromedp.Do(ctx)
})

// agent is how the browser calls itself when it has a screen.
const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

// findBrowser returns the path of the browser.
func findBrowser() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("these tests need a browser: install the Debian package chromium (apt-get install chromium), or run make deps")
}

func TestMain(m *testing.M) {
	code := m.Run()
	if stopBrowser != nil {
		stopBrowser()
	}
	os.Exit(code)
}

// window is a person at a browser: cookies, clipboard permission and history
// are its own.
type window struct {
	t     testing.TB
	s     *apptest.Server
	ctx   context.Context
	root  cdp.BackendNodeID // what in() has narrowed it to, 0 for the page
	noise *noise
}

// noise collects what a browser complains about.
type noise struct {
	mu    sync.Mutex
	lines []string
	fine  []string // texts of complaints that a test brings about
}

func (n *noise) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

// watch tells the noise about an event of the page.
func (n *noise) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, arg := range e.Args {
			words = append(words, string(arg.Value)+arg.Description)
		}
		n.add("console.%s: %s", e.Type, strings.Join(words, " "))
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		n.add("exception: %s", text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelVerbose {
			return // advice
		}
		n.add("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
	}
}

// unexpected returns the complaints that the test does not bring about.
func (n *noise) unexpected() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.lines), func(line string) bool {
		return slices.ContainsFunc(n.fine, func(text string) bool { return strings.Contains(line, text) })
	})
}

// expects says that the page will complain about something, such as a status
// that a mistake is answered with.
func (w *window) expects(text string) {
	w.noise.mu.Lock()
	defer w.noise.mu.Unlock()
	w.noise.fine = append(w.noise.fine, text)
}

// violations makes the page say aloud what its content security policy stops.
const violations = `addEventListener("securitypolicyviolation", (e) => console.error("policy violation:", e.violatedDirective, e.blockedURI, e.sample))`

// open opens a new window on a page of the server. The test fails when any page
// it visits complains in the console or breaks the content security policy.
func open(t testing.TB, s *apptest.Server, path string) *window {
	t.Helper()
	parent, err := startBrowser()
	if err != nil {
		t.Fatal(err)
	}
	w := &window{t: t, s: s, noise: &noise{}}
	var cancel context.CancelFunc
	w.ctx, cancel = chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.noise.watch))
	t.Cleanup(func() {
		if lines := w.noise.unexpected(); len(lines) > 0 {
			t.Errorf("the browser complains:\n  %s", strings.Join(lines, "\n  "))
		}
		cancel()
	})
	// The first call opens the tab; a time limit on it would close it again.
	w.must(chromedp.Do(w.ctx))
	w.size(1280, 900)
	w.colours("light")
	command(w, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent})
	command(w, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	command(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: violations})
	w.clipboard(browser.PermissionSettingGranted)
	w.visit(path)
	return w
}

func (w *window) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.describe())
	}
}

// describe says where the window is, for failures. With
// LATCHKEY_BROWSER_TROUBLE=file.png it takes a picture of it too.
func (w *window) describe() string {
	ctx, cancel := context.WithTimeout(w.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + location.search + "\n" + document.body.innerText`))
	if name := os.Getenv("LATCHKEY_BROWSER_TROUBLE"); name != "" {
		if picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
			_ = os.WriteFile(name, picture, 0o600)
		}
	}
	return "the window shows " + text
}

// soon returns the context of one action.
func (w *window) soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.ctx, patience)
}

// command sends a command of the browser's protocol.
func command[P, R any](w *window, c cdp.Command[P, R], params P) R {
	w.t.Helper()
	ctx, cancel := w.soon()
	defer cancel()
	r, err := chromedp.Call(ctx, c, params)
	w.must(err)
	return r
}

// ask evaluates JavaScript, for what has no label: addresses, scroll, clipboard.
func ask[T any](w *window, script string) T {
	w.t.Helper()
	ctx, cancel := w.soon()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	w.must(err)
	return v
}

// do runs actions within the patience of a person.
func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := w.soon()
	defer cancel()
	w.must(chromedp.Do(ctx, steps...))
}

// loads runs actions that lead to another page, waits for it and returns its
// status.
func (w *window) loads(steps ...chromedp.Action[chromedp.Void]) int64 {
	w.t.Helper()
	ctx, cancel := w.soon()
	defer cancel()
	res, err := chromedp.RunResponse(ctx, steps...)
	w.must(err)
	if res == nil {
		return 0 // from the browser's own memory
	}
	return res.Status
}

// visit goes to a path by the address bar.
func (w *window) visit(path string) { w.t.Helper(); w.do(chromedp.Navigate(w.s.URL + path)) }

// reload loads the page again; back goes back in the history.
func (w *window) reload() { w.t.Helper(); w.do(chromedp.Reload()) }
func (w *window) back()   { w.t.Helper(); w.do(chromedp.NavigateBack()) }

// path returns where the window is.
func (w *window) path() string { w.t.Helper(); return ask[string](w, `location.pathname`) }

// size sets the size of the window.
func (w *window) size(width, height int64) {
	w.t.Helper()
	w.do(chromedp.EmulateViewport(width, height))
}

// colours chooses light or dark.
func (w *window) colours(scheme string) {
	w.t.Helper()
	command(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// picture returns what the window shows, as PNG, without a blinking caret and
// with the mouse out of the way.
func (w *window) picture() []byte {
	w.t.Helper()
	ask[string](w, `document.documentElement.style.caretColor = "transparent"`)
	w.do(chromedp.MouseEvent(chromedp.MouseMoved, 1, 899))
	ctx, cancel := w.soon()
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	w.must(err)
	return raw
}

// fits checks that nothing of the page is wider than the window, so that one
// scrolls it up and down only.
func (w *window) fits() {
	w.t.Helper()
	const wide = `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return "";
		const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1);
		return out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120)).join("\n");
	})()`
	if parts := ask[string](w, wide); parts != "" {
		w.t.Errorf("%s is wider than the window:\n%s", w.path(), parts)
	}
}

// clipboard grants or denies the clipboard.
func (w *window) clipboard(setting browser.PermissionSetting) {
	w.t.Helper()
	c := chromedp.FromContext(w.ctx)
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		s := setting
		if name == "clipboard-read" {
			s = browser.PermissionSettingGranted // the test itself reads it
		}
		_, err := chromedp.CallBrowser(w.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: s, BrowserContextID: c.BrowserContextID,
		})
		w.must(err)
	}
}

// refuseClipboard makes the browser refuse that pages write to the clipboard.
func (w *window) refuseClipboard() { w.t.Helper(); w.clipboard(browser.PermissionSettingDenied) }

// copied returns what is in the clipboard.
func (w *window) copied() string {
	w.t.Helper()
	return ask[string](w, `navigator.clipboard.readText()`)
}

// element is what a person points at.
type element struct {
	w           *window
	id          cdp.BackendNodeID
	role        string
	name        string
	description string
	invalid     bool
}

// text decodes a value of the accessibility tree.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var value any
	if err := json.Unmarshal(v.Value, &value); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(fmt.Sprint(value)), " ")
}

// all returns every element of a role that a person can perceive.
func (w *window) all(role string) ([]element, error) {
	ctx, cancel := w.soon()
	defer cancel()
	query := accessibility.QueryAXTreeParams{Role: role, BackendNodeID: w.root}
	if w.root == 0 {
		page, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject](`document`))
		if err != nil {
			return nil, err
		}
		query.ObjectID = page.ObjectID
	}
	res, err := chromedp.Call(ctx, accessibility.QueryAXTree, query)
	if err != nil {
		return nil, err
	}
	var found []element
	for _, n := range res.Nodes {
		if n.Ignored || n.BackendDOMNodeID == 0 {
			continue
		}
		e := element{w: w, id: n.BackendDOMNodeID, role: role, name: text(n.Name), description: text(n.Description)}
		for _, p := range n.Properties {
			e.invalid = e.invalid || p.Name == "invalid" && text(p.Value) == "true"
		}
		found = append(found, e)
	}
	return found, nil
}

// named returns the elements of a role that are called name. The word
// "optional" behind the label of a field is no part of its name.
func (w *window) named(role, name string) ([]element, error) {
	all, err := w.all(role)
	return slices.DeleteFunc(all, func(e element) bool { return strings.TrimSuffix(e.name, " optional") != name }), err
}

// find waits until exactly one element of a role is called name.
func (w *window) find(role, name string) element {
	w.t.Helper()
	var found []element
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found, err = w.named(role, name); err == nil && len(found) == 1 {
			return found[0]
		}
	}
	others, _ := w.all(role)
	var names []string
	for _, e := range others {
		names = append(names, fmt.Sprintf("%q", e.name))
	}
	w.t.Fatalf("%d elements with the role %s are called %q (%v); there are: %s\n%s", len(found), role, name, err, strings.Join(names, ", "), w.describe())
	return element{}
}

// absent checks that nothing of a role is called name.
func (w *window) absent(role, name string) {
	w.t.Helper()
	found, err := w.named(role, name)
	w.must(err)
	if len(found) > 0 {
		w.t.Fatalf("there is a %s %q\n%s", role, name, w.describe())
	}
}

// in returns the window narrowed to a part of the page.
func (w *window) in(role, name string) *window {
	w.t.Helper()
	narrow := *w
	narrow.root = w.find(role, name).id
	return &narrow
}

// call calls a JavaScript function with the element as "this".
func call[T any](e element, function string) T {
	e.w.t.Helper()
	object := command(e.w, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: e.id}).Object
	ctx, cancel := e.w.soon()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.CallFunctionOn[T](function, func(p *runtime.CallFunctionOnParams) { p.ObjectID = object.ObjectID }))
	e.w.must(err)
	return v
}

// place scrolls the element into view and returns the middle of it. It must
// not be covered by anything.
func (e element) place() (x, y float64) {
	e.w.t.Helper()
	command(e.w, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: e.id})
	at := call[[]float64](e, `function () {
		const r = this.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2;
		const top = document.elementFromPoint(x, y);
		return this === top || this.contains(top) || this.labels && [...this.labels].some((l) => l.contains(top)) ? [x, y] : [];
	}`)
	if len(at) != 2 {
		e.w.t.Fatalf("the %s %q is covered or not on the screen\n%s", e.role, e.name, e.w.describe())
	}
	return at[0], at[1]
}

// mouse returns a click on the element.
func (e element) mouse(options ...chromedp.MouseOption) chromedp.Action[chromedp.Void] {
	e.w.t.Helper()
	x, y := e.place()
	return chromedp.MouseClickXY(x, y, options...)
}

// value returns what a field holds.
func (e element) value() string {
	e.w.t.Helper()
	return call[string](e, `function () { return this.value }`)
}

// click clicks something that stays on the page.
func (w *window) click(role, name string) { w.t.Helper(); w.do(w.find(role, name).mouse()) }

// follow clicks something that leads to another page and returns its status.
func (w *window) follow(role, name string) int64 {
	w.t.Helper()
	return w.loads(w.find(role, name).mouse())
}

// followFirst follows the first of several links with the same name.
func (w *window) followFirst(name string) {
	w.t.Helper()
	var found []element
	w.eventually("links called "+name, func() bool { found, _ = w.named("link", name); return len(found) > 0 })
	w.loads(found[0].mouse())
}

// doubleClick clicks twice, fast.
func (w *window) doubleClick(role, name string) {
	w.t.Helper()
	e := w.find(role, name)
	x, y := e.place()
	w.loads(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
}

// field finds a field by its label.
func (w *window) field(label string) element {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		for _, role := range []string{"textbox", "searchbox", "combobox"} { // the last one offers what to type
			if found, err := w.named(role, label); err == nil && len(found) == 1 {
				return found[0]
			}
		}
		if time.Now().After(deadline) {
			return w.find("textbox", label) // says what there is
		}
	}
}

// fill clicks into a field and replaces what it holds.
func (w *window) fill(label, value string) {
	w.t.Helper()
	w.do(w.field(label).mouse(chromedp.ClickCount(3)))
	w.press("selectAll")
	command(w, input.InsertText, input.InsertTextParams{Text: value})
	if got := w.field(label).value(); got != value {
		w.t.Fatalf("the field %q holds %q, want %q", label, got, value)
	}
}

// choose chooses from a list by typing, as one may.
func (w *window) choose(label, option string) {
	w.t.Helper()
	e := w.find("combobox", label)
	command(w, dom.Focus, dom.FocusParams{BackendNodeID: e.id})
	w.do(chromedp.KeyEvent(option))
	if got := w.chosen(label); got != option {
		w.t.Fatalf("%s: chose %q, the list shows %q", label, option, got)
	}
}

// chosen returns what a list shows.
func (w *window) chosen(label string) string {
	w.t.Helper()
	return call[string](w.find("combobox", label), `function () { return this.selectedOptions[0].text }`)
}

// press presses a key; selectAll and copy are Ctrl+A and Ctrl+C.
func (w *window) press(key string) {
	w.t.Helper()
	letters := map[string]string{"selectAll": "a", "copy": "c"}
	if letter := letters[key]; letter != "" {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			p := input.DispatchKeyEventParams{Type: kind, Key: letter, Code: "Key" + strings.ToUpper(letter), Modifiers: int64(kb.ModifierCtrl)}
			if kind == input.DispatchKeyEventTypeRawKeyDown {
				p.Commands = []string{key}
			}
			command(w, input.DispatchKeyEvent, p)
		}
		return
	}
	w.do(chromedp.KeyEvent(keys[key]))
}

// keys are the keys that move a person who has no mouse.
var keys = map[string]string{"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " "}

// typed types text key by key.
func (w *window) typed(text string) { w.t.Helper(); w.do(chromedp.KeyEvent(text)) }

// pressed presses a key that leads to another page.
func (w *window) pressed(key string) { w.t.Helper(); w.loads(chromedp.KeyEvent(keys[key])) }

// focused returns what has the keyboard.
func (w *window) focused() element {
	w.t.Helper()
	ctx, cancel := w.soon()
	defer cancel()
	active, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject](`document.activeElement`))
	w.must(err)
	no := false
	tree := command(w, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: active.ObjectID, FetchRelatives: &no})
	n := tree.Nodes[0]
	return element{w: w, id: n.BackendDOMNodeID, role: text(n.Role), name: text(n.Name)}
}

// tabTo presses Tab until something called name has the keyboard.
func (w *window) tabTo(role, name string) {
	w.t.Helper()
	var passed []string
	for range 40 {
		e := w.focused()
		if e.role == role && strings.TrimSuffix(e.name, " optional") == name {
			return
		}
		passed = append(passed, e.role+" "+e.name)
		w.press("Tab")
	}
	w.t.Fatalf("Tab does not reach the %s %q; it passed %s", role, name, strings.Join(passed, ", "))
}

// tabBackTo is tabTo in the other direction.
func (w *window) tabBackTo(role, name string) {
	w.t.Helper()
	for range 40 {
		if e := w.focused(); e.role == role && e.name == name {
			return
		}
		w.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(kb.ModifierShift)))
	}
	w.t.Fatalf("Shift+Tab does not reach the %s %q\n%s", role, name, w.describe())
}

// eventually waits until something holds.
func (w *window) eventually(what string, holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("still waiting for %s\n%s", what, w.describe())
		}
	}
}

// listed waits until a part of the page has so many elements of a role.
func (w *window) listed(n int, role string) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d elements with the role %s", n, role), func() bool {
		found, err := w.all(role)
		return err == nil && len(found) == n
	})
}

// shown is what a person sees: the dialog, if there is one, or the page.
const shown = `(document.querySelector("dialog:modal") ?? document.body).innerText.replace(/\s+/g, " ")`

// sees waits until a text is on the page.
func (w *window) sees(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		w.eventually(fmt.Sprintf("the text %q", text), func() bool { return strings.Contains(ask[string](w, shown), text) })
	}
}

// lacks checks that no text is on the page.
func (w *window) lacks(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if strings.Contains(ask[string](w, shown), text) {
			w.t.Fatalf("the text %q is there\n%s", text, w.describe())
		}
	}
}

// faulted checks that a field is marked as wrong, and that the reason belongs
// to it.
func (w *window) faulted(label, reason string) {
	w.t.Helper()
	e := w.field(label)
	if !e.invalid || e.description == "" || !strings.Contains(e.description, reason) {
		w.t.Fatalf("the field %q: invalid %v, described as %q, want %q\n%s", label, e.invalid, e.description, reason, w.describe())
	}
	w.sees(reason)
}

// table returns the rows of a table, headings first, as a person reads them.
func (w *window) table(name string) [][]string {
	w.t.Helper()
	return call[[][]string](w.find("table", name), `function () {
		return [...this.rows].map((r) => [...r.cells].map((c) => c.innerText.trim().replace(/\s+/g, " ")));
	}`)
}

// row returns the row of a table that begins with name.
func (w *window) row(table, name string) []string {
	w.t.Helper()
	rows := w.table(table)
	for _, row := range rows {
		if row[0] == name {
			return row
		}
	}
	w.t.Fatalf("the table %q has no row %q: %q", table, name, rows)
	return nil
}
