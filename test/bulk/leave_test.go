package bulk_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// groups counts the groups.
func (w *world) groups() int {
	w.t.Helper()
	var all []body
	w.Admin(200, &all, "GET", "/api/permissions/group", nil)
	return len(all)
}

// TestCallersWhoLeave closes the connection in the middle of a call: all or
// nothing becomes nothing, and each for itself goes on when it is sent again.
func TestCallersWhoLeave(t *testing.T) {
	w := newWorld(t)
	var b strings.Builder
	const n = 5000
	for i := range n {
		fmt.Fprintf(&b, "{\"op\":\"create_group\",\"name\":\"made %d\"}\n", i)
	}
	_, key := w.Key("robot", 2)
	before := w.groups()
	leave := func(mode string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "POST", w.URL+"/v1/bulk?mode="+mode, strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"X-API-Key": key, "Content-Type": "application/x-ndjson", "Accept": "application/x-ndjson", "Idempotency-Key": mode} {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	leave("atomic")
	if got := w.settled(); got != before {
		t.Errorf("%d groups after a call that was left, %d before", got, before)
	}
	leave("each")
	if got := w.settled(); got == before || got == before+n {
		t.Errorf("%d groups after a call that was left, %d before: it did not stop in the middle", got, before)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/v1/bulk?mode=each", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"X-Api-Key": {key}, "Content-Type": {"application/x-ndjson"}, "Idempotency-Key": {"each"}}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || !strings.Contains(string(answer), fmt.Sprintf(`"succeeded":%d,"failed":0,`, n)) {
		t.Errorf("again: %d %.300s", res.StatusCode, answer)
	}
	if got := w.groups(); got != before+n {
		t.Errorf("%d groups, want %d", got, before+n)
	}
}

// settled waits until the number of groups stays, and returns it.
func (w *world) settled() int {
	last := -1
	for range 50 {
		now := w.groups()
		if now == last {
			break
		}
		last = now
		time.Sleep(500 * time.Millisecond)
	}
	return last
}
