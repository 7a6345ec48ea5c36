package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"latchkey/internal/metrics"
	"latchkey/internal/secret"
)

func TestEverything(t *testing.T) {
	m := metrics.New(full())
	m.Refused("scope")
	f := scrape(t, m)
	for _, tt := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "latchkey_build_info", []string{runtime.Version(), "v1.2.3"}},
		{7, "latchkey_key_checks_total", []string{"accepted"}},
		{3, "latchkey_key_checks_total", []string{"malformed"}},
		{0, "latchkey_key_check_seconds", nil},
		{1, "latchkey_key_refusals_total", []string{"scope"}},
		{0, "latchkey_key_refusals_total", []string{"rate-limit"}},
		{11, "latchkey_keys", []string{"active"}},
		{2, "latchkey_keys", []string{"expired"}},
		{1, "latchkey_keys_expiring", []string{"1d"}},
		{7, "latchkey_keys_expiring", []string{"7d"}},
		{30, "latchkey_keys_expiring", []string{"30d"}},
		{1, "latchkey_retired_secret_uses_total", nil},
		{2, "latchkey_usage_samples_dropped_total", []string{"full"}},
		{4, "latchkey_usage_pending", nil},
		{5, "latchkey_throttled_total", nil},
		{6, "latchkey_sessions", nil},
		{1.5, "latchkey_change_log_lag_seconds", nil},
		{2, "latchkey_change_log_behind", nil},
		{99, "latchkey_change_log_applied", nil},
		{0, "latchkey_scrape_errors_total", []string{"keys"}},
		{0, "latchkey_http_requests_total", []string{"5xx", "v1"}},
		{0, "latchkey_http_request_seconds", []string{"pages"}},
	} {
		f.want(t, tt.want, tt.name, tt.labels...)
	}
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_resident_memory_bytes", "process_start_time_seconds"} {
		if f[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestNothingToAsk(t *testing.T) {
	m := metrics.New(metrics.Deps{Version: "dev"})
	m.Refused("scope") // is counted nowhere
	(*metrics.Metrics)(nil).Refused("scope")
	for name := range scrape(t, m) {
		if strings.HasPrefix(name, "latchkey_") && name != "latchkey_build_info" && !strings.HasPrefix(name, "latchkey_http_request") {
			t.Errorf("%s is there, with nothing behind it", name)
		}
	}
}

func TestNamesFollowTheCustom(t *testing.T) {
	f, err := metrics.New(full()).Gather().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(f).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestDatabaseIsAskedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, asked := full(), 0.0
		d.Sessions = func(context.Context) (int64, error) { asked++; return int64(asked), nil }
		m := metrics.New(d)
		scrape(t, m).want(t, 1, "latchkey_sessions")
		time.Sleep(14 * time.Second)
		scrape(t, m).want(t, 1, "latchkey_sessions")
		time.Sleep(time.Second)
		scrape(t, m).want(t, 2, "latchkey_sessions")
	})
}

// A source that fails, or hangs with or without an eye on its context, is left
// out and counted; the others are there.
func TestDatabaseDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := full()
		release := make(chan struct{})
		d.Keys = func(context.Context) (map[string]int64, error) {
			return map[string]int64{"active": 1}, errors.New("broken")
		}
		d.Sessions = func(ctx context.Context) (int64, error) { <-ctx.Done(); return 0, ctx.Err() }
		d.Applied = func() int64 { <-release; return 100 }
		m := metrics.New(d)
		check := func(errs float64) {
			t.Helper()
			start := time.Now()
			f := scrape(t, m)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("the scrape took %s", took)
			}
			for _, name := range []string{"latchkey_keys", "latchkey_sessions", "latchkey_change_log_lag_seconds", "latchkey_change_log_applied"} {
				f.wantNone(t, name)
			}
			for _, source := range []string{"keys", "sessions", "change-log"} {
				f.want(t, errs, "latchkey_scrape_errors_total", source)
			}
			f.want(t, 0, "latchkey_scrape_errors_total", "keys-expiring")
			f.want(t, 7, "latchkey_keys_expiring", "7d")
			f.want(t, 7, "latchkey_key_checks_total", "accepted")
		}
		check(1)
		check(1) // that it failed is kept, too
		time.Sleep(time.Minute)
		check(2)
		close(release)
		time.Sleep(time.Minute)
		f := scrape(t, m)
		f.want(t, 100, "latchkey_change_log_applied")
		f.want(t, 2, "latchkey_scrape_errors_total", "change-log")
	})
}

