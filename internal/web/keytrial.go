package web

import (
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/fault"
	"latchkey/internal/usage"
)

// leastView is the proposal of a narrower restriction, and the one on trial.
type leastView struct {
	Days      int
	Spans     []int
	Requests  int64
	Words     []string
	JSON      string
	Addresses []string
	Notes     []string
	Same      bool // the key is restricted to this already
	Nothing   bool // there is nothing to learn from

	Trial    []string // in words; nil when nothing is on trial
	Refusals []usage.TrialCount
	Refused  int64 // sum of Refusals
	Idle     bool  // the key made no requests since the trial began
}

// learnFrom is the days that a proposal can stand on.
func learnFrom() []int { return []int{7, 30, 90} }

// leastDays reads how far back the proposal looks.
func (p *page) leastDays() int {
	n, err := strconv.Atoi(p.r.URL.Query().Get("days"))
	if err != nil || n < 1 || n > 400 {
		return 30
	}
	return n
}

func (p *page) leastView(key apikey.Key) (*leastView, error) {
	v := &leastView{Days: p.leastDays(), Spans: learnFrom()}
	s, err := p.suggestion(key.ID, v.Days)
	if err != nil {
		return nil, err
	}
	v.Requests, v.Addresses, v.Notes = s.Requests, s.Addresses, s.Notes
	v.Words, v.JSON = restrictionWords(s.Restriction), restrictionJSON(s.Restriction)
	v.Same, v.Nothing = s.Restriction.Equal(key.Restriction), !s.Restriction.Narrows()
	if key.Trial == nil || key.TrialSince == nil {
		return v, nil
	}
	v.Trial = restrictionWords(*key.Trial)
	if v.Refusals, err = p.site.Usage.TrialRefusals(p.ctx(), key.ID, *key.TrialSince); err != nil {
		return nil, err
	}
	for _, r := range v.Refusals {
		v.Refused += r.N
	}
	last, err := p.site.Usage.Last(p.ctx(), []int64{key.ID})
	u, used := last[key.ID]
	v.Idle = !used || u.At.Before(*key.TrialSince)
	return v, err
}

func (p *page) suggestion(id int64, days int) (apikey.Suggestion, error) {
	return p.site.Keys.Suggest(p.ctx(), p.who, id, p.now().Add(-time.Duration(days)*day))
}

// restrictionBody is the page on which a restriction is written.
type restrictionBody struct {
	Key    apikey.Key
	Form   *form
	Rights restrictionForm
	Here   string
	Back   string
	Learnt bool // it is filled in with what the key really did
}

// Seen marks how the key was when the form was opened.
func (b restrictionBody) Seen() string { return seenText(b.Key) }

// showRestriction shows the restriction of a key in a form, or a proposal.
func (p *page) showRestriction() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, r := newForm(), key.Restriction
	learnt := p.r.URL.Query().Get("from") == "suggestion"
	if learnt {
		s, err := p.suggestion(key.ID, p.leastDays())
		if err != nil {
			return err
		}
		r = s.Restriction
	}
	fillRestriction(f, r)
	return p.restrictionPage(key, f, learnt)
}

func (p *page) restrictionPage(key apikey.Key, f *form, learnt bool) error {
	back := tabRight
	if learnt {
		back = tabLeast
	}
	return p.answer(f.status, "key-restriction", "Restrict "+key.Name, restrictionBody{
		Key: key, Form: f, Rights: p.restrictionForm(f, key.Restriction), Here: keyPath(key.ID) + "/restriction", Back: tabPath(key.ID, back), Learnt: learnt,
	}, nil)
}

// saveRestriction puts a restriction in force, or on trial.
func (p *page) saveRestriction() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	r, err := readRestriction(f)
	trial := f.Get("do") == "trial"
	if err == nil && !trial {
		err = unseen(f, key)
	}
	switch {
	case err != nil:
	case trial:
		_, err = p.site.Keys.SetTrial(p.ctx(), p.who, key.ID, r)
	default:
		_, err = p.site.Keys.SetRestriction(p.ctx(), p.who, key.ID, r)
	}
	if err != nil {
		if err := f.refused(err, "restriction"); err != nil {
			return err
		}
		return p.restrictionPage(key, f, false)
	}
	if trial {
		return p.done(tabPath(key.ID, tabLeast), saidTrialStarted)
	}
	return p.done(tabPath(key.ID, tabRight), saidKeyRestricted)
}

// startTrial puts the proposal that the page showed on trial.
func (p *page) startTrial() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	r, err := access.ParseRestriction([]byte(f.Get("restriction")))
	if err == nil {
		_, err = p.site.Keys.SetTrial(p.ctx(), p.who, key.ID, r)
	}
	if err != nil {
		if err := f.refused(err, "restriction"); err != nil {
			return err
		}
		fillRestriction(f, r)
		return p.restrictionPage(key, f, true)
	}
	return p.done(tabPath(key.ID, tabLeast), saidTrialStarted)
}

func (p *page) endTrial() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	if _, err := p.site.Keys.EndTrial(p.ctx(), p.who, key.ID); err != nil {
		return err
	}
	return p.done(tabPath(key.ID, tabLeast), saidTrialEnded)
}

func (p *page) showEnforce() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	if key.Trial == nil {
		return fault.New(fault.NotFound, "Not found.")
	}
	return p.enforceDialog(newForm(), key)
}

func (p *page) enforceDialog(f *form, key apikey.Key) error {
	d := keyDialog{Form: f, Key: key}
	if key.TrialSince != nil {
		counts, err := p.site.Usage.TrialRefusals(p.ctx(), key.ID, *key.TrialSince)
		if err != nil {
			return err
		}
		for _, c := range counts {
			d.Refused += c.N
		}
	}
	return p.always(d, "key-enforce", "Enforce the restriction")
}

// sinceText marks which restriction of a key is on trial, "" for none.
func sinceText(k apikey.Key) string {
	if k.TrialSince == nil {
		return ""
	}
	return idText(k.TrialSince.UnixMicro())
}

// Since marks which restriction the dialog is about.
func (d keyDialog) Since() string { return sinceText(d.Key) }

func (p *page) enforceTrial() error {
	key, err := p.oneKey()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if since := f.Get("since"); since != "" && since != sinceText(key) {
		err = fault.New(fault.Conflict, "What is on trial was changed after you opened this dialog. Nothing was enforced. Look at it again.")
	} else {
		_, err = p.site.Keys.EnforceTrial(p.ctx(), p.who, key.ID)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.enforceDialog(f, key)
	}
	return p.done(tabPath(key.ID, tabRight), saidKeyRestricted)
}
