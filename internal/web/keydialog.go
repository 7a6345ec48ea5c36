package web

import (
	"net/url"

	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
	"latchkey/internal/usage"
)

// keyDialog is a dialog over the list of keys, or over the page of one.
type keyDialog struct {
	Form    *form
	Key     apikey.Key
	Groups  picker
	More    picker // further groups
	Options keyOptions
	Rights  restrictionForm
	Here    string // where the dialog sends its form
	Back    string // what is under it, as it was
	List    list

	Policy  apikey.Policy
	Verdict *verdict
	Secret  apikey.Secret
	Use     *usage.LastUse
	Others  int // live secrets beside Secret
	Refused int64
	over    string // the tab of the key's page under it; "" for the list
}

// At returns the address of another dialog about the key, over the same page.
func (d keyDialog) At(what string) string {
	if d.over == "" {
		return d.List.At(d.Key.ID, what)
	}
	return actPath(d.Key.ID, what, d.over)
}

// Seen marks how the key was when the dialog was opened.
func (d keyDialog) Seen() string { return seenText(d.Key) }

// Rotate returns the address of the dialog that rotates the key.
func (d keyDialog) Rotate() string { return actPath(d.Key.ID, "rotate", tabAbout) }

// Delete returns where the deletion is sent. It leads to the list, as the page
// of the key has little to offer afterwards.
func (d keyDialog) Delete() string { return d.List.At(d.Key.ID, "delete") }

// actPath returns the address of a dialog over a tab of a key's page.
func actPath(id int64, what, tab string) string {
	return keyPath(id) + "/" + what + "?" + url.Values{"over": {tab}}.Encode()
}

// over returns the tab of the key's page that a dialog lies over, or "" for
// the list.
func (p *page) over() string {
	if o := p.r.URL.Query().Get("over"); o != "" {
		return keyTab(o)
	}
	return ""
}

// keyDialog answers with a dialog.
func (p *page) keyDialog(name, title string, d keyDialog) error {
	d.over, d.Here = p.over(), p.r.URL.RequestURI()
	d.Groups = p.site.newPicker(d.Form, "group_id", "Group", false)
	d.Groups.Hint = "The key gets the same permissions as the group. What All Users may do is always included."
	if d.over != "" {
		d.List = p.readList(pathKeys)
		return p.overKey(name, title, d)
	}
	b, err := p.keysBody()
	if err != nil {
		return err
	}
	d.List, d.Back = b.List, b.List.URL()
	if d.Key.ID != 0 {
		d.Back += "#" + rowID("key", d.Key.ID)
	}
	return p.answer(d.Form.status, name, title, b, d)
}

// overKey answers with a dialog over the key's page.
func (p *page) overKey(name, title string, d keyDialog) error {
	b, err := p.keyBody(d.Key, d.over)
	if err != nil {
		return err
	}
	d.Back = tabPath(d.Key.ID, d.over)
	return p.answer(d.Form.status, name+onPage, title, b, d)
}

// onPage marks the sheets of dialogs that lie over a key's page.
const onPage = "-on-page"

// always puts a dialog over the key's page.
func (p *page) always(d keyDialog, name, title string) error {
	if d.over = p.over(); d.over == "" {
		d.over = tabAbout
	}
	d.Here = p.r.URL.RequestURI()
	return p.overKey(name, title, d)
}

// madeKey is a key with its text, which is shown once.
type madeKey struct {
	key  apikey.Key
	text secret.Text
	note string // what becomes of the old text
}

// showKeyOnce shows a key's text over what was there. The answer is never
// stored, and the form that led here works only once.
func (p *page) showKeyOnce(made madeKey) error {
	d := onceDialog{
		Heading: "Copy and save this API key", TestID: "secret-key-modal",
		Label: "The API key", ID: "api-key-text", Value: made.text.Reveal(),
		Lead: "This is the key “" + made.key.Name + "” of the group " + made.key.Group.Name + "." + made.note,
		Note: "Save it somewhere safe now. Latchkey stores only a fingerprint of it and can't show it to you again. If you lose it, you'll need to regenerate it.",
	}
	if over := p.over(); over != "" {
		if b, err := p.keyBody(made.key, over); err == nil {
			d.Back = tabPath(made.key.ID, over)
			return p.answer(200, "key-secret"+onPage, d.Heading, b, d)
		}
	}
	b, err := p.keysBody()
	if err != nil { // the key is made: its text is shown even when nothing else can be
		b = keysBody{List: p.keyList()}
	}
	d.Back, d.More, d.MoreTo = b.List.URL(), "Open the key's page", keyPath(made.key.ID)
	return p.answer(200, "key-secret", d.Heading, b, d)
}

// onceDialog shows something that cannot be shown again.
type onceDialog struct {
	Heading, Lead, Label, ID, Value, Note, Back, TestID string
	More, MoreTo                                        string // a further way on, and where it leads
}

// oneKey returns the key that the path names.
func (p *page) oneKey() (apikey.Key, error) {
	id, err := p.id()
	if err != nil {
		return apikey.Key{}, err
	}
	return p.site.Keys.Get(p.ctx(), p.who, id)
}

// after returns where to go after a dialog about a key.
func (p *page) after(id int64) string {
	if over := p.over(); over != "" {
		return tabPath(id, over)
	}
	return p.keyList().URL() + "#" + rowID("key", id)
}

func (p *page) showKeyRegenerate() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	return p.keyDialog("key-regenerate", "Regenerate API Key", keyDialog{Form: newForm(), Key: key})
}

func (p *page) regenerateKey() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	made, err := try(p.site.once, p.formToken(f), func() (madeKey, error) {
		key, text, err := p.site.Keys.Regenerate(p.settled(), p.who, key.ID)
		return madeKey{key: key, text: text}, err
	})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.keyDialog("key-regenerate", "Regenerate API Key", keyDialog{Form: f, Key: key})
	}
	return p.showKeyOnce(made)
}

func (p *page) showKeyDelete() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	v, err := p.verdict(key.ID)
	if err != nil {
		return err
	}
	return p.keyDialog("key-delete", "Delete API Key", keyDialog{Form: newForm(), Key: key, Verdict: v})
}

// deleteKey deletes a key. One that is gone already is what was wanted.
func (p *page) deleteKey() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	if err := p.site.Keys.Delete(p.ctx(), p.who, id); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return p.done(p.keyList().URL(), saidKeyDeleted)
}
