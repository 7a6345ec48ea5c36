package web

import (
	"cmp"
	"strings"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// editForm returns the form that shows a key as it is.
func (p *page) editForm(k apikey.Key) (*form, error) {
	f := newForm("name", k.Name, "group_id", idText(k.Group.ID), "description", k.Description, "tags", tagsText(k), "ends", "never", "had", "yes")
	for _, g := range k.Groups {
		if g.ID != k.Group.ID {
			f.Values.Add("more_groups", idText(g.ID))
		}
	}
	if k.ExpiresAt != nil {
		f.Values.Set("ends", "date")
		f.Values.Set("expires_at", k.ExpiresAt.UTC().Format(time.DateOnly))
	}
	for field, id := range map[string]int64{"owner": k.Owner.ID, "successor": k.Successor.ID} {
		if id == 0 {
			continue
		}
		u, err := p.site.People.Get(p.ctx(), p.who, id)
		if err != nil {
			return nil, err
		}
		f.Values.Set(field, u.Email)
	}
	return f, nil
}

// tagsText writes the tags of a key as its form shows them.
func tagsText(k apikey.Key) string { return strings.Join(k.Tags, ", ") }

func (p *page) showKeyEdit() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.editForm(key)
	if err != nil {
		return err
	}
	return p.keyEditDialog(f, key, p.over() != "")
}

// keyEditDialog answers with the dialog that changes a key. Whoever comes from
// the key's page wants more than its name.
func (p *page) keyEditDialog(f *form, key apikey.Key, open bool) error {
	d := keyDialog{Form: f, Key: key}
	d.More = p.site.furtherGroups(f)
	var err error
	if d.Options, err = p.keyOptions(f, append(f.ids("group_id"), f.ids("more_groups")...)); err != nil {
		return err
	}
	d.Options.keep(key.ExpiresAt)
	d.Options.Open = open || f.wrong("description", "owner", "successor", "tags", "expires_at") || f.finding()
	return p.keyDialog("key-edit", "Edit API Key", d)
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
		return p.keyEditDialog(f, key, false)
	}
	err = unseen(f, key)
	if err == nil {
		err = p.updateKey(key, f)
	}
	if err != nil {
		if err := refusedKey(f, err); err != nil {
			return err
		}
		return p.keyEditDialog(f, key, false)
	}
	return p.done(p.after(key.ID), saidKeySaved)
}

func (p *page) updateKey(key apikey.Key, f *form) error {
	c := apikey.Change{Name: opt.Of(f.text("name"))}
	if key.Kind == apikey.KindService {
		groupID, err := p.chosenGroup(f, "group_id")
		if err != nil {
			return err
		}
		c.GroupID = opt.Of(groupID)
	}
	if f.Get("had") != "" {
		if err := p.changeMore(key, f, &c); err != nil {
			return err
		}
	}
	_, err := p.site.Keys.Update(p.ctx(), p.who, key.ID, c)
	return err
}

// seenText marks how a key was when a form of it was opened.
func seenText(k apikey.Key) string { return idText(k.UpdatedAt.UnixMicro()) }

// unseen refuses a form that was opened before somebody else changed the key:
// it would take their change back. Sent again, it does.
func unseen(f *form, k apikey.Key) error {
	if seen := f.Get("seen"); seen == "" || seen == seenText(k) {
		return nil
	}
	return fault.New(fault.Conflict, "The key was changed after you opened this form, by %s. Nothing was saved. Look at the key's page in another tab: saving again replaces that change with what stands here.",
		cmp.Or(k.UpdatedBy.Name, "somebody"))
}

// changeMore reads what the form asks beyond the name and group.
func (p *page) changeMore(key apikey.Key, f *form, c *apikey.Change) error {
	c.Description = opt.Of(f.text("description"))
	if f.Get("tags") != tagsText(key) { // a tag of another maker may hold a comma
		c.Tags = opt.Of(formTags(f))
	}
	var err error
	if c.ExpiresAt, err = keyEnd(f, key.ExpiresAt); err != nil || key.Kind != apikey.KindService {
		return err
	}
	c.Groups = opt.Of(append(f.ids("group_id"), f.ids("more_groups")...))
	owner, successor, err := p.keptOwners(f, key)
	if err != nil {
		return err
	}
	c.OwnerID, c.SuccessorID = opt.Of(owner), opt.Of(successor)
	return nil
}

// keptOwners reads owner and successor; somebody who was deactivated may stay.
func (p *page) keptOwners(f *form, key apikey.Key) (owner, successor int64, err error) {
	owner, err = p.keptPerson(f, "owner", key.Owner.ID)
	if err != nil {
		return 0, 0, err
	}
	successor, err = p.keptPerson(f, "successor", key.Successor.ID)
	return owner, successor, err
}

func (p *page) keptPerson(f *form, field string, old int64) (int64, error) {
	if old != 0 {
		u, err := p.site.People.Get(p.ctx(), p.who, old)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return 0, err
		}
		if err == nil && strings.EqualFold(u.Email, f.text(field)) {
			return old, nil
		}
	}
	return p.namedPerson(f, field)
}
