package web

import (
	"net/url"
	"strings"

	"latchkey/internal/content"
	"latchkey/internal/query/mbql"
)

// itemHead is what stands above every page of a question or a dashboard.
type itemHead struct {
	Item     content.Item
	Type     string // what people call it
	Crumbs   []crumb
	CanWrite bool
	SQL      string // of a question, "" for a structured query
	View     string // which of its pages is shown: result, sql, history, or dashboard
	Trash    trashed
}

func (h itemHead) collectionID() int64 { return max(h.Item.CollectionID, 0) }

// Self returns the address of the item's first page.
func (h itemHead) Self() string { return contentPath(h.Item) }

// Deed returns the address of a dialog over the item's collection that does
// something with the item.
func (h itemHead) Deed(what string) string {
	return collectionPath(max(h.Item.CollectionID, 0)) + "/" + what + "?" + url.Values{"item": {refText(h.Item.Ref())}}.Encode()
}

// Description returns what people say about the item.
func (h itemHead) Description() string {
	if h.Item.Description == nil {
		return ""
	}
	return *h.Item.Description
}

// head reads what stands above the pages of an item.
func (p *page) head(i content.Item, view string) (itemHead, error) {
	h := itemHead{Item: i, Type: models()[i.Model][0], View: view}
	h.CanWrite = p.site.Content.CanWrite(p.ctx(), p.who, i)
	h.Trash = trashed{Ref: refText(i.Ref()), Discarded: i.ArchivedDirectly, CanWrite: h.CanWrite, CanDelete: true}
	var err error
	h.Crumbs, err = p.wayTo(i)
	return h, err
}

// sqlOf returns the SQL of a question, "" for a structured query and for one
// that cannot be read.
func sqlOf(query []byte) string {
	q, err := mbql.Read(query)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(q.NativeText())
}

// trashed is what can be done with something that is in the trash.
type trashed struct {
	Ref       string
	Discarded bool // it was put there itself, so that it can be restored
	CanWrite  bool
	CanDelete bool
}

// Restore returns the address of the dialog that restores it.
func (t trashed) Restore() string { return pathTrash + "/restore?item=" + t.Ref }

// Delete returns the address of the dialog that deletes it permanently.
func (t trashed) Delete() string { return pathTrash + "/delete?item=" + t.Ref }
