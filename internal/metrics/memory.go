package metrics

import "github.com/prometheus/client_golang/prometheus"

// fromMemory returns the metrics that are counted elsewhere in the program and
// read at every scrape.
func fromMemory(d Deps) []prometheus.Collector {
	var all []prometheus.Collector
	if d.Checks != nil {
		all = append(all, tally{d.Checks, prometheus.NewDesc("latchkey_key_checks_total",
			"Checks of API keys, by how they ended: accepted, or why not. malformed is junk, which costs next to nothing.",
			[]string{"reason"}, nil)})
	}
	if d.CheckTime != nil {
		all = append(all, d.CheckTime.seconds)
	}
	counter := func(read func() uint64, name, help string) {
		if read != nil {
			all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
				func() float64 { return float64(read()) }))
		}
	}
	counter(d.RetiredUses, "latchkey_retired_secret_uses_total",
		"Tries with a secret that was retired: a program was forgotten in a rotation, or the secret leaked.")
	counter(d.Throttled, "latchkey_throttled_total",
		"Sign-ins that were refused because too many had been tried.")
	if d.Pending != nil {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "latchkey_usage_pending",
			Help: "Counts of the use of keys that wait in memory to be written.",
		}, func() float64 { return float64(d.Pending()) }))
	}
	return all
}

// tally is a counter by reason that is kept elsewhere.
type tally struct {
	read func() map[string]uint64
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (t tally) Describe(ch chan<- *prometheus.Desc) { ch <- t.desc }

// Collect implements prometheus.Collector.
func (t tally) Collect(ch chan<- prometheus.Metric) {
	for reason, n := range t.read() {
		ch <- prometheus.MustNewConstMetric(t.desc, prometheus.CounterValue, float64(n), reason)
	}
}
