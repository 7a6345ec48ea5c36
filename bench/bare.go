package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// The roles in which the harness starts itself.
const (
	roleBare  = "role:bare"
	roleFlood = "role:flood"
)

// serveBare is the bare handler of row 3, in a process of its own as the
// program is: it writes the bytes that it was given, and does nothing else. It
// prints its address.
func serveBare(ctx context.Context, in io.Reader, out io.Writer) error {
	body, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	length := strconv.Itoa(len(body))
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(body)
	})}
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	go func() { <-ctx.Done(); _ = s.Close() }()
	_ = s.Serve(l)
	return nil
}

// bare starts the bare handler and returns when it listens.
func (b *bench) bare(cores, body string) (*process, error) {
	s := &process{cmd: pinned(cores, b.self, roleBare), done: make(chan struct{})}
	s.cmd.Stdin, s.cmd.Stderr = strings.NewReader(body), &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	_, err = fmt.Fscanln(out, &s.addr)
	go s.wait()
	return s, err
}
