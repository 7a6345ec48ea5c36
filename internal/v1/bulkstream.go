package v1

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"latchkey/internal/bulk"
	"latchkey/internal/endpoint"
)

// The events of a stream, a line each.
const (
	eventResult    = "result"    // what became of an operation, for good
	eventProgress  = "progress"  // how many are done
	eventHeartbeat = "heartbeat" // the call goes on
	eventSummary   = "summary"   // the last line of a call that was done
	eventProblem   = "problem"   // the last line of a call that was not
)

const (
	heartbeatGap = 5 * time.Second        // a stream is silent no longer
	progressGap  = 200 * time.Millisecond // it does not tell of every step
)

// lineWriter writes events. It is safe for concurrent use.
type lineWriter struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	begun bool
	last  time.Time
	at    progressLine
}

// event writes lines and sends them off.
func (l *lineWriter) event(events ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(events) == 0 {
		return
	}
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", endpoint.MediaLines)
		l.w.WriteHeader(http.StatusOK)
	}
	enc := json.NewEncoder(l.w)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		if enc.Encode(e) != nil {
			return // the client went away, which the call notices by its context
		}
	}
	l.last = time.Now()
	_ = http.NewResponseController(l.w).Flush()
}

// quiet reports whether nothing was written for a time, and where the call is.
func (l *lineWriter) quiet(gap time.Duration) (progressLine, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at, time.Since(l.last) >= gap
}

// progress tells what has been done, and how far the call is.
func (l *lineWriter) progress(done, total int, results []any) {
	l.event(results...)
	l.mu.Lock()
	l.at = progressLine{eventProgress, done, total}
	l.mu.Unlock()
	if at, ok := l.quiet(progressGap); ok {
		l.event(at)
	}
}

// beat writes a heartbeat when the stream has been silent, until stop.
func (l *lineWriter) beat(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if at, ok := l.quiet(heartbeatGap); ok {
			at.Event = eventHeartbeat
			l.event(at)
		}
	}
}

type progressLine struct {
	Event string `json:"event"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

type resultLine struct {
	Event string `json:"event"`
	bulkResult
}

type summaryLine struct {
	Event string `json:"event"`
	bulkSummary
}

type problemLine struct {
	Event string `json:"event"`
	Problem
}

// streamBulk runs a call and tells of it as it goes. Results are told when
// they stay; the last line says how it ended. What fails before anything was
// told is answered as any other error.
func streamBulk(c *endpoint.Call, w http.ResponseWriter, req bulk.Request, show func(bulk.Result) bulkResult, run func(bulk.Request) (*bulk.Report, error)) {
	l, told := &lineWriter{w: w, last: time.Now()}, 0
	lines := func(results []bulk.Result) []any {
		out := make([]any, len(results))
		for i := range results {
			out[i] = resultLine{eventResult, show(results[i])}
		}
		told += len(results)
		return out
	}
	req.Progress = func(done, total int, results []bulk.Result) { l.progress(done, total, lines(results)) }
	report, err := l.while(func() (*bulk.Report, error) { return run(req) })
	if err == nil {
		markReplayed(w.Header(), report)
		err = broken(report, show)
	}
	if err != nil {
		p := problemOf(err)
		p.RequestID = c.RequestID
		if l.begun {
			l.event(problemLine{eventProblem, p})
		}
		if !l.begun || p.Status >= http.StatusInternalServerError {
			breakOff(w, err)
		}
		return
	}
	l.event(append(lines(report.Results[told:]), summaryLine{eventSummary, showSummary(report)})...)
}

// while runs something and writes heartbeats until it is done.
func (l *lineWriter) while(run func() (*bulk.Report, error)) (*bulk.Report, error) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); l.beat(stop) }()
	defer func() { close(stop); <-ended }()
	return run()
}
