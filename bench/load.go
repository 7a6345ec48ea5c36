package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// conn is one HTTP/1.1 connection that sends ready bytes and reads answers
// without making objects of them, so that the load generator costs little on
// a machine that it shares with the server.
type conn struct {
	net.Conn
	r *bufio.Reader
}

// patience is how long one answer may take.
const patience = 30 * time.Second

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// request returns a GET request as bytes.
func request(path string, headers map[string]string) []byte {
	b := []byte("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n")
	for name, value := range headers {
		b = append(b, name+": "+value+"\r\n"...)
	}
	return append(b, "\r\n"...)
}

// keyed returns a GET request with a key.
func keyed(path, key string) []byte { return request(path, map[string]string{"X-API-Key": key}) }

// ask sends one request and reads its answer.
func (c *conn) ask(req []byte) (status, length int, err error) {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, 0, err
	}
	if _, err := c.Write(req); err != nil {
		return 0, 0, err
	}
	return c.answer()
}

// answer reads one answer: its status and the length of its body, which it
// skips. It knows only bodies with Content-Length.
func (c *conn) answer() (status, length int, err error) {
	first, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(first) < 13 {
		return 0, 0, fmt.Errorf("not an answer: %q", first)
	}
	if status, err = strconv.Atoi(string(first[9:12])); err != nil {
		return 0, 0, fmt.Errorf("not an answer: %q", first)
	}
	for {
		h, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		if len(h) <= 2 {
			break
		}
		const name = "Content-Length: "
		if len(h) > len(name) && h[0] == 'C' && string(h[:len(name)]) == name {
			if length, err = strconv.Atoi(string(h[len(name) : len(h)-2])); err != nil {
				return 0, 0, err
			}
		}
	}
	_, err = c.r.Discard(length)
	return status, length, err
}

// load is a number of connections that each send some requests at once, wait
// for all answers and begin again.
type load struct {
	addr  string
	conns int
	depth int      // requests at once on one connection
	reqs  [][]byte // taken in turn
	want  int      // the status that every answer must have
}

// run keeps up the load for a time, and returns the answers per second.
func (l load) run(ctx context.Context, d time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	totals, errs := make([]int, l.conns), make([]error, l.conns)
	began := time.Now()
	var all sync.WaitGroup
	for i := range l.conns {
		all.Go(func() { totals[i], errs[i] = l.one(ctx, i) })
	}
	all.Wait()
	elapsed := time.Since(began)
	sum := 0
	for i, n := range totals {
		if errs[i] != nil {
			return 0, errs[i]
		}
		sum += n
	}
	return float64(sum) / elapsed.Seconds(), nil
}

// one is one connection of the load. Its requests start at another place of
// the list than those of its neighbours.
func (l load) one(ctx context.Context, i int) (n int, err error) {
	c, err := dial(l.addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	own := slices.Concat(l.reqs[i*len(l.reqs)/l.conns:], l.reqs[:i*len(l.reqs)/l.conns])
	var batch []byte
	for next := 0; ctx.Err() == nil; n += l.depth {
		batch = batch[:0]
		for range l.depth {
			batch = append(batch, own[next]...)
			next = (next + 1) % len(own)
		}
		if err := c.send(batch, l.depth, l.want); err != nil {
			return n, err
		}
	}
	return n, nil
}

// send writes n requests at once and reads their answers, which must all have
// one status.
func (c *conn) send(batch []byte, n, want int) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write(batch); err != nil {
		return err
	}
	for range n {
		status, _, err := c.answer()
		if err != nil {
			return err
		}
		if status != want {
			return fmt.Errorf("status %d, want %d", status, want)
		}
	}
	return nil
}

// latencies asks one request after the other on one connection, at most so
// many a second, and returns how long each took.
func latencies(ctx context.Context, addr string, reqs [][]byte, perSecond int, d time.Duration, want int) ([]time.Duration, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	var out []time.Duration
	gap := time.Second / time.Duration(perSecond)
	end := time.Now().Add(d)
	for i := 0; time.Now().Before(end) && ctx.Err() == nil; i++ {
		began := time.Now()
		status, _, err := c.ask(reqs[i%len(reqs)])
		took := time.Since(began)
		if err != nil {
			return nil, err
		}
		if status != want {
			return nil, fmt.Errorf("status %d, want %d", status, want)
		}
		out = append(out, took)
		time.Sleep(gap - took)
	}
	return out, nil
}
