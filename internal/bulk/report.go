package bulk

import (
	"cmp"

	"latchkey/internal/fault"
)

// Mode is what one failed step means for the others.
type Mode string

// The modes.
const (
	Atomic Mode = "atomic" // all steps count, or none
	Each   Mode = "each"   // each step for itself
)

// Status says what became of a step.
type Status string

// The statuses. Created, Exists and Updated are those of lines of people.
const (
	OK      Status = "ok"
	Created Status = "created"
	Exists  Status = "exists"
	Updated Status = "updated"
	Failed  Status = "failed"
	NotRun  Status = "not-run" // the call ended before
)

// Result is what became of one step.
type Result struct {
	Index   int               `json:"index"` // from 0
	Status  Status            `json:"status"`
	ID      int64             `json:"id,omitzero"`   // of what was made or changed
	Kind    fault.Kind        `json:"kind,omitzero"` // of the failure, as the rest
	Code    string            `json:"code,omitzero"`
	Message string            `json:"message,omitzero"`
	Fields  map[string]string `json:"fields,omitzero"`

	made bool // ID is that of something that the step made
}

// failure makes the result of a step that failed. What must not be shown is
// not in it.
func failure(index int, err error) Result {
	f := fault.As(err)
	r := Result{Index: index, Status: Failed, Kind: f.Kind, Code: f.Code, Message: f.Message, Fields: f.Fields}
	if f.Kind == fault.Internal {
		r.Code, r.Message, r.Fields = "", "", nil
	}
	return r
}

// Err returns why a step failed, as a fault.
func (r Result) Err() error {
	return &fault.Error{Kind: r.Kind, Code: r.Code, Message: r.Message, Fields: r.Fields}
}

// Word returns the stable word for why a step failed.
func (r Result) Word() string { return cmp.Or(r.Code, r.Kind.String()) }

// Report is what became of a call.
type Report struct {
	Mode    Mode     `json:"mode"`
	DryRun  bool     `json:"dry_run,omitzero"`
	Total   int      `json:"total"`
	Results []Result `json:"results"`

	// Broken is the number of the step whose failure undid an atomic call.
	Broken *int `json:"broken,omitzero"`
	// Stopped says that the caller went away before the end.
	Stopped bool `json:"stopped,omitzero"`

	Replayed bool `json:"-"` // it is the stored answer of an earlier call
}

// Count returns how many steps have one of the statuses.
func (r *Report) Count(statuses ...Status) int {
	n := 0
	for i := range r.Results {
		for _, s := range statuses {
			if r.Results[i].Status == s {
				n++
			}
		}
	}
	return n
}

// Committed reports whether what succeeded stays.
func (r *Report) Committed() bool { return !r.DryRun && r.Broken == nil }

// firstFailure returns the number of the first step that failed from one on, or -1.
func (r *Report) firstFailure(from int) int {
	for i := from; i < len(r.Results); i++ {
		if r.Results[i].Status == Failed {
			return i
		}
	}
	return -1
}

// rest marks the steps that did not run.
func (r *Report) rest() {
	for i := len(r.Results); i < r.Total; i++ {
		r.Results = append(r.Results, Result{Index: i, Status: NotRun})
	}
}
