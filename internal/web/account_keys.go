package web

import (
	"net/http"
	"slices"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/opt"
)

const pathOwnKeys = "/account/api-keys"

func ownKeyRoutes() []route {
	read, write := access.Authenticated(access.KindSelf, access.Read), access.Authenticated(access.KindSelf, access.Write)
	return []route{
		{http.MethodGet, pathOwnKeys, read, (*page).showOwnKeys},
		{http.MethodGet, pathOwnKeys + "/new", read, (*page).showOwnKeyNew},
		{http.MethodPost, pathOwnKeys + "/new", write, (*page).makeOwnKey},
		{http.MethodGet, pathOwnKeys + "/{id}/rotate", read, (*page).showOwnKeyRotate},
		{http.MethodPost, pathOwnKeys + "/{id}/rotate", write, (*page).rotateOwnKey},
		{http.MethodGet, pathOwnKeys + "/{id}/end", read, (*page).showOwnKeyEnd},
		{http.MethodPost, pathOwnKeys + "/{id}/end", write, (*page).endOwnKey},
	}
}

// ownKeysBody is the keys that a person has made for themselves.
type ownKeysBody struct {
	Keys    []ownKeyRow
	Allowed bool
	Rules   []string // that the policy makes for them
	Help    string   // address to write to for help, "" for none
}

// ownKeyRow is a personal key in the list.
type ownKeyRow struct {
	apikey.Key
	Badge  badge
	Limits []string
	Last   *time.Time // nil means never used
}

// ownKeyDialog is a dialog over the list.
type ownKeyDialog struct {
	Form   *form
	Key    apikey.Key
	Groups []choice
	Scopes []choice
	Min    string // first day on which a key can end
	Max    string // last day, "" for none
	End    string // what becomes of a key without a day
	Open   bool   // the scopes are shown
	Here   string
	Back   string
}

// hasOwnKeys reports whether the person may have personal keys, or has some.
func (p *page) hasOwnKeys() (bool, error) {
	allowed, err := p.site.Keys.PersonalAllowed(p.ctx(), p.who)
	if allowed || err != nil {
		return allowed, err
	}
	keys, err := p.site.Keys.ListOwn(p.ctx(), p.who)
	return len(keys) > 0, err
}

func (p *page) ownKeysBody() (ownKeysBody, error) {
	b := ownKeysBody{Help: p.site.Settings.String("admin-email")}
	policy, err := p.site.Keys.PersonalPolicy(p.ctx(), p.who)
	if err != nil {
		return b, err
	}
	b.Allowed, policy.AllowPersonal = policy.AllowPersonal, false
	b.Rules = policyWords(policy)
	keys, err := p.site.Keys.ListOwn(p.ctx(), p.who)
	if err != nil {
		return b, err
	}
	all := make([]int64, len(keys))
	for i, k := range keys {
		all[i] = k.ID
	}
	last, err := p.site.Usage.Last(p.ctx(), all)
	for _, k := range keys {
		b.Keys = append(b.Keys, ownKeyRow{k, stateBadge(k, p.now()), limitWords(k.Restriction), lastOf(last, k.ID)})
	}
	return b, err
}

// limitWords says in a few words how a key is restricted.
func limitWords(r access.Restriction) []string {
	var out []string
	if r.ReadOnly {
		out = append(out, "only reads")
	}
	out = append(out, r.Scopes...)
	r.ReadOnly, r.Scopes = false, nil
	if !r.IsZero() {
		out = append(out, "further limits")
	}
	return out
}

func (p *page) showOwnKeys() error {
	b, err := p.ownKeysBody()
	if err != nil {
		return err
	}
	return p.show("own-keys", "API keys", b)
}

// ownKeyDialog answers with a dialog over the list.
func (p *page) ownKeyDialog(name, title string, d ownKeyDialog) error {
	b, err := p.ownKeysBody()
	if err != nil {
		return err
	}
	d.Here, d.Back = p.r.URL.RequestURI(), pathOwnKeys
	return p.answer(d.Form.status, name, title, b, d)
}

func (p *page) showOwnKeyNew() error {
	allowed, err := p.site.Keys.PersonalAllowed(p.ctx(), p.who)
	if err != nil {
		return err
	}
	if !allowed {
		return p.redirect(pathOwnKeys)
	}
	return p.ownKeyNew(newForm())
}

// ownKeyNew answers with the dialog that makes a key.
func (p *page) ownKeyNew(f *form) error {
	policy, err := p.site.Keys.PersonalPolicy(p.ctx(), p.who)
	if err != nil {
		return err
	}
	d := ownKeyDialog{Form: f, Min: p.now().Add(day).Format(time.DateOnly), End: "It ends as this day begins, in UTC. Without a day, it never ends."}
	days := policy.DefaultDays
	if policy.MaxDays > 0 {
		d.Max = p.now().Add(time.Duration(policy.MaxDays) * day).Format(time.DateOnly)
		if days == 0 || days > policy.MaxDays {
			days = policy.MaxDays
		}
	}
	if days > 0 {
		d.End = "It ends as this day begins, in UTC. Without a day, it ends after " + plural(days, "day", "days") + "."
	}
	if policy.MaxDays > 0 {
		d.End += " The policy allows at most " + plural(policy.MaxDays, "day", "days") + "."
	}
	for _, g := range p.ownGroups() {
		d.Groups = append(d.Groups, choice{idText(g.ID), g.Name, f.has("groups", idText(g.ID))})
	}
	for _, s := range p.site.Vocabulary().Scopes() {
		d.Scopes = append(d.Scopes, choice{s, s, f.has("scopes", s)})
	}
	d.Open = len(f.Values["scopes"]) > 0 || f.Errors["restriction.scopes"] != ""
	return p.ownKeyDialog("own-key-new", "Make a personal key", d)
}

