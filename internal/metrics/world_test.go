package metrics_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"latchkey/internal/metrics"
	"latchkey/internal/secret"
)

// full is a server of which everything is measured.
func full() metrics.Deps {
	return metrics.Deps{
		Version:      "v1.2.3",
		CheckTime:    metrics.NewSampler(),
		RefusalCodes: []string{"scope", "rate-limit"},
		Checks:       func() map[string]uint64 { return map[string]uint64{"accepted": 7, "malformed": 3} },
		RetiredUses:  func() uint64 { return 1 },
		Pending:      func() int64 { return 4 },
		Throttled:    func() uint64 { return 5 },
		Keys: func(context.Context) (map[string]int64, error) {
			return map[string]int64{"active": 11, "disabled": 1, "expired": 2}, nil
		},
		Dropped: func(context.Context) (map[string]int64, error) {
			return map[string]int64{"rate": 90, "full": 2, "aged": 0}, nil
		},
		Expiring: func(_ context.Context, within time.Duration) (int64, error) { return int64(within.Hours() / 24), nil },
		Sessions: func(context.Context) (int64, error) { return 6, nil },
		Lag:      func(context.Context) (int64, time.Duration, error) { return 2, 1500 * time.Millisecond, nil },
		Applied:  func() int64 { return 99 },
	}
}

type families map[string]*dto.MetricFamily

// scrape reads the metrics as Prometheus does.
func scrape(t testing.TB, m *metrics.Metrics) families {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler(secret.Text{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// value returns a metric by its name and the values of its labels, in the order
// of their names, and false when it is not there. Of a histogram it is the
// count.
func (f families) value(name string, labels ...string) (float64, bool) {
next:
	for _, m := range f[name].GetMetric() {
		if len(m.Label) != len(labels) {
			continue
		}
		for i, l := range m.Label {
			if l.GetValue() != labels[i] {
				continue next
			}
		}
		switch {
		case m.Counter != nil:
			return m.Counter.GetValue(), true
		case m.Gauge != nil:
			return m.Gauge.GetValue(), true
		}
		return float64(m.GetHistogram().GetSampleCount()), true
	}
	return 0, false
}

func (f families) want(t *testing.T, want float64, name string, labels ...string) {
	t.Helper()
	if got, ok := f.value(name, labels...); !ok || got != want {
		t.Errorf("%s%v is %v (there: %v), want %v", name, labels, got, ok, want)
	}
}

func (f families) wantNone(t *testing.T, name string) {
	t.Helper()
	if f[name] != nil {
		t.Errorf("%s is there: %v", name, f[name])
	}
}
