package timeline

import (
	"slices"
	"strings"
	"time"

	"latchkey/internal/content"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
	"latchkey/internal/opt"
)

// The icons of timelines and events.
const (
	Star    = "star"
	Cake    = "cake"
	Mail    = "mail"
	Warning = "warning"
	Bell    = "bell"
	Cloud   = "cloud"
)

// Timeline is a line of events: the shared record with its icon.
type Timeline struct {
	content.Item
	Icon    string
	Default bool
	Events  []Event // when they were asked for
}

// New is a timeline to be made.
type New struct {
	Name         string
	Description  *string
	CollectionID int64
	Icon         string // Star when empty
	Default      bool
	Archived     bool
}

// Change is what to change of a timeline; what is absent stays, and null too,
// except for the description and the collection, where it means none.
type Change struct {
	Name         opt.Value[string]
	Description  opt.Value[string]
	CollectionID opt.Value[int64]
	Icon         opt.Value[string]
	Default      opt.Value[bool]
	Archived     opt.Value[bool] // with all events
}

// Event is what happened at some time.
type Event struct {
	ID          int64
	TimelineID  int64
	Name        string
	Description *string
	At          time.Time
	TimeMatters bool // not only the day
	Timezone    string
	Icon        string
	Archived    bool
	CreatorID   int64 // 0 when nobody is known
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// NewEvent is an event to be made.
type NewEvent struct {
	TimelineID  int64
	Name        string
	Description *string
	At          time.Time
	TimeMatters bool
	Timezone    string
	Icon        string // that of the timeline when empty
	Archived    bool
}

// EventChange is what to change of an event; what is absent stays, and null
// too, except for the description.
type EventChange struct {
	TimelineID  opt.Value[int64]
	Name        opt.Value[string]
	Description opt.Value[string]
	At          opt.Value[time.Time]
	TimeMatters opt.Value[bool]
	Timezone    opt.Value[string]
	Icon        opt.Value[string]
	Archived    opt.Value[bool]
}

// Filter says which events are wanted.
type Filter struct {
	Archived bool       // those in the trash too
	From     *time.Time // not earlier
	To       *time.Time // not later
}

const (
	maxName     = 254
	maxTimezone = 254
)

// Icons returns all icons.
func Icons() []string { return []string{Star, Cake, Mail, Warning, Bell, Cloud} }

func checkIcon(icon string) error {
	if !slices.Contains(Icons(), icon) {
		return fault.Field("icon", "enum of %s", strings.Join(Icons(), ", "))
	}
	return nil
}

// check refuses an event that cannot be. It returns Invalid at a field.
func (e Event) check() error {
	if err := naming.Check("name", e.Name, maxName); err != nil {
		return err
	}
	if err := content.CheckDescription(e.Description); err != nil {
		return err
	}
	if err := naming.Check("timezone", e.Timezone, maxTimezone); err != nil {
		return err
	}
	return checkIcon(e.Icon)
}

func notFound() error { return fault.New(fault.NotFound, "Not found.") }
