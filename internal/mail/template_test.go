package mail_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/internal/mail"
)

func TestInvitation(t *testing.T) {
	m := mail.Invitation(mail.Invite{
		To: "ada@example.test", SiteName: "Acme & Sons", InvitedBy: "<b>Eve</b>",
		Link: "https://data.example.test/auth/reset_password/1_x?a=1&b=2#new", ValidFor: 48 * time.Hour,
	})
	if m.To != "ada@example.test" || m.Subject != "<b>Eve</b> invites you to Acme & Sons" {
		t.Errorf("%+v", m)
	}
	for _, want := range []string{"Acme & Sons", "\nhttps://data.example.test/auth/reset_password/1_x?a=1&b=2#new\n", "The link works once, within 2 days."} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("text lacks %q:\n%s", want, m.Text)
		}
	}
	for _, want := range []string{"Acme &amp; Sons", "&lt;b&gt;Eve&lt;/b&gt;", `<a href="https://data.example.test/auth/reset_password/1_x?a=1&amp;b=2#new">`} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("HTML lacks %q:\n%s", want, m.HTML)
		}
	}
	if strings.Contains(m.HTML, "<b>") || strings.Contains(m.HTML, "%!") {
		t.Errorf("HTML:\n%s", m.HTML)
	}
	if m := mail.Invitation(mail.Invite{SiteName: "Acme"}); m.Subject != "You are invited to Acme" {
		t.Errorf("without a name: %q", m.Subject)
	}
}

func TestPasswordReset(t *testing.T) {
	m := mail.PasswordReset(mail.Reset{To: "ada@example.test", SiteName: `"><script>`, Link: `https://a.example.test/"><script>`})
	if m.To != "ada@example.test" || m.Subject != `A new password for "><script>` {
		t.Errorf("%+v", m)
	}
	if strings.Contains(m.HTML, "<script") || !strings.Contains(m.Text, "The link works once. If it was not you") {
		t.Errorf("%s\n%s", m.Text, m.HTML)
	}
}

func TestNamesAreShortLines(t *testing.T) {
	m := mail.Invitation(mail.Invite{SiteName: "Acme", InvitedBy: "Eve\n\nGo to https://evil.example.test " + strings.Repeat("é", 500), Link: "https://a.example.test/"})
	if strings.Contains(m.Subject, "\n") || strings.Contains(m.Text, "Eve\n") || len([]rune(m.Subject)) > 130 {
		t.Errorf("%q\n%s", m.Subject, m.Text)
	}
}

func TestValidity(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "works once.", 30 * time.Minute: "within 30 minutes.", 24 * time.Hour: "within 24 hours.",
		72 * time.Hour: "within 3 days.", 50 * time.Hour: "within 50 hours.",
	} {
		if m := mail.PasswordReset(mail.Reset{ValidFor: d}); !strings.Contains(m.Text, want) {
			t.Errorf("%v: %s", d, m.Text)
		}
	}
}
