package v1

import (
	"net/http"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/endpoint/docs"
	"latchkey/internal/fault"
)

// Codes of the kernel itself.
const (
	codeInvalid      = "invalid"
	codeMalformed    = "malformed-json"
	codeTooLarge     = "body-too-large"
	codeMedia        = "unsupported-media-type"
	codeNoRoute      = "no-route"
	codeMethod       = "method-not-allowed"
	codeCrossOrigin  = "cross-origin"
	codeNotFound     = "not-found"
	codeForbidden    = "forbidden"
	codeUnknown      = "unauthenticated"
	codeConflict     = "conflict"
	codeTooMany      = "too-many"
	codeUnavailable  = "unavailable"
	codeInternal     = "internal"
	codeNotSupported = "not-supported"
)

// notSent is the status of a word that no answer bears as its code: it says in
// explanations, the log and the metrics why a key was refused, while the
// caller gets the 401 of everybody.
const notSent = 0

// code is a stable word of problems, with what it means. To add one, add a
// row; a test compares the table with the codes that the program uses and with
// docs/problems.md.
type code struct {
	word   string
	status int
	title  string // the same in every problem with the code
	do     string // what the caller can do about it
}

// codes is the one table of codes.
func codes() []code {
	return slices.Concat([]code{
		{codeInvalid, http.StatusBadRequest, "The request is not valid.", "Correct the fields that are named in errors."},
		{codeMalformed, http.StatusBadRequest, "The body is not JSON.", "Send one JSON value in UTF-8."},
		{codeUnknown, http.StatusUnauthorized, "It is not known who calls.", "Send a working key in the header X-API-Key, or sign in."},
		{codeForbidden, http.StatusForbidden, "The caller may not do this.", "Ask an administrator of the instance."},
		{codeCrossOrigin, http.StatusForbidden, "The request came from another site.", "Call from the instance's own pages, or send a key instead of a cookie."},
		{codeNotFound, http.StatusNotFound, "There is no such thing.", "Look at the ids in the path and the body."},
		{codeNoRoute, http.StatusNotFound, "There is no such route.", "Look at the list of routes in /v1/docs."},
		{codeMethod, http.StatusMethodNotAllowed, "The route does not take this method.", "Use one of the methods in the header Allow."},
		{codeConflict, http.StatusConflict, "The state of things forbids it.", "Read the current state and try again."},
		{codeTooLarge, http.StatusRequestEntityTooLarge, "The body is too large.", "Send less at once."},
		{codeMedia, http.StatusUnsupportedMediaType, "The body is not declared as JSON.", "Send the header Content-Type: application/json."},
		{codeTooMany, http.StatusTooManyRequests, "There were too many requests.", "Wait as long as the header Retry-After says."},
		{codeInternal, http.StatusInternalServerError, "The server failed.", "Try again later; if it stays, report the request_id, under which the log has the cause."},
		{codeNotSupported, http.StatusNotImplemented, "This instance cannot do this.", "Do without it."},
		{codeUnavailable, http.StatusServiceUnavailable, "The server cannot answer right now.", "Try again in a moment."},
	}, reasonCodes(), keyCodes(), contentCodes(), bulkCodes())
}

