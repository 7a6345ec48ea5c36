package web

import "net/http"

// message is a text that the next page shows once, after a change. The cookie
// carries only its code, so that nothing a person typed travels in it.
type message string

// The messages.
const (
	saidKeySaved          message = "key-saved"
	saidKeyDeleted        message = "key-deleted"
	saidKeyDisabled       message = "key-disabled"
	saidKeyEnabled        message = "key-enabled"
	saidKeyRestricted     message = "key-restricted"
	saidSecretRetired     message = "secret-retired"
	saidTrialStarted      message = "trial-started"
	saidTrialEnded        message = "trial-ended"
	saidPersonSaved       message = "person-saved"
	saidPersonInvited     message = "person-invited"
	saidPersonDeactivated message = "person-deactivated"
	saidPersonReactivated message = "person-reactivated"
	saidResetSent         message = "reset-sent"
	saidGroupCreated      message = "group-created"
	saidGroupRenamed      message = "group-renamed"
	saidGroupDeleted      message = "group-deleted"
	saidMemberAdded       message = "member-added"
	saidMemberRemoved     message = "member-removed"
	saidSettingsSaved     message = "settings-saved"
	saidProfileSaved      message = "profile-saved"
	saidPasswordChanged   message = "password-changed"
	saidSessionEnded      message = "session-ended"
	saidSessionsEnded     message = "sessions-ended"
	saidSignedOut         message = "signed-out"
	saidPolicySet         message = "policy-set"
	saidPolicyRemoved     message = "policy-removed"
	saidOwnKeyEnded       message = "own-key-ended"
	saidCollectionCreated message = "collection-created"
	saidCollectionSaved   message = "collection-saved"
	saidMoved             message = "moved"
	saidArchived          message = "archived"
	saidRestored          message = "restored"
	saidDeleted           message = "deleted"
	saidPermissionsSaved  message = "permissions-saved"
	saidReverted          message = "reverted"
	saidNoRevision        message = "no-revision"
	saidNothingChosen     message = "nothing-chosen"
)

// texts returns what each message says.
func texts() map[message]string {
	return map[message]string{
		saidKeySaved:          "The API key was saved.",
		saidKeyDeleted:        "The API key was deleted. It stopped working at once.",
		saidKeyDisabled:       "The API key was disabled. It is refused from now on.",
		saidKeyEnabled:        "The API key works again.",
		saidKeyRestricted:     "The restriction is in force.",
		saidSecretRetired:     "The secret was retired. It stopped working at once.",
		saidTrialStarted:      "The restriction is on trial. It refuses nothing yet; this page shows what it would have refused.",
		saidTrialEnded:        "The trial has ended. The key may do what it could before.",
		saidPersonSaved:       "The changes were saved.",
		saidPersonInvited:     "The invitation is on its way.",
		saidPersonDeactivated: "The person was deactivated and signed out everywhere.",
		saidPersonReactivated: "The person can sign in again.",
		saidResetSent:         "A link to set a new password is on its way.",
		saidGroupCreated:      "The group was created. Now add people to it, or API keys.",
		saidGroupRenamed:      "The group was renamed.",
		saidGroupDeleted:      "The group was deleted.",
		saidMemberAdded:       "The person was added to the group.",
		saidMemberRemoved:     "The member was removed from the group.",
		saidSettingsSaved:     "The settings were saved.",
		saidProfileSaved:      "Your profile was saved.",
		saidPasswordChanged:   "Your password was changed. All your other sessions have ended.",
		saidSessionEnded:      "The session was ended.",
		saidSessionsEnded:     "All other sessions were ended.",
		saidSignedOut:         "You are signed out.",
		saidPolicySet:         "The policy is in force.",
		saidPolicyRemoved:     "The policy was removed. Keys keep the end they have.",
		saidOwnKeyEnded:       "The key was ended. It stopped working at once.",
		saidCollectionCreated: "The collection was created.",
		saidCollectionSaved:   "The collection was saved.",
		saidMoved:             "Moved.",
		saidArchived:          "Moved to the trash. You can restore it from there.",
		saidRestored:          "Restored.",
		saidDeleted:           "Deleted permanently.",
		saidPermissionsSaved:  "Permissions saved.",
		saidReverted:          "Reverted to the earlier version.",
		saidNoRevision:        "This version is no longer kept.",
		saidNothingChosen:     "Nothing was selected. Select what you want to change first.",
	}
}

const (
	flashCookie  = "latchkey.flash"
	flashSeconds = 60
)

// setFlash makes the next page show a message.
func (p *page) setFlash(m message) {
	http.SetCookie(p.w, &http.Cookie{
		Name: flashCookie, Value: string(m), Path: "/", MaxAge: flashSeconds,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.site.TLS(p.r),
	})
}

// takeFlash returns the message for this page, if any, and forgets it.
func (p *page) takeFlash() string {
	c, err := p.r.Cookie(flashCookie)
	if err != nil || p.r.Header.Get("HX-Request") != "" {
		return ""
	}
	http.SetCookie(p.w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.site.TLS(p.r)})
	return texts()[message(c.Value)] // an unknown code says nothing
}
