package secrets_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// mailServer takes mail and keeps it. It refuses the password once told so.
type mailServer struct {
	port   int
	refuse chan bool
	taken  chan string
}

func startMail(t *testing.T) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP address")
	}
	m := &mailServer{port: addr.Port, refuse: make(chan bool, 1), taken: make(chan string, 16)}
	m.refuse <- false
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.serve(c)
		}
	}()
	return m
}

func (m *mailServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	say := func(s string) { _, _ = fmt.Fprintf(c, "%s\r\n", s) }
	in := bufio.NewScanner(c)
	say("220 mail.example.com")
	var letter strings.Builder
	inData := false
	for in.Scan() {
		line := in.Text()
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		switch {
		case inData && line == ".":
			inData = false
			m.taken <- letter.String()
			letter.Reset()
			say("250 taken")
		case inData:
			letter.WriteString(line + "\n")
		case verb == "EHLO":
			say("250-mail.example.com\r\n250 AUTH PLAIN")
		case verb == "AUTH":
			refuse := <-m.refuse
			m.refuse <- refuse
			if refuse {
				say("535 5.7.8 the password is wrong")
			} else {
				say("235 welcome")
			}
		case verb == "DATA":
			inData = true
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// letter waits for the next message and undoes its quoted-printable lines.
func (m *mailServer) letter(t *testing.T) string {
	t.Helper()
	select {
	case s := <-m.taken:
		return strings.NewReplacer("=\n", "", "=3D", "=").Replace(s)
	case <-time.After(10 * time.Second):
		t.Fatal("no mail came within 10 seconds")
		return ""
	}
}
