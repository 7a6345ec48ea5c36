package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/mail"
)

// taken is a message that the server took.
type taken struct {
	from, to string
	login    string // what AUTH PLAIN carried
	secure   bool
	data     string
}

func (m taken) parse(t *testing.T) *netmail.Message {
	t.Helper()
	p, err := netmail.ReadMessage(strings.NewReader(m.data))
	if err != nil {
		t.Fatalf("%v in %q", err, m.data)
	}
	return p
}

// server is a small mail server on loopback.
type server struct {
	t        *testing.T
	listener net.Listener
	tls      *tls.Config         // offers STARTTLS
	replies  map[string][]string // instead of the usual answers to a command, in their order
	hold     chan struct{}       // DATA is not answered before it is closed; nil for at once

	mu    sync.Mutex
	taken []taken
	tries int
	done  sync.WaitGroup
}

// serve starts a server, which ends with the test.
func serve(t *testing.T, s *server) *server {
	t.Helper()
	s.t = t
	var err error
	if s.listener == nil {
		if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	s.done.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.done.Go(func() { s.talk(c) })
		}
	})
	t.Cleanup(func() { _ = s.listener.Close(); s.done.Wait() })
	return s
}

func (s *server) config() mail.Config {
	return mail.Config{
		Host: "127.0.0.1", Port: s.listener.Addr().(*net.TCPAddr).Port, Security: mail.Plain,
		From: "Latchkey <latchkey@example.test>", Waits: []time.Duration{time.Millisecond, time.Millisecond},
	}
}

func (s *server) all() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]taken(nil), s.taken...)
}

// attempts counts the messages that were begun.
func (s *server) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// reply returns the special answer to a command, or the usual one.
func (s *server) reply(command, usual string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if command == "MAIL" {
		s.tries++
	}
	if r := s.replies[command]; len(r) > 0 {
		s.replies[command] = r[1:]
		return r[0]
	}
	return usual
}

func (s *server) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	_, secure := c.(*tls.Conn)
	m := taken{secure: secure}
	say := func(text string) { _, _ = fmt.Fprintf(c, "%s\r\n", text) }
	say("220 test")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch verb = strings.ToUpper(verb); verb {
		case "EHLO", "HELO":
			say("250-test")
			if s.tls != nil && !m.secure {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go")
			secured := tls.Server(c, s.tls)
			c, r, m.secure = secured, bufio.NewReader(secured), true
		case "AUTH":
			b, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			m.login = string(b)
			say(s.reply(verb, "235 ok"))
		case "MAIL":
			m.from = rest
			say(s.reply(verb, "250 ok"))
		case "RCPT":
			m.to = rest
			say(s.reply(verb, "250 ok"))
		case "DATA":
			if s.hold != nil {
				<-s.hold
			}
			say("354 go")
			m.data = readData(r)
			answer := s.reply(verb, "250 taken")
			if strings.HasPrefix(answer, "2") {
				s.mu.Lock()
				s.taken = append(s.taken, m)
				s.mu.Unlock()
			}
			say(answer)
		case "QUIT":
			say(s.reply(verb, "221 bye"))
			return
		default:
			say(s.reply(verb, "250 ok"))
		}
	}
}

func readData(r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String()
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// certificate returns a certificate for 127.0.0.1 and a pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
