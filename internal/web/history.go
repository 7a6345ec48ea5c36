package web

import (
	"strings"

	"latchkey/internal/content"
	"latchkey/internal/content/revision"
	"latchkey/internal/people"
)

// historyBody is the page of what became of an item.
type historyBody struct {
	itemHead
	Revisions []revisionRow
}

// revisionRow is a revision in the list.
type revisionRow struct {
	revision.Revision
	Author string
	What   string // what was changed, as people call things
}

// Sentence returns what was changed as a sentence of its own.
func (r revisionRow) Sentence() string { return sentence(r.What) }

// CanRevert reports whether the item can go back to the revision.
func (b historyBody) CanRevert(r revisionRow) bool {
	return b.CanWrite && !b.Item.Archived && !r.Newest
}

// revertDialog asks before an item goes back to an earlier version.
type revertDialog struct {
	Form     *form
	Revision revisionRow
	Here     string
	Back     string
}

func (p *page) historyBody(kind content.Kind) (historyBody, error) {
	id, err := p.id()
	if err != nil {
		return historyBody{}, err
	}
	b := historyBody{}
	ref := content.Ref{Kind: kind, ID: id}
	i, err := p.site.Content.Get(p.ctx(), p.who, ref)
	if err != nil {
		return b, err
	}
	if b.itemHead, err = p.head(i, "history"); err != nil {
		return b, err
	}
	if kind == content.Card {
		c, err := p.site.Cards.Get(p.ctx(), p.who, id)
		if err != nil {
			return b, err
		}
		b.SQL = sqlOf(c.Query)
	}
	list, err := p.site.Revisions.List(p.ctx(), p.who, ref)
	if err != nil {
		return b, err
	}
	b.Revisions, err = p.revisionRows(list)
	return b, err
}

func (p *page) revisionRows(list []revision.Revision) ([]revisionRow, error) {
	var ids []int64
	for _, r := range list {
		ids = append(ids, r.UserID)
	}
	var users map[int64]people.User
	users, err := p.site.People.Known(p.ctx(), ids)
	if err != nil {
		return nil, err
	}
	out := make([]revisionRow, len(list))
	for i, r := range list {
		// The API's sentences say what it calls things.
		what := strings.Replace(strings.Replace(r.Text(), "this Card", "this question", 1), "this Dashboard", "this dashboard", 1)
		out[i] = revisionRow{r, editorName(users, r.UserID), what}
	}
	return out, nil
}

// history returns the handler that shows the history of items of a kind.
func history(kind content.Kind) func(*page) error {
	return func(p *page) error {
		b, err := p.historyBody(kind)
		if err != nil {
			return err
		}
		return p.show("history", b.Item.Name, b)
	}
}

// askRevert returns the handler that asks before a revert.
func askRevert(kind content.Kind) func(*page) error {
	return func(p *page) error { return p.askRevert(kind, newForm()) }
}

func (p *page) askRevert(kind content.Kind, f *form) error {
	b, err := p.historyBody(kind)
	if err != nil {
		return err
	}
	if !b.CanWrite {
		return mayOnlyView()
	}
	id, err := positive(p.r.PathValue("revision"))
	if err != nil {
		return err
	}
	d := revertDialog{Form: f, Here: p.r.URL.Path, Back: b.Self() + "/history"}
	for _, r := range b.Revisions {
		if r.ID == id {
			d.Revision = r
			return p.answer(f.status, "history-revert", "Revert to this version", b, d)
		}
	}
	return p.done(d.Back, saidNoRevision)
}

// revert returns the handler that brings an item back to an earlier version.
func revert(kind content.Kind) func(*page) error {
	return func(p *page) error {
		id, err := p.id()
		if err != nil {
			return err
		}
		to, err := positive(p.r.PathValue("revision"))
		if err != nil {
			return err
		}
		ref := content.Ref{Kind: kind, ID: id}
		if _, err := p.site.Revisions.Revert(p.ctx(), p.who, ref, to); err != nil {
			f := newForm()
			if err := f.refused(err); err != nil {
				return err
			}
			return p.askRevert(kind, f)
		}
		return p.done(contentPath(content.Item{Kind: kind, ID: id})+"/history", saidReverted)
	}
}
