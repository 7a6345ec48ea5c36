package web

import (
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/secret"
)

// keysBody is the list of API keys.
type keysBody struct {
	List  list
	Keys  []apikey.Key
	Group string // name of the group whose keys are shown, "" for all
}

// keyDialog is a dialog over the list.
type keyDialog struct {
	Form   *form
	Key    apikey.Key
	Groups picker
	Here   string // where the dialog sends its form
	Back   string // the list, as it was
	List   list
}

// keysBody reads the list as the address says.
func (p *page) keysBody() (keysBody, error) {
	b := keysBody{List: p.readList(pathKeys, "group")}
	groupID, _ := positive(b.List.Filter("group"))
	if g, ok := p.site.Groups.Snapshot().ByID(groupID); ok {
		b.Group = g.Name
	}
	var err error
	b.Keys, b.List.Total, err = p.site.Keys.List(p.ctx(), p.who, apikey.Filter{
		Query: b.List.Query, GroupID: groupID, Limit: pageSize, Offset: b.List.offset(),
	})
	return b, err
}

func (p *page) showKeys() error {
	b, err := p.keysBody()
	if err != nil {
		return err
	}
	return p.show("keys", "API Keys", b)
}

// keyDialog answers with a dialog over the list.
func (p *page) keyDialog(name, title string, d keyDialog) error {
	b, err := p.keysBody()
	if err != nil {
		return err
	}
	d.List, d.Back, d.Here = b.List, b.List.URL(), p.r.URL.RequestURI()
	if d.Key.ID != 0 {
		d.Back += "#" + rowID("key", d.Key.ID)
	}
	d.Groups = p.site.newPicker(d.Form, "group_id", "Group", false)
	d.Groups.Hint = "The key gets the same permissions as the group. What All Users may do is always included."
	return p.answer(d.Form.status, name, title, b, d)
}

func (p *page) showKeyNew() error {
	return p.keyDialog("key-new", "Create API Key", keyDialog{Form: newForm()})
}

// madeKey is a key with its text, which is shown once.
type madeKey struct {
	key  apikey.Key
	text secret.Text
}

func (p *page) createKey() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.keyDialog("key-new", "Create API Key", keyDialog{Form: f})
	}
	made, err := try(p.site.once, p.formToken(f), func() (madeKey, error) {
		groupID, err := p.chosenGroup(f, "group_id")
		if err != nil {
			return madeKey{}, err
		}
		key, text, err := p.site.Keys.Create(p.settled(), p.who, f.text("name"), groupID)
		return madeKey{key, text}, err
	})
	if err != nil {
		if err := f.refused(err, "name", "group_id"); err != nil {
			return err
		}
		return p.keyDialog("key-new", "Create API Key", keyDialog{Form: f})
	}
	return p.showKeyOnce(made)
}

// showKeyOnce shows a key's text over the list. The answer is never stored,
// and the form that led here works only once.
func (p *page) showKeyOnce(made madeKey) error {
	b, err := p.keysBody()
	if err != nil {
		return err
	}
	return p.answer(200, "key-secret", "Copy and save this API key", b, onceDialog{
		Heading: "Copy and save this API key", TestID: "secret-key-modal",
		Label: "The API key", ID: "api-key-text", Value: made.text.Reveal(),
		Lead: "This is the key “" + made.key.Name + "” of the group " + made.key.Group.Name + ".",
		Note: "Save it somewhere safe now. Latchkey stores only a fingerprint of it and can't show it to you again. If you lose it, you'll need to regenerate it.",
		Back: b.List.URL(),
	})
}

// onceDialog shows something that cannot be shown again.
type onceDialog struct {
	Heading, Lead, Label, ID, Value, Note, Back, TestID string
}

// oneKey returns the key that the path names.
func (p *page) oneKey() (apikey.Key, error) {
	id, err := p.id()
	if err != nil {
		return apikey.Key{}, err
	}
	return p.site.Keys.Get(p.ctx(), p.who, id)
}

func (p *page) showKeyEdit() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f := newForm("name", key.Name, "group_id", idText(key.Group.ID))
	return p.keyDialog("key-edit", "Edit API Key", keyDialog{Form: f, Key: key})
}

func (p *page) saveKey() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.keyDialog("key-edit", "Edit API Key", keyDialog{Form: f, Key: key})
	}
	if err := p.updateKey(key.ID, f); err != nil {
		if err := f.refused(err, "name", "group_id"); err != nil {
			return err
		}
		return p.keyDialog("key-edit", "Edit API Key", keyDialog{Form: f, Key: key})
	}
	return p.done(p.readList(pathKeys, "group").URL()+"#"+rowID("key", key.ID), saidKeySaved)
}

func (p *page) updateKey(id int64, f *form) error {
	groupID, err := p.chosenGroup(f, "group_id")
	if err != nil {
		return err
	}
	_, err = p.site.Keys.Update(p.ctx(), p.who, id, apikey.Change{Name: opt.Of(f.text("name")), GroupID: opt.Of(groupID)})
	return err
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
		return madeKey{key, text}, err
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
	return p.keyDialog("key-delete", "Delete API Key", keyDialog{Form: newForm(), Key: key})
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
	return p.done(p.readList(pathKeys, "group").URL(), saidKeyDeleted)
}
