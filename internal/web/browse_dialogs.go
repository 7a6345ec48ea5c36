package web

import (
	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// collectionDialog is a dialog over the page of a collection.
type collectionDialog struct {
	Form  *form
	At    spot
	Here  string
	Back  string
	Where folderPicker
}

// overCollection answers with a dialog over the page of a collection.
func (p *page) overCollection(name, title string, s spot, f *form, dialog any) error {
	b, err := p.browseBody(s)
	if err != nil {
		return err
	}
	return p.answer(f.status, name, title, b, dialog)
}

func (p *page) collectionDialog(s spot, f *form) collectionDialog {
	return collectionDialog{Form: f, At: s, Here: p.r.URL.RequestURI(), Back: s.URL()}
}

// mayOnlyView is the answer to who may see something and wants to change it.
func mayOnlyView() error {
	return fault.New(fault.Forbidden, "You can view this, but not change it. To change it, ask an administrator for Curate access to the collection that it is in.")
}

// hereToFill is hereSpot for who wants to change what lies in the collection.
// It returns Forbidden for who may only view it, and Invalid in the trash.
func (p *page) hereToFill() (spot, error) {
	s, err := p.hereSpot()
	switch {
	case err != nil:
		return s, err
	case !s.CanWrite:
		return s, mayOnlyView()
	case s.Archived:
		return s, fault.New(fault.Invalid, "This collection is in the trash. Restore it first.")
	}
	return s, nil
}

// hereToChange is hereToFill for who wants to change the collection itself. It
// returns Invalid for a personal one, which stays as it is.
func (p *page) hereToChange() (spot, error) {
	s, err := p.hereToFill()
	if err == nil && !s.Plain {
		err = fault.New(fault.Invalid, "A personal collection cannot be renamed, moved or archived.")
	}
	return s, err
}

func (p *page) showCollectionNew() error {
	s, err := p.hereToFill()
	if err != nil {
		return err
	}
	return p.collectionNew(newForm(), s)
}

func (p *page) collectionNew(f *form, s spot) error {
	return p.overCollection("collection-new", "Create a collection", s, f, p.collectionDialog(s, f))
}

func (p *page) createCollection() error {
	s, err := p.hereToFill()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	made, err := p.site.Content.CreateCollection(p.ctx(), p.who, content.NewCollection{
		Name: f.text("name"), Description: f.optional("description"), ParentID: s.ID,
	})
	if err != nil {
		if err := f.refused(err, "name", "description"); err != nil {
			return err
		}
		return p.collectionNew(f, s)
	}
	return p.done(collectionPath(made.ID), saidCollectionCreated)
}

func (p *page) showCollectionEdit() error {
	s, err := p.hereToChange()
	if err != nil {
		return err
	}
	return p.collectionEdit(newForm("name", s.Name, "description", s.Description), s)
}

func (p *page) collectionEdit(f *form, s spot) error {
	return p.overCollection("collection-edit", "Edit the collection", s, f, p.collectionDialog(s, f))
}

func (p *page) saveCollection() error {
	s, err := p.hereToChange()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	change := content.CollectionChange{Name: opt.Of(f.text("name")), Description: opt.Of(f.text("description"))}
	change.Description.Null = change.Description.V == ""
	if _, err := p.site.Content.UpdateCollection(p.ctx(), p.who, s.ID, change); err != nil {
		if err := f.refused(err, "name", "description"); err != nil {
			return err
		}
		return p.collectionEdit(f, s)
	}
	return p.done(s.URL(), saidCollectionSaved)
}

func (p *page) showCollectionMove() error {
	s, err := p.hereToChange()
	if err != nil {
		return err
	}
	return p.collectionMove(newForm(), s)
}

func (p *page) collectionMove(f *form, s spot) error {
	d := p.collectionDialog(s, f)
	var err error
	if d.Where, err = p.newFolderPicker(f, s.ID); err != nil {
		return err
	}
	return p.overCollection("collection-move", "Move the collection", s, f, d)
}

func (p *page) moveCollection() error {
	s, err := p.hereToChange()
	if err != nil {
		return err
	}
	f, err := p.readForm()
	if err != nil {
		return err
	}
	if f.finding() {
		return p.collectionMove(f, s)
	}
	to, err := chosenFolder(f)
	if err == nil {
		_, err = p.site.Content.UpdateCollection(p.ctx(), p.who, s.ID, content.CollectionChange{ParentID: opt.Of(to)})
	}
	if err != nil {
		if err := f.refused(err, fieldFolder); err != nil {
			return err
		}
		return p.collectionMove(f, s)
	}
	return p.done(s.URL(), saidMoved)
}

func (p *page) showCollectionArchive() error {
	s, err := p.hereToChange()
	if err != nil {
		return err
	}
	return p.collectionArchive(newForm(), s)
}

func (p *page) collectionArchive(f *form, s spot) error {
	return p.overCollection("collection-archive", "Move to the trash", s, f, p.collectionDialog(s, f))
}

func (p *page) archiveCollection() error {
	s, err := p.hereToChange()
	if err != nil {
		return err
	}
	if _, err := p.site.Content.UpdateCollection(p.ctx(), p.who, s.ID, content.CollectionChange{Archived: opt.Of(true)}); err != nil {
		f := newForm()
		if err := f.refused(err); err != nil {
			return err
		}
		return p.collectionArchive(f, s)
	}
	return p.done(collectionPath(s.folder.Parent()), saidArchived)
}

// fieldFolder is the field of a form in which a collection is chosen.
const fieldFolder = "collection"

// folderHits is how many collections a form offers at once.
const folderHits = 30

// folderPicker chooses a collection that the caller may put things into.
type folderPicker struct {
	Query   string
	Error   string
	Options []folderOption
	More    int
}

type folderOption struct {
	Value  string
	Name   string
	Path   string // the names of the collections that it lies in
	Chosen bool
}

// newFolderPicker offers collections by a part of their names; without names
// one that nothing is moved into, nor into what lies in it.
func (p *page) newFolderPicker(f *form, without ...int64) (folderPicker, error) {
	k := folderPicker{Query: f.text(fieldFolder + "_query"), Error: f.Errors[fieldFolder]}
	chosen := f.Get(fieldFolder)
	if access.LevelOf(p.who, p.site.Content.Collections().Root(content.Default)) == access.Curate && k.Query == "" {
		k.Options = append(k.Options, folderOption{"root", nameOfRoot, "", chosen == "root"})
	}
	hits, total, err := p.findFolders(k.Query, folderHits, access.Curate, without)
	if err != nil {
		return k, err
	}
	for _, hit := range hits {
		value := idText(hit.ID)
		k.Options = append(k.Options, folderOption{value, hit.Name, hit.Way, chosen == value})
	}
	k.More = total - len(hits)
	return k, nil
}

// chosenFolder returns the collection that a form has chosen. It returns an
// Invalid fault at the field when none is.
func chosenFolder(f *form) (int64, error) {
	if f.Get(fieldFolder) == "root" {
		return access.RootCollection, nil
	}
	id, err := positive(f.Get(fieldFolder))
	if err != nil {
		return 0, noFolder()
	}
	return id, nil
}

// folderOptions answers with the collections that a form offers, while one types.
func (p *page) folderOptions() error {
	f := newForm()
	f.Values = p.r.URL.Query()
	var without []int64
	for _, v := range f.Values["item"] {
		if ref, ok := parseRef(v); ok && ref.Kind == content.Collection {
			without = append(without, ref.ID)
		}
	}
	k, err := p.newFolderPicker(f, without...)
	if err != nil {
		return err
	}
	return p.show("folder-options", "", k)
}
