package script_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/apptest"
)

// slowRequest sends a request but for the end of its body.
func slowRequest(t *testing.T, s *apptest.Server) (conn net.Conn, rest string) {
	t.Helper()
	body := `{"username":"ada@example.com","password":"wrong horse 42"}`
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	half := len(body) / 2
	_, err = fmt.Fprintf(conn, "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:half])
	if err != nil {
		t.Fatal(err)
	}
	return conn, body[half:]
}

// waitLog waits until the server has logged a text.
func waitLog(t *testing.T, s *apptest.Server, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.Log(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in the log:\n%s", text, s.Log())
		}
	}
}

func terminate(t *testing.T, s *apptest.Server) {
	t.Helper()
	// Connections are accepted in their order: once a later one has its answer,
	// the slow one is not waiting in the listener any more.
	fresh := http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := fresh.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if err := syscall.Kill(s.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitLog(t, s, "stopping")
}

func TestStopFinishesRequests(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	s.Setup()
	conn, rest := slowRequest(t, s)
	terminate(t, s)
	if c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), time.Second); err == nil {
		_ = c.Close()
		t.Error("a new connection was taken while the server stops")
	}
	if _, err := io.WriteString(conn, rest); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request under way was cut off: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s %s %v", res.Status, body, err)
	}
	if code := s.Stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Log())
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Args: []string{"--shutdown-timeout", "200ms"}})
	conn, _ := slowRequest(t, s)
	terminate(t, s)
	if code := s.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(s.Log(), "stopped with requests under way") {
		t.Errorf("the log says nothing about the request that was cut off:\n%s", s.Log())
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes came after the end", n)
	}
}
