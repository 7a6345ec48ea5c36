package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/textproto"
	"time"

	gomail "github.com/wneessen/go-mail"

	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// The ways to protect the connection to the mail server.
const (
	Plain    = "none"     // no protection; passwords are refused unless the server is this machine
	StartTLS = "starttls" // TLS from the first command on; a server without it is refused
	TLS      = "tls"      // TLS from the first byte
)

// Config says how e-mail is sent. Without a Host none is.
type Config struct {
	Host     string
	Port     int
	User     string // empty: no sign-in
	Password secret.Text
	Security string // Plain, StartTLS or TLS; anything else is StartTLS
	From     string // an address, or "Name <address>"

	Roots *x509.CertPool  // who may vouch for the mail server; nil means whom the machine trusts
	Log   *slog.Logger    // nil means no log
	Waits []time.Duration // before each new try of a queued message; nil means a few within two minutes
}

// Message is one e-mail to one person.
type Message struct {
	To      string // an address
	Subject string
	Text    string
	HTML    string // the same for programs that show HTML; may be empty
}

// Mailer sends messages. It is safe for concurrent use.
type Mailer struct {
	cfg   Config
	queue queue
}

// New returns a mailer. It connects for each message, not now.
func New(c Config) *Mailer {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Waits == nil {
		c.Waits = []time.Duration{2 * time.Second, 15 * time.Second, time.Minute}
	}
	return &Mailer{cfg: c, queue: newQueue()}
}

// Configured reports whether e-mail can be sent at all.
func (m *Mailer) Configured() bool { return m.cfg.Host != "" && m.cfg.From != "" }

// Send sends a message now and returns once the mail server has taken it. It
// returns an Invalid fault at the field "email" for an address that is none,
// and an Unavailable fault when no mail server is configured or it did not
// take the message.
func (m *Mailer) Send(ctx context.Context, msg Message) error {
	out, err := m.compose(msg)
	if err != nil {
		return err
	}
	if err := m.deliver(ctx, out); err != nil {
		return &fault.Error{Kind: fault.Unavailable, Message: "The mail server did not take the message.", Err: err}
	}
	return nil
}

// timeout is how long one message may take.
const timeout = 20 * time.Second

// deliver makes one try.
func (m *Mailer) deliver(ctx context.Context, msg *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var line net.Conn
	client, err := m.client(&line)
	if err != nil {
		return err
	}
	defer func() {
		if line != nil {
			_ = line.Close()
		}
	}()
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	hangUp := context.AfterFunc(ctx, func() { _ = line.Close() })
	defer hangUp()
	if err := client.SendWithSMTPClient(session, msg); err != nil && !msg.IsDelivered() {
		return err
	}
	_ = client.CloseWithSMTPClient(session) // the message is taken; how the server says goodbye does not matter
	return nil
}

// client returns a client that leaves its connection in line, so that it is
// closed whatever happens.
func (m *Mailer) client(line *net.Conn) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(m.cfg.Port),
		gomail.WithTimeout(timeout),
		gomail.WithoutNoop(),
		gomail.WithTLSConfig(m.tls()),
		gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := m.dial(ctx, network, address)
			*line = c
			return c, err
		}),
	}
	if m.cfg.Security == Plain || m.cfg.Security == TLS {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if m.cfg.User != "" {
		options = append(options, gomail.WithUsername(m.cfg.User), gomail.WithPassword(m.cfg.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1,
				gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(m.cfg.Host, options...)
}

func (m *Mailer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if m.cfg.Security == TLS {
		return (&tls.Dialer{Config: m.tls()}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (m *Mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.cfg.Host, RootCAs: m.cfg.Roots, MinVersion: tls.VersionTLS12}
}

// forGood reports whether a failure will not pass by waiting: the server
// refused with a reply of 500 or above.
func forGood(err error) bool {
	if e, ok := errors.AsType[*gomail.SendError](err); ok && e.ErrorCode() != 0 {
		return e.ErrorCode() >= 500
	}
	e, ok := errors.AsType[*textproto.Error](err)
	return ok && e.Code >= 500
}
