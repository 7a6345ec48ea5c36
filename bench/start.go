package main

import (
	"context"
	"fmt"
	"time"
)

// The fourth row.
const (
	starts      = 10
	startBudget = 100 * time.Millisecond
)

// startRow measures the time from the start of the process to the first
// answers 200 on an existing database.
func startRow(ctx context.Context, b *bench) error {
	p, err := b.place(ctx, medium)
	if err != nil {
		return err
	}
	var health, withKey []time.Duration
	for range starts {
		h, k, err := b.start(ctx, p)
		if err != nil {
			return err
		}
		health, withKey = append(health, h), append(withKey, k)
	}
	what := fmt.Sprintf("start to first 200, %s keys stored: ", count(medium))
	b.report.add("4", what+"GET /api/health", spread(health), "< 100 ms", judge(median(health) < startBudget))
	b.report.add("4", what+"GET "+pathGroups+" with a key", spread(withKey), "< 100 ms", judge(median(withKey) < startBudget))
	return nil
}

// start starts the program once and returns when it first answered.
func (b *bench) start(ctx context.Context, p place) (health, withKey time.Duration, err error) {
	began := time.Now()
	s, err := b.launch(p, "")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = s.stop() }()
	at, err := s.await(ctx, request("/api/health", nil))
	if err != nil {
		return 0, 0, err
	}
	then, err := s.await(ctx, keyed(pathGroups, p.key(0)))
	return at.Sub(began), then.Sub(began), err
}

// spread writes the median and the extremes.
func spread(took []time.Duration) string {
	m := median(took)
	return fmt.Sprintf("%s (%s to %s)", span(m), span(took[0]), span(took[len(took)-1]))
}
