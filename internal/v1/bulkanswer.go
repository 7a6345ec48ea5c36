package v1

import (
	"fmt"
	"net/http"
	"strings"

	"latchkey/internal/bulk"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// bulkSummary counts what became of a call.
type bulkSummary struct {
	Mode      bulk.Mode `json:"mode"`
	DryRun    bool      `json:"dry_run"`
	Committed bool      `json:"committed"` // what succeeded stays
	Total     int       `json:"total"`
	Succeeded int       `json:"succeeded"`
	Failed    int       `json:"failed"`
	NotRun    int       `json:"not_run"`
}

// bulkReport is the answer of a call that does many things.
type bulkReport struct {
	bulkSummary
	Results []bulkResult `json:"results"`
}

// bulkResult is what became of one operation or line.
type bulkResult struct {
	Index  int          `json:"index"`           // from 0
	Line   int          `json:"line,omitempty"`  // of a table or of JSON lines, from 1
	Op     string       `json:"op,omitempty"`    // of an operation
	Email  string       `json:"email,omitempty"` // of a line of people
	Status bulk.Status  `json:"status"`
	ID     int64        `json:"id,omitempty"` // of what was made or changed
	Code   string       `json:"code,omitempty"`
	Detail string       `json:"detail,omitempty"`
	Errors []FieldError `json:"errors,omitempty"`
}

// brokenError is the failure of one operation that undid all of a call.
type brokenError struct {
	index int
	name  string // operation or line, with its number
	err   error
}

// Error implements error.
func (e *brokenError) Error() string { return e.name + ": " + e.err.Error() }

// Unwrap returns the failure.
func (e *brokenError) Unwrap() error { return e.err }

// problem is that of the failure, with where it is.
func (e *brokenError) problem() Problem {
	p := faultProblem(fault.As(e.err))
	p.Detail = fmt.Sprintf("Nothing was changed, because %s failed: %s", e.name, p.Detail)
	p.Operation = &e.index
	return p
}

// bulkAnswer is a report as one JSON value, or the call itself, which runs
// while its progress is written as JSON lines.
type bulkAnswer struct {
	report *bulkReport
	stream func(w http.ResponseWriter)
}

// Documents implements endpoint.Documented.
func (bulkAnswer) Documents() any { return bulkReport{} }

// Respond implements endpoint.Responder.
func (a bulkAnswer) Respond(w http.ResponseWriter, _ *http.Request) {
	if a.stream != nil {
		a.stream(w)
		return
	}
	if err := endpoint.WriteJSON(w, http.StatusOK, a.report); err != nil {
		breakOff(w, err)
	}
}

// answerBulk runs a call and answers as the caller wants it. name completes a
// result with what its step is called.
func answerBulk(c *endpoint.Call, req bulk.Request, name func(int, *bulkResult), run func(bulk.Request) (*bulk.Report, error)) (bulkAnswer, error) {
	show := func(r bulk.Result) bulkResult {
		out := showResult(r)
		name(r.Index, &out)
		return out
	}
	if wantsLines(c.Request) {
		return bulkAnswer{stream: func(w http.ResponseWriter) { streamBulk(c, w, req, show, run) }}, nil
	}
	report, err := run(req)
	if err != nil {
		return bulkAnswer{}, err
	}
	markReplayed(c.Header, report)
	if err := broken(report, show); err != nil {
		return bulkAnswer{}, err
	}
	return bulkAnswer{report: showReport(report, show)}, nil
}

// wantsLines reports whether the caller asks for JSON lines.
func wantsLines(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(media), endpoint.MediaLines) {
			return true
		}
	}
	return false
}

func markReplayed(h http.Header, r *bulk.Report) {
	if r.Replayed {
		h.Set(replayedHeader, "true")
	}
}

// broken is the error of a call that was undone for one failure.
func broken(r *bulk.Report, show func(bulk.Result) bulkResult) error {
	if r.Broken == nil {
		return nil
	}
	failed := r.Results[*r.Broken]
	shown := show(failed)
	name := fmt.Sprintf("operation %d (%s)", failed.Index, shown.Op)
	if shown.Line != 0 {
		name = fmt.Sprintf("line %d", shown.Line)
	}
	return &brokenError{index: failed.Index, name: name, err: failed.Err()}
}

func showResult(r bulk.Result) bulkResult {
	out := bulkResult{Index: r.Index, Status: r.Status, ID: r.ID}
	if r.Status != bulk.Failed {
		return out
	}
	p := faultProblem(fault.As(r.Err()))
	out.Code, out.Detail, out.Errors = p.Code, p.Detail, p.Errors
	return out
}

func showSummary(r *bulk.Report) bulkSummary {
	return bulkSummary{
		Mode: r.Mode, DryRun: r.DryRun, Committed: r.Committed(), Total: r.Total,
		Succeeded: r.Count(bulk.OK, bulk.Created, bulk.Exists, bulk.Updated), Failed: r.Count(bulk.Failed), NotRun: r.Count(bulk.NotRun),
	}
}

func showReport(r *bulk.Report, show func(bulk.Result) bulkResult) *bulkReport {
	out := &bulkReport{bulkSummary: showSummary(r), Results: make([]bulkResult, len(r.Results))}
	for i := range r.Results {
		out.Results[i] = show(r.Results[i])
	}
	return out
}
