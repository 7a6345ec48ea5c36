package web

import (
	"strconv"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/usage"
)

// usualOverlap is how long the dialog proposes that both secrets work.
const usualOverlap = 7

func (p *page) showKeyRotate() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	policy, err := p.site.Keys.PolicyFor(p.ctx(), p.who, groupIDs(key))
	if err != nil {
		return err
	}
	days := usualOverlap
	if policy.MaxOverlapDays > 0 {
		days = min(days, policy.MaxOverlapDays)
	}
	f := newForm("overlap", "date", "overlap_until", p.now().Add(time.Duration(days)*day).Format(time.DateOnly), "silent_days", strconv.Itoa(days))
	return p.rotateDialog(f, key)
}

func groupIDs(k apikey.Key) []int64 {
	var out []int64
	for _, g := range k.Groups {
		out = append(out, g.ID)
	}
	return out
}

func (p *page) rotateDialog(f *form, key apikey.Key) error {
	d := keyDialog{Form: f, Key: key}
	var err error
	if d.Policy, err = p.site.Keys.PolicyFor(p.ctx(), p.who, groupIDs(key)); err != nil {
		return err
	}
	return p.always(d, "key-rotate", "Rotate the key")
}

// overlap reads how long the old secret is to work.
func overlap(f *form) (apikey.Overlap, string, error) {
	switch f.Get("overlap") {
	case "date":
		t, err := dayOf(f.text("overlap_until"))
		if err != nil {
			return apikey.Overlap{}, "", fault.Field("overlap_until", "Choose a date.")
		}
		return apikey.Overlap{Until: &t}, " The old one works until " + t.Format("2 January 2006") + ", 00:00 UTC.", nil
	case "silent":
		n, err := strconv.Atoi(f.text("silent_days"))
		if err != nil || n < 1 {
			return apikey.Overlap{}, "", fault.Field("silent_days", "Must be a whole number of days.")
		}
		return apikey.Overlap{SilentDays: n}, " The old one ends when it was not used for " + plural(n, "day", "days") + ".", nil
	}
	return apikey.Overlap{}, " The old one has stopped working.", nil
}

func (p *page) rotateKey() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	made, err := try(p.site.once, p.formToken(f), func() (madeKey, error) {
		o, note, err := overlap(f)
		if err != nil {
			return madeKey{}, err
		}
		key, text, err := p.site.Keys.Rotate(p.settled(), p.who, key.ID, o)
		return madeKey{key, text, note}, err
	})
	if err != nil {
		if err := f.refused(err, "overlap_until", "silent_days"); err != nil {
			return err
		}
		return p.rotateDialog(f, key)
	}
	return p.showKeyOnce(made)
}

func (p *page) showKeyDisable() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	return p.disableDialog(newForm(), key)
}

func (p *page) disableDialog(f *form, key apikey.Key) error {
	d := keyDialog{Form: f, Key: key}
	last, err := p.site.Usage.Last(p.ctx(), []int64{key.ID})
	if err != nil {
		return err
	}
	d.Use = useOf(last, key.ID)
	return p.always(d, "key-disable", "Disable the key")
}

func useOf(last map[int64]usage.LastUse, id int64) *usage.LastUse {
	if u, ok := last[id]; ok {
		return &u
	}
	return nil
}

func (p *page) disableKey() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	var until *time.Time
	if text := f.text("until"); text != "" {
		t, dayErr := dayOf(text)
		if dayErr != nil {
			err = fault.Field("until", "Choose a date, or leave it empty.")
		}
		until = &t
	}
	if err == nil {
		_, err = p.site.Keys.Disable(p.ctx(), p.who, key.ID, f.text("reason"), until)
	}
	if err != nil {
		if err := f.refused(err, "reason", "until"); err != nil {
			return err
		}
		return p.disableDialog(f, key)
	}
	return p.done(p.after(key.ID), saidKeyDisabled)
}

func (p *page) showKeyEnable() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	return p.always(keyDialog{Form: newForm(), Key: key}, "key-enable", "Enable the key")
}

func (p *page) enableKey() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	if _, err := p.site.Keys.Enable(p.ctx(), p.who, key.ID); err != nil {
		return err
	}
	return p.done(p.after(key.ID), saidKeyEnabled)
}

func (p *page) showRetire() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	d := keyDialog{Form: newForm(), Key: key}
	if d.Secret, d.Others, err = p.oneSecret(key); err != nil {
		return err
	}
	uses, err := p.site.Usage.BySecret(p.ctx(), key.ID)
	if err != nil {
		return err
	}
	d.Use = useOf(uses, d.Secret.ID)
	return p.always(d, "key-retire", "Retire the secret")
}

// oneSecret returns the secret that the path names, and how many others of the
// key are live.
func (p *page) oneSecret(key apikey.Key) (found apikey.Secret, others int, err error) {
	id, err := positive(p.r.PathValue("secret"))
	if err != nil {
		return found, 0, err
	}
	all, err := p.site.Keys.Secrets(p.ctx(), p.who, key.ID)
	if err != nil {
		return found, 0, err
	}
	for _, x := range all {
		switch {
		case x.ID == id:
			found = x
		case x.Live(p.now()):
			others++
		}
	}
	if found.ID == 0 {
		err = fault.New(fault.NotFound, "Not found.")
	}
	return found, others, err
}

func (p *page) retireSecret() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	id, err := positive(p.r.PathValue("secret"))
	if err != nil {
		return err
	}
	if err := p.site.Keys.RetireSecret(p.ctx(), p.who, key.ID, id); err != nil {
		return err
	}
	return p.done(tabPath(key.ID, tabAbout)+"#secrets", saidSecretRetired)
}
