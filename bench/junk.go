package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// The second half of the second row.
const (
	round      = 2 * time.Second
	junkRate   = 50_000 // requests with bad keys a second
	goodRate   = 400    // requests with a good key a second, while they come
	junkBudget = 5 * time.Millisecond
	nearEnough = 0.98 // of the rate that was asked for
)

// under is what good requests met under one kind of weather, by rounds.
type under struct {
	medians, p99s []time.Duration
	rates         []float64 // of the flood
}

// p99 is the median of the rounds, so that what else happens on the machine
// in one of them does not count.
func (u *under) p99() time.Duration { return median(u.p99s) }

// junkRow measures how long good requests take with and without a flood of bad
// keys, in turn. Flood, good client and server share the cores.
func junkRow(ctx context.Context, b *bench) error {
	p, err := b.place(ctx, medium)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, p, "")
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	j := junk{bench: b, addr: s.addr}
	for i := range p.admins() {
		j.good = append(j.good, keyed(pathGroups, p.key(i)))
	}
	if _, err := latencies(ctx, s.addr, j.good, floodFastest, round/2, http.StatusOK); err != nil {
		return err
	}
	for i := range b.rounds {
		if err := j.round(ctx); err != nil {
			return err
		}
		b.say("  round %d: p99 %s with %.0f junk requests/s, %s without", i+1, span(j.storm.p99s[i]), j.storm.rates[i], span(j.calm.p99s[i]))
	}
	j.report()
	return nil
}

// junk is the rounds of the row.
type junk struct {
	*bench
	addr               string
	good               [][]byte
	calm, storm, harsh under
}

func (j *junk) round(ctx context.Context) error {
	if err := j.calm.measure(ctx, j, nil); err != nil {
		return err
	}
	if err := j.storm.measure(ctx, j, &flood{rate: junkRate}); err != nil {
		return err
	}
	return j.harsh.measure(ctx, j, &flood{rate: junkRate, forged: true})
}

// measure asks good requests for a round, under a flood or none.
func (u *under) measure(ctx context.Context, j *junk, f *flood) error {
	wait := func() (flooded, error) { return flooded{Seconds: 1}, nil }
	if f != nil {
		f.addr, f.d = j.addr, round+round/4
		var err error
		if wait, err = j.flood(*f); err != nil {
			return err
		}
		time.Sleep(round / 8) // so that the flood is there before and after
	}
	took, err := latencies(ctx, j.addr, j.good, goodRate, round, http.StatusOK)
	if err != nil {
		return err
	}
	got, err := wait()
	u.medians, u.p99s = append(u.medians, median(took)), append(u.p99s, quantile(took, 0.99))
	u.rates = append(u.rates, got.rate())
	return err
}

func (j *junk) report() {
	rate := median(j.storm.rates)
	budget := "p99 < 5 ms at 50,000/s"
	if rate < junkRate*nearEnough {
		budget += " (the load generator reached less)"
	}
	r := &j.bench.report
	r.add("2", fmt.Sprintf("good requests under %s junk requests/s", count(int(rate))), j.storm.figure(), budget,
		judge(j.storm.p99() < junkBudget && rate >= junkRate*nearEnough))
	r.note("2", "good requests without junk", j.calm.figure())
	r.note("2", fmt.Sprintf("good requests under %s forged keys/s (right checksum, so each is looked up)",
		count(int(median(j.harsh.rates)))), j.harsh.figure())
}

func (u *under) figure() string {
	return fmt.Sprintf("p99 %s (%s to %s), median %s", span(u.p99()), span(u.p99s[0]), span(u.p99s[len(u.p99s)-1]), span(median(u.medians)))
}
