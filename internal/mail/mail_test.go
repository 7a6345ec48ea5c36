package mail_test

import (
	"context"
	"crypto/tls"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/fault"
	"latchkey/internal/mail"
	"latchkey/internal/secret"
)

func hello() mail.Message {
	return mail.Message{To: "ada@example.test", Subject: "Grüße", Text: "Hello Ada\n.\nbye", HTML: "<p>Hello Ada</p>"}
}

func TestSend(t *testing.T) {
	s := serve(t, &server{})
	if err := mail.New(s.config()).Send(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	got := s.all()
	if len(got) != 1 || !strings.HasPrefix(got[0].from, "FROM:<latchkey@example.test>") || !strings.HasPrefix(got[0].to, "TO:<ada@example.test>") {
		t.Fatalf("taken: %+v", got)
	}
	m := got[0].parse(t)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if subject != "Grüße" || err != nil || m.Header.Get("From") != `"Latchkey" <latchkey@example.test>` || m.Header.Get("To") != "<ada@example.test>" {
		t.Errorf("header: %v", m.Header)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Date") == "" || !strings.HasSuffix(m.Header.Get("Message-Id"), "@example.test>") {
		t.Errorf("header: %v", m.Header)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct{ kind, body string }{{"text/plain", "Hello Ada\r\n.\r\nbye"}, {"text/html", "<p>Hello Ada</p>"}} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), want.kind) || strings.TrimSpace(string(body)) != want.body {
			t.Errorf("part %v: %q (%v)", p.Header, body, err)
		}
	}
}

func TestSecurity(t *testing.T) {
	config, roots := certificate(t)
	secured := func(t *testing.T) net.Listener {
		l, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	cases := []struct {
		name     string
		server   func(t *testing.T) *server
		security string
		trusted  bool
		ok       bool
	}{
		{"STARTTLS", func(*testing.T) *server { return &server{tls: config} }, mail.StartTLS, true, true},
		{"STARTTLS is the default", func(*testing.T) *server { return &server{tls: config} }, "", true, true},
		{"STARTTLS that the server lacks", func(*testing.T) *server { return &server{} }, mail.StartTLS, true, false},
		{"STARTTLS with an unknown certificate", func(*testing.T) *server { return &server{tls: config} }, mail.StartTLS, false, false},
		{"TLS", func(t *testing.T) *server { return &server{listener: secured(t)} }, mail.TLS, true, true},
		{"TLS with an unknown certificate", func(t *testing.T) *server { return &server{listener: secured(t)} }, mail.TLS, false, false},
		{"none", func(*testing.T) *server { return &server{tls: config} }, mail.Plain, false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.server(t))
			cfg := s.config()
			cfg.Security, cfg.User, cfg.Password = c.security, "robot", secret.New("pässword")
			if c.trusted {
				cfg.Roots = roots
			}
			err := mail.New(cfg).Send(t.Context(), hello())
			if (err == nil) != c.ok || err != nil && !fault.Is(err, fault.Unavailable) {
				t.Fatalf("got %v", err)
			}
			got := s.all()
			if c.ok && (len(got) != 1 || got[0].secure != (c.security != mail.Plain) || got[0].login != "\x00robot\x00pässword") {
				t.Errorf("taken: %+v", got)
			}
		})
	}
}

// TestPasswordStaysHome shows that a password is not sent in clear to another
// machine.
func TestPasswordStaysHome(t *testing.T) {
	s := serve(t, &server{})
	cfg := s.config()
	cfg.Host, cfg.User, cfg.Password = "0.0.0.0", "robot", secret.New("password") // a name that does not say it is this machine
	err := mail.New(cfg).Send(t.Context(), hello())
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "unencrypted connection") {
		t.Errorf("got %v", err)
	}
	if got := s.all(); len(got) != 0 {
		t.Errorf("taken: %+v", got)
	}
}

func TestWrongAddresses(t *testing.T) {
	s := serve(t, &server{})
	m := mail.New(s.config())
	for _, to := range []string{
		"", "nobody", "ada@example.test\r\nBcc: eve@example.test", "ada@example.test\nBcc: eve@example.test",
		"\"a\r\nRCPT TO:<eve@example.test>\"@example.test", "Ada <ada@example.test>", "ada@example.test, eve@example.test",
		"ada@example.test>\r\nRCPT TO:<eve@example.test", "ada@example.test\x00",
	} {
		msg := hello()
		msg.To = to
		for what, err := range map[string]error{"Send": m.Send(t.Context(), msg), "Queue": m.Queue(msg)} {
			if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Fields["email"] != "value must be a valid email address." {
				t.Errorf("%s to %q: %v", what, to, err)
			}
		}
	}
	cfg := s.config()
	cfg.From = "Latchkey\r\nBcc: eve@example.test <latchkey@example.test>"
	if err := mail.New(cfg).Send(t.Context(), hello()); !fault.Is(err, fault.Internal) {
		t.Errorf("sender with a line end: %v", err)
	}
	if got := s.all(); len(got) != 0 {
		t.Errorf("taken: %+v", got)
	}
}

func TestNamesCannotAddHeaders(t *testing.T) {
	s := serve(t, &server{})
	m := mail.New(s.config())
	evil := "Eve\r\nBcc: eve@example.test\r\n\r\nbody\u2028x\u202e\x00"
	messages := []mail.Message{
		{To: "ada@example.test", Subject: evil, Text: "t"},
		mail.Invitation(mail.Invite{To: "ada@example.test", SiteName: evil, InvitedBy: evil, Link: "https://a.example.test/\r\nX: y"}),
		mail.PasswordReset(mail.Reset{To: "ada@example.test", SiteName: evil, Link: "https://a.example.test/"}),
	}
	for _, msg := range messages {
		if err := m.Send(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	known := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	for _, got := range s.all() {
		for key := range got.parse(t).Header {
			if !slices.Contains(known, key) {
				t.Errorf("header %s in %q", key, got.data)
			}
		}
	}
	if got := s.all(); len(got) != len(messages) {
		t.Errorf("%d taken", len(got))
	}
}

func TestNotConfigured(t *testing.T) {
	for _, c := range []mail.Config{{}, {Host: "smtp.example.test"}, {From: "latchkey@example.test"}} {
		m := mail.New(c)
		if m.Configured() {
			t.Errorf("%+v counts as configured", c)
		}
		for what, err := range map[string]error{"Send": m.Send(t.Context(), hello()), "Queue": m.Queue(hello())} {
			if f := fault.As(err); f == nil || f.Kind != fault.Unavailable || f.Message != "E-mail is not configured on this instance." {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	s := serve(t, &server{hold: make(chan struct{})})
	defer close(s.hold)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := mail.New(s.config()).Send(ctx, hello()); err == nil || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// TestTakenOnce shows that trouble after the message was taken is no failure,
// which would send it twice.
func TestTakenOnce(t *testing.T) {
	for _, replies := range []map[string][]string{{"QUIT": {"421 gone"}}, {"RSET": {"421 gone"}}} {
		s := serve(t, &server{replies: replies})
		if err := mail.New(s.config()).Send(t.Context(), hello()); err != nil {
			t.Errorf("%v: %v", replies, err)
		}
		if got := s.all(); len(got) != 1 {
			t.Errorf("%d taken", len(got))
		}
	}
}
