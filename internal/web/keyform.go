package web

import (
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
)

// keyOptions is what the forms of a key ask beyond its name and group.
type keyOptions struct {
	Open   bool // something is filled in, or wrong
	People []people.User
	Min    string // first day that the form takes
	Max    string // last day that it takes, "" for none
	Last   string // last day that the policy allows, "" for none
	Never  bool   // a key may live for ever
	Policy string // what becomes of a key whose maker says nothing
}

// The fields of a key's forms, for faults.
var keyFields = []string{"name", "group_id", "description", "owner", "owner_id", "successor", "successor_id", "tags", "expires_at", "restriction"}

// offered is how many people a form offers while one types.
const offered = 200

// keyOptions describes the further options of a form.
func (p *page) keyOptions(f *form, groups []int64) (keyOptions, error) {
	names := []string{"description", "owner", "successor", "tags", "expires_at", "more_groups"}
	o := keyOptions{Open: f.filled(names...) || f.wrong(append(names, "owner_id", "successor_id", "restriction")...) || f.Get("read_only") != ""}
	var err error
	if o.People, _, err = p.site.People.List(p.ctx(), p.who, people.Filter{Limit: offered}); err != nil {
		return o, err
	}
	policy, err := p.site.Keys.PolicyFor(p.ctx(), p.who, groups)
	o.Min, o.Never = p.now().Add(day).Format(time.DateOnly), policy.MaxDays == 0
	days := policy.DefaultDays
	if policy.MaxDays > 0 {
		o.Last = p.now().Add(time.Duration(policy.MaxDays) * day).Format(time.DateOnly)
		o.Max = o.Last
		if days == 0 || days > policy.MaxDays {
			days = policy.MaxDays
		}
	}
	o.Policy = "It never ends, unless a policy of its groups says otherwise."
	if days > 0 {
		end := p.now().Add(time.Duration(days) * day)
		o.Policy = "It ends after " + plural(days, "day", "days") + ", on " + end.Format("2 January 2006") + ", or sooner if a policy of its groups says so."
	}
	return o, err
}

// keep lets the form take the end that a key has: a browser does not send a
// day that is out of range, not even one that nobody has touched.
func (o *keyOptions) keep(end *time.Time) {
	if end == nil {
		return
	}
	has := end.UTC().Format(time.DateOnly)
	o.Min = min(o.Min, has)
	if o.Max != "" {
		o.Max = max(o.Max, has)
	}
}

// Ends reports whether a way to end is the one that a form has chosen.
func (f *form) Ends(way string) bool {
	chosen := f.Get("ends")
	return chosen == way || chosen == "" && way == "policy"
}

// keyEnd reads when a key is to end. old is the end it has; leaving that as it
// was changes nothing.
func keyEnd(f *form, old *time.Time) (opt.Value[time.Time], error) {
	way := f.Get("ends")
	if way == "policy" && f.filled("expires_at") {
		way = "date" // whoever chose a date means it
	}
	switch way {
	case "never":
		if old == nil && f.Get("had") != "" {
			return opt.Value[time.Time]{}, nil
		}
		return opt.Null[time.Time](), nil
	case "date":
		text := f.text("expires_at")
		if old != nil && text == old.UTC().Format(time.DateOnly) {
			return opt.Value[time.Time]{}, nil
		}
		t, err := dayOf(text)
		if err != nil {
			return opt.Value[time.Time]{}, fault.Field("expires_at", "Choose a date.")
		}
		return opt.Of(t), nil
	}
	return opt.Value[time.Time]{}, nil
}

// dayOf reads the beginning of a day, in UTC.
func dayOf(text string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, text, time.UTC)
}

// formTags returns the tags that were typed, separated by commas.
func formTags(f *form) []string {
	out := []string{}
	for _, t := range strings.Split(f.Get("tags"), ",") {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// namedPerson returns the person whose address was typed; 0 is nobody.
func (p *page) namedPerson(f *form, field string) (int64, error) {
	email := f.text(field)
	if email == "" {
		return 0, nil
	}
	u, err := p.site.People.ByEmail(p.ctx(), p.who, email)
	if fault.Is(err, fault.NotFound) || err == nil && (!u.Active || u.Kind != people.KindPerson) {
		return 0, fault.Field(field, "No active person has this e-mail address.")
	}
	return u.ID, err
}

// owners reads owner and successor.
func (p *page) owners(f *form) (owner, successor int64, err error) {
	if owner, err = p.namedPerson(f, "owner"); err != nil {
		return 0, 0, err
	}
	successor, err = p.namedPerson(f, "successor")
	return owner, successor, err
}

// refusedKey takes a fault into the form of a key.
func refusedKey(f *form, err error) error {
	if err := f.refused(err, keyFields...); err != nil {
		return err
	}
	for _, name := range []string{"owner", "successor"} {
		if text, ok := f.Errors[name+"_id"]; ok {
			f.Errors[name] = text
		}
	}
	return nil
}

// draft reads a new key from a form.
func (p *page) draft(f *form) (apikey.Draft, error) {
	groupID, err := p.chosenGroup(f, "group_id")
	if err != nil {
		return apikey.Draft{}, err
	}
	d := apikey.Draft{
		Name: f.text("name"), Groups: append([]int64{groupID}, f.ids("more_groups")...),
		Description: f.text("description"), Tags: formTags(f),
	}
	if d.OwnerID, d.SuccessorID, err = p.owners(f); err != nil {
		return d, err
	}
	if d.ExpiresAt, err = keyEnd(f, nil); err != nil {
		return d, err
	}
	d.Restriction, err = readRestriction(f)
	return d, err
}

// furtherGroups returns the picker of groups beside the first. Where there are
// too many to list, it offers none before something is searched.
func (s *site) furtherGroups(f *form) picker {
	k := s.newPicker(f, "more_groups", "Further groups", true, access.AllUsers)
	k.Hint = "It may do what all its groups together may do."
	if k.Search && k.Query == "" {
		k.Options = slices.DeleteFunc(k.Options, func(o groupOption) bool { return !o.Chosen })
		k.More = 0
	}
	return k
}

func (p *page) showKeyNew() error { return p.keyNewDialog(newForm()) }

// keyNewDialog answers with the dialog that makes a key.
func (p *page) keyNewDialog(f *form) error {
	d := keyDialog{Form: f, Rights: p.restrictionForm(f, access.Restriction{})}
	d.More = p.site.furtherGroups(f)
	var err error
	if d.Options, err = p.keyOptions(f, append(f.ids("group_id"), f.ids("more_groups")...)); err != nil {
		return err
	}
	return p.keyDialog("key-new", "Create API Key", d)
}

func (p *page) createKey() error {
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.keyNewDialog(f)
	}
	made, err := try(p.site.once, p.formToken(f), func() (madeKey, error) {
		d, err := p.draft(f)
		if err != nil {
			return madeKey{}, err
		}
		key, text, err := p.site.Keys.Make(p.settled(), p.who, d)
		return madeKey{key: key, text: text}, err
	})
	if err != nil {
		if err := refusedKey(f, err); err != nil {
			return err
		}
		return p.keyNewDialog(f)
	}
	return p.showKeyOnce(made)
}
