// Package metrics drives the built program and scrapes it, as Prometheus does.
package metrics
