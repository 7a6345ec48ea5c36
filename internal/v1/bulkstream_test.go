package v1

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A stream that has nothing to tell says that it is alive.
func TestHeartbeat(t *testing.T) {
	rec := httptest.NewRecorder()
	l := &lineWriter{w: rec, last: time.Now().Add(-heartbeatGap), at: progressLine{eventProgress, 7, 9}}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); l.beat(stop) }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, silent := l.quiet(heartbeatGap); !silent {
			break
		}
	}
	close(stop)
	<-ended
	if got := rec.Body.String(); got != `{"event":"heartbeat","done":7,"total":9}`+"\n" || rec.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("got %q, %v", got, rec.Header())
	}
	l.progress(8, 9, nil) // too soon to tell
	if strings.Contains(rec.Body.String(), "progress") {
		t.Errorf("got %q", rec.Body)
	}
}
