package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/fault"
	"latchkey/internal/mail"
	"latchkey/internal/secret"
)

// logText is a log that tests read.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// run queues messages, closes the mailer and returns what was logged.
func run(t *testing.T, cfg mail.Config, messages int, beforeClose func()) string {
	t.Helper()
	var log logText
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	m := mail.New(cfg)
	done := make(chan struct{})
	go func() { m.Run(t.Context()); close(done) }()
	for range messages {
		if err := m.Queue(hello()); err != nil {
			t.Fatal(err)
		}
	}
	if beforeClose != nil {
		beforeClose()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := m.Close(ctx); err != nil {
		t.Fatal(err)
	}
	<-done
	if err := m.Queue(hello()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Queue after Close: %v", err)
	}
	return log.String()
}

// until waits for a fact.
func until(t *testing.T, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !fact(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen within 10 seconds")
		}
	}
}

func TestQueueDrains(t *testing.T) {
	s := serve(t, &server{})
	if log := run(t, s.config(), 20, nil); log != "" || len(s.all()) != 20 {
		t.Errorf("%d taken, log %q", len(s.all()), log)
	}
}

func TestQueueTriesAgain(t *testing.T) {
	s := serve(t, &server{replies: map[string][]string{"RCPT": {"451 later"}, "DATA": {"452 full"}}})
	log := run(t, s.config(), 1, func() { until(t, func() bool { return len(s.all()) == 1 }) })
	if s.attempts() != 3 || strings.Contains(log, "given up") || strings.Count(log, "tried again") != 2 {
		t.Errorf("%d tries, log %q", s.attempts(), log)
	}
}

func TestQueueGivesUp(t *testing.T) {
	many := []string{"451 later", "451 later", "451 later", "451 later", "451 later"}
	cases := []struct {
		name    string
		replies map[string][]string
		tries   int
		auth    bool
	}{
		{"after the last try", map[string][]string{"MAIL": many}, 3, false},
		{"when the server refuses for good", map[string][]string{"RCPT": {"550 nobody here"}}, 1, false},
		{"when the server refuses the password", map[string][]string{"AUTH": {"535 no"}}, 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &server{replies: c.replies})
			cfg := s.config()
			if c.auth {
				cfg.User, cfg.Password = "robot", secret.New("opensesame")
			}
			var log logText
			cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
			m := mail.New(cfg)
			go m.Run(t.Context())
			if err := m.Queue(hello()); err != nil {
				t.Fatal(err)
			}
			until(t, func() bool { return strings.Contains(log.String(), "given up") })
			if err := m.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			text := log.String()
			if s.attempts() != c.tries || len(s.all()) != 0 || strings.Count(text, "given up") != 1 || !strings.Contains(text, "to=ada@example.test") {
				t.Errorf("%d tries, log %q", s.attempts(), text)
			}
			if strings.Contains(text, "opensesame") || c.auth && strings.Contains(text, "tried again") {
				t.Errorf("log %q", text)
			}
		})
	}
}

func TestCloseDoesNotWaitBetweenTries(t *testing.T) {
	s := serve(t, &server{replies: map[string][]string{"MAIL": {"451 later"}}})
	cfg := s.config()
	cfg.Waits = []time.Duration{time.Hour}
	log := run(t, cfg, 1, func() { until(t, func() bool { return s.attempts() == 1 }) })
	if !strings.Contains(log, "given up") {
		t.Errorf("log %q", log)
	}
}

func TestQueueIsBounded(t *testing.T) {
	m := mail.New(serve(t, &server{}).config())
	var err error
	n := 0
	for ; err == nil && n < 10_000; n++ {
		err = m.Queue(hello())
	}
	if !fault.Is(err, fault.Unavailable) || fault.As(err).Message != "Too many messages wait to be sent. Try again later." {
		t.Errorf("after %d messages: %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close with a full queue and no time: %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := serve(t, &server{})
	var log logText
	cfg := s.config()
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	m := mail.New(cfg)
	for range 3 {
		if err := m.Queue(hello()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.Run(ctx)
	if err := m.Close(t.Context()); err != nil || len(s.all()) != 0 || strings.Count(log.String(), "given up") != 3 {
		t.Errorf("%v, %d taken, log %q", err, len(s.all()), log.String())
	}
}

func TestPasswordIsNeverPrinted(t *testing.T) {
	cfg := mail.Config{Host: "h", User: "u", Password: secret.New("opensesame")}
	if text := fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg); strings.Contains(text, "opensesame") {
		t.Error(text)
	}
}
