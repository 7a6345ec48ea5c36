package web

import (
	"strings"
	"time"

	"latchkey/internal/audit"
)

// action is something that the log records, in words.
type action struct{ name, words string }

// actionArea is the actions about one kind of thing.
type actionArea struct {
	prefix  string
	label   string
	actions []action
}

// actionAreas are all actions. One that is not here is shown by its name.
var actionAreas = []actionArea{
	{"api-key.", "API keys", []action{
		{"api-key.create", "Made an API key"}, {"api-key.update", "Changed an API key"}, {"api-key.restrict", "Restricted an API key"},
		{"api-key.rotate", "Rotated an API key"}, {"api-key.regenerate", "Regenerated an API key"}, {"api-key.secret-retire", "Retired a secret"},
		{"api-key.disable", "Disabled an API key"}, {"api-key.enable", "Enabled an API key"}, {"api-key.expire", "An API key came to its end"},
		{"api-key.trial", "Put a restriction on trial"}, {"api-key.trial-end", "Ended a trial"},
		{"api-key.review", "An API key lost its owner"}, {"api-key.pass-on", "An API key went to the successor"}, {"api-key.review-end", "The owner of an API key is back"},
		{"api-key.move", "An API key lost its group"}, {"api-key.delete", "Deleted an API key"},
		{"api-key.retired-secret-used", "A retired secret was tried"}, {"api-key.refused-burst", "Many refused keys"},
	}},
	{"key-policy.", "Policies for keys", []action{{"key-policy.update", "Set a policy for keys"}, {"key-policy.delete", "Removed a policy for keys"}}},
	{"session.", "Signing in", []action{
		{"session.create", "Signed in"}, {"session.refused", "Refused sign-ins"}, {"session.end", "Ended a session"},
	}},
	{"user.", "People", []action{
		{"user.create", "Invited a person"}, {"user.update", "Changed a person"}, {"user.password", "Set a password"},
		{"user.reset-request", "Asked for a new password"}, {"user.deactivate", "Deactivated a person"}, {"user.reactivate", "Reactivated a person"},
	}},
	{"group.", "Groups", []action{{"group.create", "Made a group"}, {"group.rename", "Renamed a group"}, {"group.delete", "Deleted a group"}}},
	{"membership.", "Memberships", []action{{"membership.add", "Added to a group"}, {"membership.remove", "Removed from a group"}}},
	{"setting.", "Settings", []action{{"setting.update", "Changed a setting"}}},
	{"setup.", "Set-up", []action{{"setup.complete", "Set the instance up"}}},
	{"audit.", "The log itself", []action{{"audit.prune", "Removed old entries"}}},
}

// actionWords says what an action is.
func actionWords(name string) string {
	for _, area := range actionAreas {
		for _, a := range area.actions {
			if a.name == name {
				return a.words
			}
		}
	}
	return sentence(strings.NewReplacer(".", ": ", "-", " ").Replace(name))
}

var (
	actorKinds  = []string{"person", "api-key", "personal-key", "command-line", "anonymous", "system"}
	objectKinds = []string{"api-key", "key-policy", "user", "group", "session", "setting", "audit"}
)

// actorWord says what kind of actor it was.
func actorWord(kind string) string {
	switch kind {
	case "person":
		return "Person"
	case "api-key":
		return "API key"
	case "personal-key":
		return "Personal key"
	case "command-line":
		return "Command line"
	case "anonymous":
		return "Not signed in"
	case "system":
		return "The server itself"
	}
	return kind
}

// kindWord says what kind of object it is.
func kindWord(kind string) string {
	switch kind {
	case "api-key":
		return "API key"
	case "key-policy":
		return "Policy for keys"
	case "user":
		return "Person"
	case "group", "membership":
		return "Group"
	case "session":
		return "Session"
	case "setting":
		return "Setting"
	case "audit":
		return "Audit log"
	}
	return kind
}

// auditRow is an entry as the list shows it.
type auditRow struct {
	ID        int64
	At        time.Time
	Who       string
	WhoKind   string
	WhoTo     string // the page of who it was, "" for none
	Words     string
	Action    string
	Object    string
	Kind      string // of the object
	ObjectTo  string
	From      string
	RequestID string
	To        string // the details
}

func newAuditRow(r audit.Record) auditRow {
	row := auditRow{
		ID: r.ID, At: r.At, Who: r.Name, WhoKind: actorWord(r.Kind), Words: actionWords(r.Action), Action: r.Action,
		Object: r.ObjectName, Kind: kindWord(r.ObjectKind), ObjectTo: objectPath(r.ObjectKind, r.ObjectID, r.ObjectName),
		From: r.RemoteAddr, RequestID: r.RequestID,
	}
	switch {
	case r.KeyID != 0:
		row.WhoTo = keyPath(r.KeyID)
	case r.Kind == "person" && r.UserID != 0:
		row.WhoTo = personPath(r.UserID)
	}
	if row.Who == "" {
		row.Who = row.WhoKind
	}
	if row.Object == "" && r.ObjectID != 0 {
		row.Object = "No. " + idText(r.ObjectID)
	}
	return row
}