// reasonCodes say why a key was refused.
func reasonCodes() []code {
	return []code{
		{access.CodeGroup, http.StatusForbidden, "The groups of the caller do not allow it.", "Use a key of another group, or ask an administrator to change the groups."},
		{access.CodeReadOnly, http.StatusForbidden, "The key only reads.", "Use a key that may write."},
		{access.CodeScope, http.StatusForbidden, "The key lacks the scope.", "Add the scope to the key's restriction, or use another key."},
		{access.CodeRoute, http.StatusForbidden, "The key may not call the route.", "Add the route to the key's restriction, or use another key."},
		{access.CodeResource, http.StatusForbidden, "The key is bound to other resources.", "Name only resources that the key's restriction lists, or use another key."},
		{access.CodeField, http.StatusForbidden, "The key may not write the field.", "Send only fields that the key's restriction lists, or use another key."},
		{access.CodeProtectedAdmin, http.StatusForbidden, "A restricted key does not change administrators.", "Use a key without a restriction that narrows it, or sign in."},
		{access.CodeUnreadable, http.StatusForbidden, "The key's stored restriction cannot be read.", "Ask an administrator to set the restriction anew."},
		{access.CodeAddress, notSent, "The key may not be used from this address.", "Call from an address that the key's restriction lists."},
		{access.CodeHours, http.StatusForbidden, "The key may not be used at this time.", "Call at the hours that the key's restriction lists."},
		{access.CodeRateLimit, http.StatusTooManyRequests, "There were too many requests in a short time.", "Wait as long as the header Retry-After says."},
		{access.CodeQuota, http.StatusTooManyRequests, "The quota of the period is used up.", "Wait as long as the header Retry-After says."},
		{"unknown", notSent, "No key is stored under this text.", "Look at what is sent; the instance may be another."},
		{"malformed", notSent, "The text is no key.", "Look at what is sent: a key has 47 characters, or those that its configuration gave it."},
		{"key-deleted", notSent, "The key was deleted.", "Use another key."},
		{"key-expired", notSent, "The key has come to its end.", "Ask an administrator to move the end, or use another key."},
		{"key-disabled", notSent, "The key is disabled.", "Ask an administrator to enable it."},
		{"key-inactive", notSent, "The user behind the key is not active.", "Look at the person and at the groups of the key."},
		{"secret-retired", notSent, "The key was rotated, and this text of it no longer counts.", "Use the new text, or rotate again."},
	}
}

// keyCodes are about the management of keys.
func keyCodes() []code {
	return []code{
		{"name-taken", http.StatusConflict, "The name is taken.", "Choose another name."},
		{"key-taken", http.StatusConflict, "The text of the key is or was in use.", "Choose another text."},
		{"unknown-key", http.StatusNotFound, "No key has or had this text.", "Look at the text; the instance may be another."},
		{"unknown-person", http.StatusBadRequest, "There is no such active person.", "Choose a person who is active."},
		{"unknown-group", http.StatusBadRequest, "There is no such group.", "Choose a group that exists."},
		{"unknown-resource", http.StatusBadRequest, "The restriction names something that is not there.", "Name what exists."},
		{"in-the-past", http.StatusBadRequest, "The time has passed.", "Choose a time in the future."},
		{"not-a-member", http.StatusBadRequest, "A group is not one of the person's.", "Choose among the groups that the person is in."},
		{"policy-max-days", http.StatusBadRequest, "The key would live longer than the policy allows.", "Choose an earlier end, or ask an administrator to change the policy."},
		{"policy-max-overlap", http.StatusBadRequest, "The overlap would be longer than the policy allows.", "Choose an earlier end of the overlap."},
		{"last-admin", http.StatusConflict, "It would leave nobody who can administer the instance.", "Make sure that another administrator stays."},
		{"policy-self", http.StatusForbidden, "The policy does not let a key do this to itself.", "Ask an administrator to do it or to change the policy."},
		{"personal-keys-off", http.StatusForbidden, "The policy does not allow personal keys.", "Ask an administrator to allow them."},
		{"person-only", http.StatusForbidden, "This is for people who are signed in.", "Sign in; a key cannot do it."},
		{"key-only", http.StatusForbidden, "This is for keys.", "Send the request with the key in the header X-API-Key."},
		{"beyond-caller", http.StatusBadRequest, "A restricted key makes nothing that outlives it.", "Choose an end that is not later than that of the key that calls."},
		{"protected-setting", http.StatusForbidden, "A restricted key does not change what guards the instance.", "Use a key without a restriction that narrows it, or sign in."},
		{"not-your-key", http.StatusForbidden, "A personal key is rotated by its person only.", "Disable or delete the key, or ask its person."},
		{"wider-than-caller", http.StatusForbidden, "A key may not give more than it has.", "Give the other key this key's restriction or a narrower one."},
		{"trial-wider", http.StatusBadRequest, "A restriction on trial must be narrower than the one in force.", "Take away rights, add none."},
		{"no-trial", http.StatusConflict, "The key has no restriction on trial.", "Start a trial first."},
		{"rotation-under-way", http.StatusConflict, "The key is being rotated already.", "Retire the old secret first."},
	}
}

