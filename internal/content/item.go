package content

import (
	"slices"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// Kind is what an item is.
type Kind string

// The kinds of item.
const (
	Collection Kind = "collection"
	Card       Kind = "card"
	Dashboard  Kind = "dashboard"
	Snippet    Kind = "snippet"
	Timeline   Kind = "timeline"
)

// Model is what lists call an item (contract/content-data.md 2.5). A card is
// a question, a model or a metric.
type Model string

// The models.
const (
	ModelCollection Model = "collection"
	ModelCard       Model = "card"
	ModelDataset    Model = "dataset"
	ModelMetric     Model = "metric"
	ModelDashboard  Model = "dashboard"
	ModelSnippet    Model = "snippet"
	ModelTimeline   Model = "timeline"
)

// ranks is the order of models in lists; pulses, which are 2, come later.
var ranks = map[Model]int{
	ModelDashboard: 1, ModelDataset: 3, ModelMetric: 4, ModelCard: 5,
	ModelSnippet: 6, ModelCollection: 7, ModelTimeline: 8,
}

// Namespaces of collections.
const (
	Default  = ""         // questions, dashboards, timelines
	Snippets = "snippets" // pieces of SQL
)

// Nowhere is the collection of what is in no list: personal collections and
// the Trash.
const Nowhere int64 = -1

// Ref names an item.
type Ref struct {
	Kind Kind
	ID   int64
}

// Item is what all content has in common.
type Item struct {
	No               int64 // among all items; rows of other packages refer to it
	Kind             Kind
	ID               int64 // within the kind
	Model            Model
	Name             string
	Description      *string
	EntityID         string
	CollectionID     int64 // where it lies or, in the trash, lay; RootCollection or Nowhere too
	DashboardID      int64 // of a question that lives in a dashboard, else 0
	Namespace        string
	Position         *int64 // among the pinned of its collection
	Archived         bool
	ArchivedDirectly bool   // itself, and not with its collection
	Operation        string // of a collection: names what was archived together
	CreatorID        int64  // 0 when nobody is known
	CreatedAt        time.Time
	UpdatedAt        time.Time
	EditedBy         int64     // 0 when nobody has edited it
	EditedAt         time.Time // zero when nobody has edited it
	UsedAt           *time.Time
	ViewCount        int64
}

// Ref names the item.
func (i Item) Ref() Ref { return Ref{i.Kind, i.ID} }

// NewItem is content to be made.
type NewItem struct {
	Kind         Kind
	Model        Model
	Name         string
	Description  *string
	CollectionID int64
	DashboardID  int64
	Namespace    string
	Position     *int64
	EntityID     string // a new one when empty
}

// Change is what to change of an item; what is absent stays.
type Change struct {
	Name         opt.Value[string] // null is ignored
	Description  opt.Value[string]
	CollectionID opt.Value[int64] // null is the root
	DashboardID  opt.Value[int64] // null takes it out of its dashboard
	Position     opt.Value[int64] // null takes it from the pinned
	Archived     opt.Value[bool]  // null is ignored; archiving discards CollectionID
	Model        opt.Value[Model]
	Touch        bool // something of the particulars changes too, so that it counts as edited
}

// Bounds of texts, in characters.
const (
	maxName        = 254
	maxDescription = 65_535
)

// CheckName refuses a name that no item can have. It returns Invalid at "name".
func CheckName(name string) error { return naming.Check("name", name, maxName) }

// CheckDescription refuses a description that is too long.
func CheckDescription(text *string) error {
	if text != nil && len([]rune(*text)) > maxDescription {
		return fault.Field("description", "value must be at most %d characters long.", maxDescription)
	}
	return nil
}

func nameKey(name string) string { return strings.ToLower(name) }

func notFound() error { return fault.New(fault.NotFound, "Not found.") }

// invalid is the contract's answer to what cannot be, without a field
// (contract/content-data.md 1.2).
func invalid() error { return fault.New(fault.Invalid, "Invalid Request.") }

// CodeArchived is the code of the fault about something in the trash.
const CodeArchived = "archived"

// ArchivedFault is the fault of a call that needs what is in the trash
// (contract/content-data.md 1.2).
func ArchivedFault() error {
	return fault.Coded(fault.NotFound, CodeArchived, "The object has been archived.")
}

// InTrash reports whether the item itself was put into the trash.
func (i Item) InTrash() bool { return i.Archived && i.ArchivedDirectly }

// path returns the stored form of a path: "/" or "/4/12/".
func path(ids []int64) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, id := range ids {
		b.WriteString(itoa(id))
		b.WriteByte('/')
	}
	return b.String()
}

// below returns the range [from, to) of the paths of what lies in a
// collection, at any depth: "/4/12/" up to "/4/120", for 0 follows the slash.
func below(f *access.Folder) (from, to string) {
	p := path(append(slices.Clip(f.Path), f.ID))
	return p, p[:len(p)-1] + "0"
}

// CardSummary is what lists show of a card beside what all content has. Package
// card gives it.
type CardSummary struct {
	Display            string
	DatabaseID         *int64
	CollectionPreview  bool
	FullyParameterized bool // every parameter that it needs has a default
	DashboardCount     int
}
