package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// The flood is bounded: it goes to loopback only, lasts a minute at most, and
// never exceeds its rate.
const (
	floodLongest = time.Minute
	floodFastest = 200_000 // requests a second
	floodConns   = 8
	floodBatch   = 64 // requests at once on one connection
	floodKeys    = 512
)

// flood is a stream of requests with bad keys.
type flood struct {
	addr   string
	rate   int // requests a second
	d      time.Duration
	forged bool // with a right checksum, so that the server must look them up
}

// flooded is what became of a flood.
type flooded struct {
	Answers int
	Seconds float64
}

// rate is the requests that were answered per second.
func (f flooded) rate() float64 { return float64(f.Answers) / f.Seconds }

// runFlood is the role of the process that floods. It prints one line when it
// begins, and its result as JSON.
func runFlood(ctx context.Context, args []string, out io.Writer) error {
	var f flood
	fs := flag.NewFlagSet(roleFlood, flag.ContinueOnError)
	fs.StringVar(&f.addr, "addr", "", "address of the server")
	fs.IntVar(&f.rate, "rate", 0, "requests a second")
	fs.DurationVar(&f.d, "for", 0, "how long")
	fs.BoolVar(&f.forged, "forged", false, "with a right checksum")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if !strings.HasPrefix(f.addr, "127.0.0.1:") || f.d > floodLongest || f.rate > floodFastest {
		return errors.New("a flood goes to 127.0.0.1 only, for a minute at most")
	}
	if _, err := fmt.Fprintln(out, "begin"); err != nil {
		return err
	}
	got, err := f.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(got)
}

func (f flood) run(ctx context.Context) (flooded, error) {
	var reqs [][]byte
	for i := range floodKeys {
		text := keyText("forged", os.Getpid()*floodKeys+i)
		if !f.forged {
			text = spoiled(text)
		}
		reqs = append(reqs, keyed(pathGroups, text))
	}
	ctx, cancel := context.WithTimeout(ctx, f.d)
	defer cancel()
	answers, errs := make([]int, floodConns), make([]error, floodConns)
	began := time.Now()
	var all sync.WaitGroup
	for i := range floodConns {
		all.Go(func() { answers[i], errs[i] = f.one(ctx, reqs, began) })
	}
	all.Wait()
	sum := flooded{Seconds: time.Since(began).Seconds()}
	for _, n := range answers {
		sum.Answers += n
	}
	return sum, errors.Join(errs...)
}

// one is one connection. It sends what is due by now, reads the answers, and
// waits a moment.
func (f flood) one(ctx context.Context, reqs [][]byte, began time.Time) (n int, err error) {
	c, err := dial(f.addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	var batch []byte
	for ctx.Err() == nil {
		due := int(time.Since(began).Seconds()*float64(f.rate)/floodConns) - n
		if due = min(due, floodBatch); due <= 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		batch = batch[:0]
		for i := range due {
			batch = append(batch, reqs[(n+i)%len(reqs)]...)
		}
		if err := c.send(batch, due, http.StatusUnauthorized); err != nil {
			return n, err
		}
		n += due
	}
	return n, nil
}

// flood starts a flood in a process of its own, and returns a function that
// waits for its end.
func (b *bench) flood(f flood) (wait func() (flooded, error), err error) {
	s := &process{done: make(chan struct{})}
	s.cmd = pinned("", b.self, roleFlood, "-addr", f.addr, "-rate", fmt.Sprint(f.rate), "-for", f.d.String(), fmt.Sprintf("-forged=%t", f.forged))
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscanln(out, new(string)); err != nil {
		return nil, err
	}
	return func() (got flooded, err error) {
		bad := json.NewDecoder(out).Decode(&got)
		if err := s.cmd.Wait(); err != nil || bad != nil {
			return got, fmt.Errorf("flood: %w: %s", errors.Join(err, bad), s.log.String())
		}
		return got, nil
	}, nil
}
