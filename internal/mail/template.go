package mail

import (
	"fmt"
	"html"
	"strings"
	"time"
)

// Invite is what an invitation says.
type Invite struct {
	To        string        // address of who is invited
	SiteName  string        // name of the instance
	InvitedBy string        // name or address of who invites; may be empty
	Link      string        // where to choose a password
	ValidFor  time.Duration // how long the link works; 0 says nothing about it
}

// Invitation returns the message to a person who was added.
func Invitation(in Invite) Message {
	site, by := name(in.SiteName), name(in.InvitedBy)
	l := letter{
		subject: "You are invited to " + site,
		intro:   "You are invited to " + site + ". Choose a password to sign in with this address.",
		button:  "Choose a password",
		link:    in.Link,
		outro:   valid(in.ValidFor) + " If you did not expect this message, you need not do anything.",
	}
	if by != "" {
		l.subject = by + " invites you to " + site
		l.intro = by + " invites you to " + site + ". Choose a password to sign in with this address."
	}
	return l.to(in.To)
}

// Reset is what a message about a new password says.
type Reset struct {
	To       string        // address of who asked
	SiteName string        // name of the instance
	Link     string        // where to choose a new password
	ValidFor time.Duration // how long the link works; 0 says nothing about it
}

// PasswordReset returns the message to a person who forgot the password.
func PasswordReset(in Reset) Message {
	site := name(in.SiteName)
	return letter{
		subject: "A new password for " + site,
		intro:   "Somebody, we hope you, asked for a new password for this address on " + site + ".",
		button:  "Choose a new password",
		link:    in.Link,
		outro:   valid(in.ValidFor) + " If it was not you, you need not do anything: your password stays as it is.",
	}.to(in.To)
}

// letter is a message of one purpose: a sentence, a link and a closing.
type letter struct{ subject, intro, button, link, outro string }

func (l letter) to(address string) Message {
	link := oneLine(l.link)
	return Message{
		To:      address,
		Subject: l.subject,
		Text:    fmt.Sprintf("Hello,\n\n%s\n\n%s:\n%s\n\n%s\n", l.intro, l.button, link, l.outro),
		HTML: fmt.Sprintf(page, html.EscapeString(l.subject), html.EscapeString(l.intro),
			html.EscapeString(link), html.EscapeString(l.button), html.EscapeString(link), html.EscapeString(l.outro)),
	}
}

// page takes title, intro, link, button, link, outro; all escaped.
const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>%s</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 34em; margin: 2em auto; padding: 0 1em;">
<p>Hello,</p>
<p>%s</p>
<p><a href="%s"><strong>%s</strong></a></p>
<p>If the link does not open, copy this address into your browser:<br>%s</p>
<p>%s</p>
</body>
</html>
`

// maxName keeps a name in a message from being a message of its own.
const maxName = 100

func name(s string) string {
	r := []rune(oneLine(s))
	if len(r) > maxName {
		return strings.TrimSpace(string(r[:maxName])) + "…"
	}
	return string(r)
}

func valid(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return "The link works once."
	case d >= 2*day && d%day == 0:
		return fmt.Sprintf("The link works once, within %d days.", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("The link works once, within %d hours.", d/time.Hour)
	}
	return fmt.Sprintf("The link works once, within %d minutes.", d/time.Minute)
}
