package mail

import (
	"context"
	"log/slog"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"latchkey/internal/fault"
)

const (
	queueSize = 256
	senders   = 2 // messages sent at once
)

// queue holds the messages that wait. Whoever puts one in counts it in
// pending; whoever is done with it takes it off.
type queue struct {
	mu       sync.Mutex
	closed   bool
	closing  chan struct{} // closed with closed: no more waiting between tries
	messages chan job
	pending  *sync.WaitGroup
}

type job struct {
	msg     *gomail.Msg
	to      string
	subject string
}

func newQueue() queue {
	return queue{closing: make(chan struct{}), messages: make(chan job, queueSize), pending: new(sync.WaitGroup)}
}

// Queue takes a message to be sent in the background by Run. It returns an
// Invalid fault at the field "email" for an address that is none, and an
// Unavailable fault when no mail server is configured, too many messages wait,
// or the mailer is closed.
func (m *Mailer) Queue(msg Message) error {
	out, err := m.compose(msg)
	if err != nil {
		return err
	}
	m.queue.mu.Lock()
	defer m.queue.mu.Unlock()
	if m.queue.closed {
		return fault.New(fault.Unavailable, "The server is stopping and sends no more e-mail.")
	}
	m.queue.pending.Add(1)
	select {
	case m.queue.messages <- job{out, msg.To, oneLine(msg.Subject)}:
		return nil
	default:
		m.queue.pending.Done()
		m.cfg.Log.Error("e-mail was not queued: too many messages wait", slog.String("to", msg.To), slog.Int("waiting", queueSize))
		return fault.New(fault.Unavailable, "Too many messages wait to be sent. Try again later.")
	}
}

// Run sends the queued messages until the mailer is closed and the queue is
// empty, or until ctx ends; what is left then is logged.
func (m *Mailer) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range senders {
		all.Go(func() { m.send(ctx) })
	}
	all.Wait()
}

// Close takes no more messages and waits until those in the queue were tried
// once more, or until ctx ends, whose error it returns then.
func (m *Mailer) Close(ctx context.Context) error {
	m.queue.mu.Lock()
	if !m.queue.closed {
		m.queue.closed = true
		close(m.queue.closing)
		close(m.queue.messages)
	}
	m.queue.mu.Unlock()
	done := make(chan struct{})
	go func() {
		m.queue.pending.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send works until the queue is closed and empty, or ctx ends.
func (m *Mailer) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			m.abandon()
			return
		case j, ok := <-m.queue.messages:
			if !ok {
				return
			}
			m.try(ctx, j)
			m.queue.pending.Done()
		}
	}
}

// abandon empties the queue.
func (m *Mailer) abandon() {
	for {
		select {
		case j, ok := <-m.queue.messages:
			if !ok {
				return
			}
			m.giveUp(j, 0, context.Canceled)
			m.queue.pending.Done()
		default:
			return
		}
	}
}

// try sends a message, again after each wait.
func (m *Mailer) try(ctx context.Context, j job) {
	for tries := 1; ; tries++ {
		err := m.deliver(ctx, j.msg)
		if err == nil {
			return
		}
		if forGood(err) || tries > len(m.cfg.Waits) || !m.rest(ctx, m.cfg.Waits[tries-1]) {
			m.giveUp(j, tries, err)
			return
		}
		m.cfg.Log.Warn("e-mail was not taken yet; it is tried again", slog.String("to", j.to), slog.Int("tries", tries), slog.Any("error", err))
	}
}

// rest waits, and reports whether the mailer is still to go on afterwards.
func (m *Mailer) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-m.queue.closing:
	}
	return false
}

func (m *Mailer) giveUp(j job, tries int, err error) {
	m.cfg.Log.Error("e-mail was not sent and is given up", slog.String("to", j.to), slog.String("subject", j.subject),
		slog.Int("tries", tries), slog.Any("error", err))
}
