package mail

import (
	"crypto/rand"
	"errors"
	netmail "net/mail"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"latchkey/internal/fault"
)

// compose returns a message as it goes over the wire. No text from outside can
// add a header: addresses are parsed and must be all of what was given, and
// the subject becomes one line.
func (m *Mailer) compose(msg Message) (*gomail.Msg, error) {
	if !m.Configured() {
		return nil, fault.New(fault.Unavailable, "E-mail is not configured on this instance.")
	}
	from, err := address(m.cfg.From)
	if err != nil {
		return nil, fault.Wrap(err, "sender of e-mail")
	}
	to, err := address(msg.To)
	if err != nil || to.Name != "" {
		return nil, fault.Field("email", "value must be a valid email address.")
	}
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(from)
	out.ToMailAddress(to)
	out.Subject(oneLine(msg.Subject))
	out.SetMessageIDWithValue(rand.Text() + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	out.SetBodyString(gomail.TypeTextPlain, msg.Text)
	if msg.HTML != "" {
		out.AddAlternativeString(gomail.TypeTextHTML, msg.HTML)
	}
	return out, nil
}

func address(s string) (*netmail.Address, error) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return nil, errors.New("an address must not contain control characters")
	}
	return netmail.ParseAddress(s)
}

// oneLine returns a text with every run of blanks, line ends and unprintable
// characters as one blank.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}
