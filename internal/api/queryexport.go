package api

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"

	"latchkey/internal/export"
	"latchkey/internal/query"
)

// exportAnswer streams a result as a file (contract/content-data.md 6.4).
type exportAnswer struct {
	result  *query.Result
	ran     ran
	format  string
	name    string // of the file, without time and ending
	options export.Options
}

// MediaType implements endpoint.Media.
func (exportAnswer) MediaType() string { return "text/csv" }

var mediaTypes = map[string]string{
	export.FormatCSV:  "text/csv",
	export.FormatJSON: "application/json; charset=utf-8",
}

// Respond implements endpoint.Responder.
func (a exportAnswer) Respond(w http.ResponseWriter, _ *http.Request) {
	defer a.result.Close()
	o := a.options
	seen := map[string]bool{}
	for _, c := range a.result.Columns() {
		name := c.DisplayName
		if seen[name] {
			name = c.Name
		}
		seen[name] = true
		o.Columns = append(o.Columns, name)
	}
	out := &lateHeader{w: w, begin: func() { a.setHeader(w.Header()) }}
	b := bufio.NewWriterSize(out, flushAt)
	err := export.Write(b, a.format, a.result, o)
	if f, ok := errors.AsType[*query.Failure](err); ok {
		breakOff(w, out.begun, f, a.ran)
		return
	}
	_ = b.Flush() // a client that went away is nobody's error
}

func (a exportAnswer) setHeader(h http.Header) {
	h.Set("Content-Type", mediaTypes[a.format])
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s_%s.%s"`, a.name, a.result.StartedAt.Format("2006-01-02T15:04:05.000000Z"), a.format))
	h.Set("Cache-Control", "max-age=0, no-cache, must-revalidate, proxy-revalidate")
	h.Set("Expires", "Tue, 03 Jul 2001 06:00:00 GMT")
	h.Set("Last-Modified", a.result.StartedAt.UTC().Format(http.TimeFormat))
	h.Set("X-Accel-Buffering", "no")
}

// lateHeader sets the header with the first byte: until then, a failure can
// still be answered as one.
type lateHeader struct {
	w     http.ResponseWriter
	begin func()
	begun bool
}

// Write implements io.Writer.
func (l *lateHeader) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.begin()
	}
	return l.w.Write(b)
}
