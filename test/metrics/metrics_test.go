package metrics

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"latchkey/internal/apptest"
	"latchkey/internal/apptest/dbtest"
)

const token = "0123456789abcdef-metrics"

// get sends a request and returns status and body.
func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// scraped is what a scrape showed.
type scraped map[string]*dto.MetricFamily

func scrape(t *testing.T, url, token string) scraped {
	t.Helper()
	status, body := get(t, url, token)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", url, status, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	return all
}

// value returns the metric whose labels have these values, in the order of
// their names. Of a histogram it is the count.
func (s scraped) value(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
next:
	for _, m := range s[name].GetMetric() {
		for i, l := range m.GetLabel() {
			if i >= len(labels) || l.GetValue() != labels[i] {
				continue next
			}
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	t.Errorf("there is no %s%v", name, labels)
	return 0
}

// place returns the address that the program names in its log.
func place(t *testing.T, s *apptest.Server) string {
	t.Helper()
	m := regexp.MustCompile(`metrics are answered.*\bat=(http://\S+)`).FindStringSubmatch(s.Log())
	if m == nil {
		t.Fatalf("the log names no address:\n%s", s.Log())
	}
	return m[1]
}

func TestOwnAddress(t *testing.T) {
	for _, kind := range dbtest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := apptest.Start(t, apptest.Options{Kind: kind, Args: []string{"--metrics-listen", "127.0.0.1:0"}})
			s.Setup()
			_, key := s.Key("orders", s.Group("Shops"))
			at := place(t, s)
			before := scrape(t, at, "")
			const calls = 200 // of which one in 16 is timed: none is as good as impossible
			for range calls {
				s.Want(403, nil, "GET", "/api/api-key", nil, "X-Api-Key", key)
			}
			s.Want(401, nil, "GET", "/api/user/current", nil, "X-Api-Key", "junk")
			s.Want(200, nil, "GET", "/livez", nil)
			after := scrape(t, at, "")

			for _, moved := range []struct {
				by     float64
				name   string
				labels []string
			}{
				{calls, "latchkey_key_checks_total", []string{"accepted"}},
				{1, "latchkey_key_checks_total", []string{"malformed"}},
				{calls + 1, "latchkey_http_requests_total", []string{"4xx", "api"}},
				{1, "latchkey_http_requests_total", []string{"2xx", "health"}},
				{calls + 1, "latchkey_http_request_seconds", []string{"api"}},
				{0, "latchkey_http_requests_total", []string{"5xx", "api"}},
				{0, "latchkey_throttled_total", nil},
			} {
				got := after.value(t, moved.name, moved.labels...) - before.value(t, moved.name, moved.labels...)
				if got != moved.by {
					t.Errorf("%s%v moved by %v, want %v", moved.name, moved.labels, got, moved.by)
				}
			}
			if n := after.value(t, "latchkey_key_check_seconds"); n < 1 || n > calls/2 {
				t.Errorf("%v of %d checks were timed", n, calls)
			}
			if n := after.value(t, "latchkey_sessions"); n != 1 {
				t.Errorf("%v sessions, want 1", n)
			}
			if n, soon := after.value(t, "latchkey_keys", "active"), after.value(t, "latchkey_keys_expiring", "30d"); n != 1 || soon != 0 {
				t.Errorf("%v active keys, of which %v expire; want 1 and 0", n, soon)
			}
			if n := after.value(t, "latchkey_change_log_applied"); n < 1 || after.value(t, "latchkey_change_log_behind") != 0 || after.value(t, "latchkey_change_log_lag_seconds") != 0 {
				t.Errorf("the change log: %v applied, and behind it", n)
			}
			documented(t, after)
			nothingElse(t, s, at)
		})
	}
}

// documented demands that docs/metrics.md has every metric of ours.
func documented(t *testing.T, s scraped) {
	t.Helper()
	root, err := apptest.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range s {
		if strings.HasPrefix(name, "latchkey_") && !bytes.Contains(page, []byte("\n| `"+name+"` |")) {
			t.Errorf("docs/metrics.md has no line for %s", name)
		}
	}
}

// nothingElse demands that the address of metrics answers nothing else, and
// that the main address has no metrics.
func nothingElse(t *testing.T, s *apptest.Server, at string) {
	t.Helper()
	own := strings.TrimSuffix(at, "/metrics")
	for _, url := range []string{own + "/", own + "/api/health", own + "/livez", own + "/metrics/x", s.URL + "/metrics"} {
		if status, body := get(t, url, ""); status != 404 || strings.Contains(body, "latchkey_") {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
}

func TestToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, apptest.Options{Env: []string{"LATCHKEY_METRICS_TOKEN_FILE=" + file, "LATCHKEY_METRICS_LISTEN=127.0.0.1:0"}})
	for _, at := range []string{s.URL + "/metrics", place(t, s)} {
		for _, wrong := range []string{"", token + "x", strings.ToUpper(token)} {
			if status, body := get(t, at, wrong); status != 401 || strings.Contains(body, "latchkey_") {
				t.Errorf("%s with the token %q: %d %s", at, wrong, status, body)
			}
		}
		if scrape(t, at, token)["latchkey_build_info"] == nil {
			t.Errorf("%s: there are no metrics", at)
		}
	}
	if a := s.Do("POST", "/metrics", nil, "Authorization", "Bearer "+token); a.Status != 405 {
		t.Errorf("POST: %d", a.Status)
	}
	if s.Stop(); strings.Contains(s.Log(), token) {
		t.Error("the log holds the token")
	}
}

func TestOff(t *testing.T) {
	s := apptest.Start(t, apptest.Options{})
	s.Setup() // until then every page leads to the set-up
	unknown := s.Do("GET", "/no-such-page", nil)
	for _, header := range []string{"", "Bearer ", "Bearer " + token} {
		if a := s.Do("GET", "/metrics", nil, "Authorization", header); a.Status != 404 || unknown.Status != 404 {
			t.Errorf("with %q: %d; an unknown page: %d", header, a.Status, unknown.Status)
		}
	}
}

func TestPortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	dir := filepath.Join(t.TempDir(), "data")
	cmd := exec.CommandContext(t.Context(), apptest.Binary(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", dir, "--metrics-listen", l.Addr().String())
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LATCHKEY_") })
	out, err := cmd.CombinedOutput()
	want := "latchkey: cannot listen on " + l.Addr().String() + ": another program uses this port; stop it, or choose another with --metrics-listen or LATCHKEY_METRICS_LISTEN\n"
	if err == nil || string(out) != want {
		t.Errorf("%v\ngot  %swant %s", err, out, want)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("data was touched before the port was had")
	}
}