func TestRequests(t *testing.T) {
	m := metrics.New(metrics.Deps{})
	h := m.Observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("do") {
		case "nothing":
		case "write":
			_, _ = w.Write([]byte("hello"))
		case "early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
		case "flush":
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		case "panic":
			panic(http.ErrAbortHandler)
		}
	}))
	for _, tt := range []struct{ path, dialect, class string }{
		{"/api/user?do=nothing", "api", "2xx"},
		{"/api", "api", "2xx"},
		{"/api/health?do=write", "health", "2xx"},
		{"/livez", "health", "2xx"},
		{"/v1/keys?do=early", "v1", "4xx"},
		{"/v1", "v1", "2xx"},
		{"/v1x?do=flush", "pages", "2xx"},
		{"/apis?do=panic", "pages", "5xx"},
	} {
		before, _ := scrape(t, m).value("latchkey_http_requests_total", tt.class, tt.dialect)
		timed, _ := scrape(t, m).value("latchkey_http_request_seconds", tt.dialect)
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", tt.path, nil))
		}()
		f := scrape(t, m)
		f.want(t, before+1, "latchkey_http_requests_total", tt.class, tt.dialect)
		f.want(t, timed+1, "latchkey_http_request_seconds", tt.dialect)
	}
}

func TestToken(t *testing.T) {
	const token = "0123456789abcdef"
	m := metrics.New(full())
	tests := []struct {
		token, method, path, shown string
		want                       int
	}{
		{"", "GET", "/metrics", "", 200},
		{"", "HEAD", "/metrics", "", 200},
		{"", "GET", "/", "", 404},
		{"", "GET", "/metrics/", "", 404},
		{"", "POST", "/metrics", "", 405},
		{token, "GET", "/metrics", "", 401},
		{token, "GET", "/metrics", "Bearer " + token, 200},
		{token, "GET", "/metrics", "bearer " + token, 200},
		{token, "GET", "/metrics", "Bearer " + token + "x", 401},
		{token, "GET", "/metrics", "Bearer", 401},
		{token, "GET", "/metrics", "Bearer ", 401},
		{token, "GET", "/metrics", "Basic " + token, 401},
		{token, "GET", "/metrics", token, 401},
		{token, "GET", "/", "", 401},
		{token, "POST", "/metrics", "", 401},
		{token, "POST", "/metrics", "Bearer " + token, 405},
	}
	for _, tt := range tests {
		w, r := httptest.NewRecorder(), httptest.NewRequest(tt.method, tt.path, nil)
		if tt.shown != "" {
			r.Header.Set("Authorization", tt.shown)
		}
		m.Handler(secret.New(tt.token)).ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%+v: got %d", tt, w.Code)
		}
		if shown := strings.Contains(w.Body.String(), "latchkey_"); shown && tt.want != 200 {
			t.Errorf("%+v: the answer holds metrics", tt)
		}
		if got := w.Header().Get("WWW-Authenticate"); (got != "") != (tt.want == 401) {
			t.Errorf("%+v: WWW-Authenticate is %q", tt, got)
		}
	}
}

func TestBeside(t *testing.T) {
	text := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(s)) })
	}
	h := metrics.Beside(text("metrics"), text("rest"))
	for path, want := range map[string]string{"/metrics": "metrics", "/": "rest", "/metrics/": "rest", "/api/metrics": "rest"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Body.String() != want {
			t.Errorf("%s: %q answers", path, w.Body)
		}
	}
}

func TestSampler(t *testing.T) {
	var none *metrics.Sampler
	none.Done(none.Start())

	d := full()
	s := d.CheckTime
	const checks = 64_000
	for range checks {
		s.Done(s.Start())
	}
	n, _ := scrape(t, metrics.New(d)).value("latchkey_key_check_seconds")
	if n < checks/16*0.8 || n > checks/16*1.2 { // six deviations away
		t.Errorf("%v of %d checks were timed", n, checks)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Done(s.Start()) }); n != 0 {
		t.Errorf("a check costs %v allocations", n)
	}
}

func TestSamplerTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := full()
		d.CheckTime = metrics.NewSampler()
		start := d.CheckTime.Start()
		for start == 0 {
			start = d.CheckTime.Start()
		}
		time.Sleep(3 * time.Millisecond)
		d.CheckTime.Done(start)
		h := scrape(t, metrics.New(d))["latchkey_key_check_seconds"].Metric[0].Histogram
		if h.GetSampleSum() != 0.003 || h.GetSampleCount() != 1 {
			t.Errorf("timed %d checks, %v seconds; want one of 0.003", h.GetSampleCount(), h.GetSampleSum())
		}
	})
}

func BenchmarkSampler(b *testing.B) {
	s := metrics.NewSampler()
	b.ReportAllocs()
	for b.Loop() {
		s.Done(s.Start())
	}
}

func BenchmarkSamplerParallel(b *testing.B) {
	s := metrics.NewSampler()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Done(s.Start())
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	h := metrics.New(metrics.Deps{}).Observe(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/api/user", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