// ownGroups returns the groups of the person beside All Users, by name.
func (p *page) ownGroups() []group.Group {
	var out []group.Group
	for _, g := range p.site.Groups.Snapshot().ByName {
		if g.ID != access.AllUsers && slices.Contains(p.who.Groups, g.ID) {
			out = append(out, g)
		}
	}
	return out
}

func (p *page) makeOwnKey() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	made, err := try(p.site.once, p.formToken(f), func() (madeKey, error) {
		end, err := dayField(f, "expires_at")
		if err != nil {
			return madeKey{}, err
		}
		d := apikey.Draft{Name: f.text("name"), Groups: f.ids("groups"), ExpiresAt: end}
		d.Restriction = access.Restriction{ReadOnly: f.Get("read_only") != "", Scopes: f.Values["scopes"]}
		key, text, err := p.site.Keys.MakePersonal(p.settled(), p.who, d)
		return madeKey{key: key, text: text}, err
	})
	if err != nil {
		if err := f.refused(err, "name", "expires_at", "group_ids", "restriction"); err != nil {
			return err
		}
		return p.ownKeyNew(f)
	}
	return p.showOwnKeyOnce(made)
}

// dayField reads a day that may be left out.
func dayField(f *form, name string) (opt.Value[time.Time], error) {
	text := f.text(name)
	if text == "" {
		return opt.Value[time.Time]{}, nil
	}
	t, err := dayOf(text)
	if err != nil {
		return opt.Value[time.Time]{}, fault.Field(name, "Choose a date.")
	}
	return opt.Of(t), nil
}

// showOwnKeyOnce shows the text of a key over the list. The answer is never
// stored, and the form that led here works only once.
func (p *page) showOwnKeyOnce(made madeKey) error {
	b, err := p.ownKeysBody()
	if err != nil { // the key is made: its text is shown even when nothing else can be
		b = ownKeysBody{}
	}
	return p.answer(http.StatusOK, "own-key-secret", "Copy and save this API key", b, onceDialog{
		Heading: "Copy and save this API key", TestID: "secret-key-modal",
		Label: "The API key", ID: "api-key-text", Value: made.text.Reveal(),
		Lead: "This is your key “" + made.key.Name + "”. Whoever has it acts as you, within what the key may do.",
		Note: "Save it somewhere safe now. Latchkey stores only a fingerprint of it and can't show it to you again. If you lose it, rotate the key.",
		Back: pathOwnKeys,
	})
}

// oneOwnKey returns the key that the path names.
func (p *page) oneOwnKey() (apikey.Key, error) {
	id, err := p.id()
	if err != nil {
		return apikey.Key{}, err
	}
	return p.site.Keys.GetOwn(p.ctx(), p.who, id)
}

func (p *page) showOwnKeyRotate() error {
	key, err := p.oneOwnKey()
	if err != nil {
		return err
	}
	return p.ownKeyRotate(newForm(), key)
}

func (p *page) ownKeyRotate(f *form, key apikey.Key) error {
	d := ownKeyDialog{Form: f, Key: key, Min: p.now().Add(day).Format(time.DateOnly)}
	policy, err := p.site.Keys.PersonalPolicy(p.ctx(), p.who)
	if policy.MaxOverlapDays > 0 {
		d.Max = p.now().Add(time.Duration(policy.MaxOverlapDays) * day).Format(time.DateOnly)
	}
	if err != nil {
		return err
	}
	return p.ownKeyDialog("own-key-rotate", "Rotate the key", d)
}

func (p *page) rotateOwnKey() error {
	key, err := p.oneOwnKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	made, err := try(p.site.once, p.formToken(f), func() (madeKey, error) {
		end, err := dayField(f, "overlap_until")
		if err != nil {
			return madeKey{}, err
		}
		var o apikey.Overlap
		if t, ok := end.Get(); ok {
			o.Until = &t
		}
		key, text, err := p.site.Keys.RotateOwn(p.settled(), p.who, key.ID, o)
		return madeKey{key: key, text: text}, err
	})
	if err != nil {
		if err := f.refused(err, "overlap_until"); err != nil {
			return err
		}
		return p.ownKeyRotate(f, key)
	}
	return p.showOwnKeyOnce(made)
}

func (p *page) showOwnKeyEnd() error {
	key, err := p.oneOwnKey()
	if err != nil {
		return err
	}
	return p.ownKeyDialog("own-key-end", "End the key", ownKeyDialog{Form: newForm(), Key: key})
}

// endOwnKey ends a key.
func (p *page) endOwnKey() error {
	id, err := p.id()
	if err != nil {
		return err
	}
	if err := p.site.Keys.EndOwn(p.ctx(), p.who, id); err != nil {
		return err
	}
	return p.done(pathOwnKeys, saidOwnKeyEnded)
}
