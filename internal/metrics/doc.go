// Package metrics measures the program for Prometheus and answers its scrapes.
//
// Owns: names, help texts, labels and buckets of all metrics (docs/metrics.md
// lists them, docs/grafana-dashboard.json shows them), the timing of key checks
// and requests, the answer to GET /metrics and its token. Does not own: what is
// counted (the packages of the domain; Deps asks them), the listeners (server).
package metrics
