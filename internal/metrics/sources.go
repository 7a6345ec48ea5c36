package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// sources returns the questions that the database can be asked.
func sources(d Deps) []*source {
	var all []*source
	if d.Keys != nil {
		all = append(all, keys(d.Keys))
	}
	if d.Dropped != nil {
		all = append(all, dropped(d.Dropped))
	}
	if d.Expiring != nil {
		all = append(all, expiring(d.Expiring))
	}
	if d.Sessions != nil {
		all = append(all, sessions(d.Sessions))
	}
	if d.Lag != nil && d.Applied != nil {
		all = append(all, changeLog(d.Lag, d.Applied))
	}
	return all
}

func keys(count func(context.Context) (map[string]int64, error)) *source {
	desc := prometheus.NewDesc("latchkey_keys", "API keys, by state: active, disabled, expired, deleted.", []string{"state"}, nil)
	return &source{name: "keys", descs: []*prometheus.Desc{desc}, read: func(ctx context.Context) ([]prometheus.Metric, error) {
		var out []prometheus.Metric
		states, err := count(ctx)
		for state, n := range states {
			out = append(out, gauge(desc, float64(n), state))
		}
		return out, err
	}}
}

func expiring(count func(context.Context, time.Duration) (int64, error)) *source {
	const day = 24 * time.Hour
	desc := prometheus.NewDesc("latchkey_keys_expiring", "API keys in force that expire within a day, a week or a month. Each holds those before it.", []string{"within"}, nil)
	return &source{name: "keys-expiring", descs: []*prometheus.Desc{desc}, read: func(ctx context.Context) ([]prometheus.Metric, error) {
		var out []prometheus.Metric
		for _, w := range []struct {
			name string
			time time.Duration
		}{{"1d", day}, {"7d", 7 * day}, {"30d", 30 * day}} {
			n, err := count(ctx, w.time)
			if err != nil {
				return nil, err
			}
			out = append(out, gauge(desc, float64(n), w.name))
		}
		return out, nil
	}}
}

func dropped(count func(context.Context) (map[string]int64, error)) *source {
	desc := prometheus.NewDesc("latchkey_usage_samples_dropped_total", "Requests of keys, on all nodes, of which no row was kept as a sample: more successes than are kept each second (rate), too many that waited (full), or rows that made room for newer ones (aged). The exact counts of use are not touched by this.", []string{"reason"}, nil)
	return &source{name: "usage", descs: []*prometheus.Desc{desc}, read: func(ctx context.Context) ([]prometheus.Metric, error) {
		var out []prometheus.Metric
		reasons, err := count(ctx)
		for reason, n := range reasons {
			out = append(out, prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), reason))
		}
		return out, err
	}}
}

func sessions(count func(context.Context) (int64, error)) *source {
	desc := prometheus.NewDesc("latchkey_sessions", "Sessions of people that have not expired.", nil, nil)
	return &source{name: "sessions", descs: []*prometheus.Desc{desc}, read: func(ctx context.Context) ([]prometheus.Metric, error) {
		n, err := count(ctx)
		return []prometheus.Metric{gauge(desc, float64(n))}, err
	}}
}

func changeLog(lag func(context.Context) (int64, time.Duration, error), applied func() int64) *source {
	seconds := prometheus.NewDesc("latchkey_change_log_lag_seconds", "Age of the oldest change to access data that this node does not know of; 0 when it knows all.", nil, nil)
	numbers := prometheus.NewDesc("latchkey_change_log_behind", "Changes to access data that this node does not know of.", nil, nil)
	last := prometheus.NewDesc("latchkey_change_log_applied", "Number of the last change to access data that this node knows of.", nil, nil)
	return &source{name: "change-log", descs: []*prometheus.Desc{seconds, numbers, last}, read: func(ctx context.Context) ([]prometheus.Metric, error) {
		behind, age, err := lag(ctx)
		if err != nil {
			return nil, err
		}
		return []prometheus.Metric{gauge(seconds, age.Seconds()), gauge(numbers, float64(behind)), gauge(last, float64(applied()))}, nil
	}}
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}
