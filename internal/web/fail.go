package web

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"latchkey/internal/audit"
	"latchkey/internal/fault"
)

// statusOf returns the status of a page that reports a fault.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Paid:
		return http.StatusPaymentRequired
	case fault.Internal:
	}
	return http.StatusInternalServerError
}

// trouble is what the error page says.
type trouble struct {
	Heading string
	Text    string
	ID      string // found in the log; only for our own failures
}

// troubleOf puts a fault into words.
func troubleOf(e *fault.Error) trouble {
	t := trouble{Text: e.Message}
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		t.Text += " " + sentence(e.Fields[field])
	}
	switch e.Kind {
	case fault.NotFound:
		t.Heading, t.Text = "This page does not exist", "The address may be mistyped, or what was here has been deleted."
	case fault.Forbidden:
		t.Heading = "You don’t have permission to do this"
	case fault.TooMany:
		t.Heading = "Too many attempts"
	case fault.Unavailable:
		t.Heading = "Not available just now"
	case fault.Internal:
		t.Heading, t.Text = "Something went wrong on our side", "Nothing you typed was at fault. Please try again; if it happens again, give the person who runs this server the id below."
	case fault.Invalid, fault.Unauthenticated, fault.Conflict, fault.Paid:
		t.Heading = "That did not work"
	}
	return t
}

// fail answers with an error page, or what is left of it when even that fails.
func (p *page) fail(err error) {
	e := fault.As(err)
	t := troubleOf(e)
	if e.Kind == fault.Internal {
		t.ID = p.report(err)
	}
	// A search that fails shows the error in place of the page's content.
	p.w.Header().Set("HX-Retarget", "main")
	p.w.Header().Set("HX-Reselect", "main")
	if err := p.answer(statusOf(e.Kind), "error", t.Heading, t, nil); err != nil {
		p.report(err)
		http.Error(p.w, "Internal server error.", http.StatusInternalServerError)
	}
}

// report writes an error to the log and returns the id that names it there. It
// names the route, never the address, which may be a reset link.
func (p *page) report(err error) string {
	id := audit.OriginOf(p.ctx()).RequestID
	p.site.Log.ErrorContext(p.ctx(), "page failed", slog.String("id", id),
		slog.String("method", p.r.Method), slog.String("route", p.r.Pattern), slog.Any("error", err))
	return id
}

// notFound is the page for every address that is not one of ours.
func (p *page) notFound() error { return fault.New(fault.NotFound, "Not found.") }