// contentCodes are about content.
func contentCodes() []code {
	return []code{
		{"archived", http.StatusNotFound, "It is in the trash.", "Restore it first."},
		{"query-permission", http.StatusForbidden, "The caller may not run the query of the question.", "Use a key or a person that may read the database."},
	}
}

// bulkCodes are about doing many things in one call.
func bulkCodes() []code {
	return []code{
		{"too-many-steps", http.StatusBadRequest, "One call does not do so much.", "Send several calls."},
		{"ref-failed", http.StatusConflict, "An earlier operation of the call made nothing.", "Look at why that one failed."},
		{"already-member", http.StatusBadRequest, "The user is in the group already.", "Nothing: it is as it was meant to be."},
		{"malformed-table", http.StatusBadRequest, "The table cannot be read.", "Send CSV in UTF-8 whose first line names the columns."},
		{"duplicate", http.StatusBadRequest, "The same stands in the call twice.", "Leave one of them out."},
		{"inactive-person", http.StatusConflict, "The person is deactivated.", "Reactivate the person first."},
		{"idempotency-key", http.StatusBadRequest, "The Idempotency-Key is no key.", "Send 1 to 255 printable ASCII characters, new for every call."},
		{"idempotency-key-reused", http.StatusConflict, "The Idempotency-Key was used for something else.", "Choose a new key for every call."},
		{"idempotency-in-progress", http.StatusConflict, "The call with this Idempotency-Key is still running.", "Wait for its end, then send it again to get its answer."},
		{"idempotency-answer-gone", http.StatusConflict, "The call was done, and its answer was not kept.", "Read what you need from the lists; do not send it again."},
		{"idempotency-full", http.StatusTooManyRequests, "Too many answers are kept for the caller.", "Wait, or call without an Idempotency-Key."},
	}
}

// fieldCode is a stable word for what is wrong with one field.
type fieldCode struct{ word, means string }

// fieldCodes are the codes in the errors of a problem.
func fieldCodes() []fieldCode {
	return []fieldCode{
		{"missing", "The field is needed and absent."},
		{"unknown", "There is no such field or parameter."},
		{"type", "The value is of the wrong kind."},
		{"length", "The text is too short or too long."},
		{"blank", "The text holds nothing but white space."},
		{"characters", "The text holds U+0000 or is not UTF-8."},
		{"refused", "The value is of the right kind, but not allowed."},
	}
}

// kindCodes are the codes of faults that have none of their own.
func kindCode(k fault.Kind) string {
	switch k {
	case fault.Invalid:
		return codeInvalid
	case fault.NotFound:
		return codeNotFound
	case fault.Forbidden:
		return codeForbidden
	case fault.Unauthenticated:
		return codeUnknown
	case fault.Conflict:
		return codeConflict
	case fault.TooMany:
		return codeTooMany
	case fault.Unavailable:
		return codeUnavailable
	case fault.Paid:
		return codeNotSupported
	}
	return codeInternal
}

// codeTable is codes by word. Nobody writes into it.
var codeTable = func() map[string]code {
	m := map[string]code{}
	for _, c := range codes() {
		m[c.word] = c
	}
	return m
}()

// codeOf returns the row of a fault: that of its code, or of its kind.
func codeOf(f *fault.Error) code {
	if c, ok := codeTable[f.Code]; ok && c.status != notSent {
		return c
	}
	c := codeTable[kindCode(f.Kind)]
	if f.Code != "" {
		c.word = f.Code
	}
	return c
}

// problems are the codes as the page shows them.
func problems() []docs.Problem {
	all := make([]docs.Problem, 0, len(codeTable))
	for _, c := range codes() {
		all = append(all, docs.Problem{Code: c.word, Status: c.status, Means: c.title, Do: c.do})
	}
	return all
}
