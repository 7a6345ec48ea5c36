package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// build makes the binary as it is released.
func build(ctx context.Context, dir string) (string, error) {
	bin := filepath.Join(dir, "latchkey")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "latchkey/cmd/latchkey")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, out)
	}
	return bin, nil
}

// process is a program that runs beside the harness.
type process struct {
	cmd  *exec.Cmd
	addr string       // host:port it listens on
	log  bytes.Buffer // to be read when done is closed
	done chan struct{}
}

// serve starts the program on a place and waits until it is healthy.
func (b *bench) serve(ctx context.Context, p place, cores string) (*process, error) {
	s, err := b.launch(p, cores)
	if err != nil {
		return nil, err
	}
	if _, err := s.await(ctx, request("/api/health", nil)); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// launch starts the program on a place, and does not wait.
func (b *bench) launch(p place, cores string, env ...string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := pinned(cores, b.binary, "serve", "--listen", addr, "--data-dir", p.dir)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "LATCHKEY_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	s := &process{cmd: cmd, addr: addr, done: make(chan struct{})}
	cmd.Stderr = &s.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go s.wait()
	return s, nil
}

// wait notes the end of a process.
func (s *process) wait() {
	_ = s.cmd.Wait()
	close(s.done)
}

// freeAddr returns an address on loopback that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// await sends a request until it is answered 200, and returns when that was.
func (s *process) await(ctx context.Context, req []byte) (time.Time, error) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-s.done:
			return time.Time{}, fmt.Errorf("the program ended: %s", s.log.String())
		default:
		}
		c, err := dial(s.addr)
		if err != nil {
			continue
		}
		status, _, err := c.ask(req)
		now := time.Now()
		_ = c.Close()
		if err == nil && status == http.StatusOK {
			return now, nil
		}
	}
	return time.Time{}, errors.New("the program does not answer within 30 seconds")
}

// stop ends the program and waits.
func (s *process) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
		return nil
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
		return errors.New("the program did not stop within 30 seconds")
	}
}

// memory returns the resident memory of the program, in bytes.
func (s *process) memory() (int64, error) { return s.status("VmRSS:") }

// peak returns the most resident memory that the program has had.
func (s *process) peak() (int64, error) { return s.status("VmHWM:") }

func (s *process) status(name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		if kib, ok := strings.CutPrefix(l, name); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kib), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("the system does not tell the memory of a process")
}

// processor returns the processor time that the program has used.
func (s *process) processor() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(text, []byte(") "))
	fields := bytes.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("the system does not tell the processor time of a process")
	}
	user, err1 := strconv.Atoi(string(fields[11]))
	system, err2 := strconv.Atoi(string(fields[12]))
	const ticks = 100 // a second, on every Linux
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err1, err2)
}
