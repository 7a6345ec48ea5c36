package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const pathGroups = "/api/permissions/group"

// listRow measures the third row: the list of groups with a key, beside a bare
// handler that writes the same bytes. With two cores or more, the server has
// one for itself and the load the other; so the load generator is not part of
// what is measured.
func listRow(ctx context.Context, b *bench) error {
	p, err := b.place(ctx, medium)
	if err != nil {
		return err
	}
	serverCores, loadCores := cores()
	ours, err := b.serve(ctx, p, serverCores)
	if err != nil {
		return err
	}
	defer func() { _ = ours.stop() }()
	body, err := get(ctx, "http://"+ours.addr+pathGroups, "X-API-Key", p.key(0))
	if err != nil {
		return err
	}
	bare, err := b.bare(serverCores, body)
	if err != nil {
		return err
	}
	defer func() { _ = bare.stop() }()
	free, err := stay(loadCores)
	if err != nil {
		return err
	}
	defer free()
	c := contest{ours: listLoad(ours.addr, p), bare: listLoad(bare.addr, p)}
	if err := c.run(ctx, b, ours, bare); err != nil {
		return err
	}
	c.report(b, len(body))
	return nil
}

func listLoad(addr string, p place) load {
	l := load{addr: addr, conns: 8, depth: 4, want: http.StatusOK}
	for i := range p.admins() {
		l.reqs = append(l.reqs, keyed(pathGroups, p.key(i)))
	}
	return l
}

// contest is the rounds of two servers, one after the other.
type contest struct {
	ours, bare       load
	rates, bareRates []float64
	ratios           []float64
	cost, bareCost   []time.Duration // processor time of a request
}

// The rounds of row 3 are short and many, so that what else happens on the
// machine meets both servers alike.
const (
	turn      = time.Second / 2
	perRound  = 4 // turns for each round that was asked for
	warmingUp = 2 * time.Second
)

func (c *contest) run(ctx context.Context, b *bench, ours, bare *process) error {
	for _, l := range []load{c.ours, c.bare} {
		if _, err := l.run(ctx, warmingUp); err != nil {
			return err
		}
	}
	for range b.rounds * perRound {
		mine, cost, err := c.ours.cost(ctx, ours)
		if err != nil {
			return err
		}
		theirs, bareCost, err := c.bare.cost(ctx, bare)
		if err != nil {
			return err
		}
		c.rates, c.cost = append(c.rates, mine), append(c.cost, cost)
		c.bareRates, c.bareCost = append(c.bareRates, theirs), append(c.bareCost, bareCost)
		c.ratios = append(c.ratios, mine/theirs)
	}
	return ctx.Err()
}

// cost runs the load for a turn and returns the answers per second and the
// processor time that the server needed for each.
func (l load) cost(ctx context.Context, s *process) (rate float64, each time.Duration, err error) {
	before, err := s.processor()
	if err != nil {
		return 0, 0, err
	}
	if rate, err = l.run(ctx, turn); err != nil {
		return 0, 0, err
	}
	after, err := s.processor()
	return rate, time.Duration(float64(after-before) / (rate * turn.Seconds())), err
}

func (c *contest) report(b *bench, size int) {
	ratio := median(c.ratios)
	b.report.add("3", fmt.Sprintf("GET %s with a key, %d groups (%s bytes), %s keys", pathGroups, groups, count(size), count(medium)),
		fmt.Sprintf("%s/s, %.2f × the bare handler (half of the turns: %.2f to %.2f)",
			count(int(median(c.rates))), ratio, quantile(c.ratios, 0.25), quantile(c.ratios, 0.75)),
		"≥ 0.6 ×", judge(ratio >= 0.6))
	b.report.note("3", "bare net/http handler, same bytes", fmt.Sprintf("%s/s", count(int(median(c.bareRates)))))
	b.report.note("3", "processor time of one request, ours and bare",
		fmt.Sprintf("%s and %s", span(median(c.cost)), span(median(c.bareCost))))
}

// get returns the body of a page, which must answer 200. Headers come in pairs.
func get(ctx context.Context, url string, headers ...string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: status %d: %.200s", url, res.StatusCode, body)
	}
	return string(body), nil
}
