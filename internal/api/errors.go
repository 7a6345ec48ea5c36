package api

import (
	"errors"
	"fmt"
	"maps"
	"net/http"

	"latchkey/internal/access"
	"latchkey/internal/endpoint"
	"latchkey/internal/fault"
)

// Generic texts (contract/identity.md 0.4).
const (
	textInvalid         = "Invalid Request."
	textUnauthenticated = "Unauthenticated"
	textTooMany         = "Too many requests."
	textForbidden       = "You don't have permissions to do that."
	textNotFound        = "Not found."
	textUnknownRoute    = "API endpoint does not exist."
	textStale           = "Looks like someone else edited the permissions and your data is out of date. Please fetch new data and try again."
	textInternal        = "Internal server error."
	textInitializing    = "Metabase is still initializing. Please sit tight..."
	textUnavailable     = "The server cannot answer right now. Please try again."
	textMalformed       = "Malformed JSON in request body."
	textCrossOrigin     = "This request came from another site and was refused."
)

// statusPremium is the code word of 402 answers.
const statusPremium = "error-premium-feature-not-available"

// unknownRouteError is the answer to a path or method that no endpoint has.
type unknownRouteError struct{}

// Error implements error.
func (*unknownRouteError) Error() string { return textUnknownRoute }

// answer is an error with a say in the form of its answer.
type answer struct {
	err    error
	status int  // 0: by the kind of the fault
	long   bool // the long JSON form of contract/identity.md 0.3
	data   map[string]any
}

// Error implements error.
func (e *answer) Error() string { return e.err.Error() }

// Unwrap returns the fault.
func (e *answer) Unwrap() error { return e.err }

// Status makes err answer with a status other than its kind's, such as a
// throttled login (401 instead of 400) or a taken name (400 instead of 409).
// nil stays nil.
func Status(status int, err error) error {
	if err == nil {
		return nil
	}
	return &answer{err: err, status: status}
}

// Long makes err answer in the long JSON form, with a status and with data,
// which may be nil, at the top level and under "data". nil stays nil.
func Long(status int, err error, data map[string]any) error {
	if err == nil {
		return nil
	}
	return &answer{err: err, status: status, long: true, data: data}
}

// Paid is the answer for a feature that Metabase sells and we do not give yet.
// feature is its display name at the beginning of a sentence.
func Paid(feature string) error {
	return fault.New(fault.Paid, "%s is a paid feature not currently available to your instance. Please upgrade to use it. Learn more at metabase.com/upgrade/", feature)
}

// reply is an answer to an error: text, or JSON when there is any.
type reply struct {
	status int
	text   string
	json   any
}

// replyTo is the one place that turns an error into a status and a body.
func replyTo(err error, id string) reply {
	if e, ok := errors.AsType[*endpoint.ValidationError](err); ok {
		return reply{status: http.StatusBadRequest, json: validationBody(e)}
	}
	if e, ok := errors.AsType[*endpoint.PagingError](err); ok {
		return longReply(http.StatusBadRequest, "Error parsing paging parameters: "+e.Error(), nil)
	}
	if _, ok := errors.AsType[*endpoint.MalformedBodyError](err); ok {
		return reply{status: http.StatusBadRequest, text: textMalformed}
	}
	if e, ok := errors.AsType[*endpoint.BodySizeError](err); ok {
		return reply{status: http.StatusRequestEntityTooLarge,
			text: fmt.Sprintf("Request body exceeds the maximum size of %d bytes.", e.Limit)}
	}
	if e, ok := errors.AsType[*failedQueryError](err); ok {
		return reply{status: e.status(), json: e.body()}
	}
	if _, ok := errors.AsType[*unknownRouteError](err); ok {
		return reply{status: http.StatusNotFound, json: textUnknownRoute}
	}
	return faultReply(err, id)
}

func faultReply(err error, id string) reply {
	f := fault.As(err)
	status, text := plainAnswer(f)
	form, ok := errors.AsType[*answer](err)
	if !ok {
		form = &answer{}
	}
	if form.status != 0 {
		status = form.status
	}
	switch {
	case f.Kind == fault.Internal:
		return internalReply(status, text, id)
	case f.Kind == fault.Paid && form.status == 0:
		return longReply(status, text, map[string]any{"status": statusPremium})
	case form.long:
		return longReply(status, orElse(f.Message, text), form.data)
	case len(f.Fields) > 0:
		return reply{status: status, json: map[string]any{"errors": f.Fields}}
	}
	return reply{status: status, text: text}
}

// plainAnswer is the status of a fault's kind, and its text. Kinds that must
// look alike whatever the reason have one text.
func plainAnswer(f *fault.Error) (status int, text string) {
	switch f.Kind {
	case fault.Invalid:
		return http.StatusBadRequest, orElse(f.Message, textInvalid)
	case fault.TooMany:
		if overLimit(f) {
			return http.StatusTooManyRequests, orElse(f.Message, textTooMany)
		}
		return http.StatusBadRequest, orElse(f.Message, textInvalid)
	case fault.NotFound:
		return http.StatusNotFound, textNotFound
	case fault.Forbidden:
		if f.Code != "" { // which key may do what is told in a header
			return http.StatusForbidden, textForbidden
		}
		return http.StatusForbidden, orElse(f.Message, textForbidden)
	case fault.Unauthenticated:
		return http.StatusUnauthorized, textUnauthenticated
	case fault.Conflict:
		if len(f.Fields) > 0 {
			return http.StatusBadRequest, ""
		}
		return http.StatusConflict, orElse(f.Message, textStale)
	case fault.Unavailable:
		return http.StatusServiceUnavailable, orElse(f.Message, textUnavailable)
	case fault.Paid:
		return http.StatusPaymentRequired, f.Message
	}
	return http.StatusInternalServerError, orElse(f.Message, textInternal)
}

// overLimit reports whether a key was used more often than it may be. Other
// throttles answer as Metabase does.
func overLimit(f *fault.Error) bool {
	return f.Code == access.CodeRateLimit || f.Code == access.CodeQuota
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// longReply is the long JSON form. There is never a trace or a real cause in it.
func longReply(status int, message string, data map[string]any) reply {
	inner := map[string]any{"status-code": status}
	body := map[string]any{"message": message, "cause": message, "via": []any{}, "trace": []any{}, "data": inner}
	maps.Copy(inner, data)
	maps.Copy(body, data)
	return reply{status: status, json: body}
}

// internalReply bears the id under which the log has the cause.
func internalReply(status int, message, id string) reply {
	r := longReply(status, message, nil)
	if body, ok := r.json.(map[string]any); ok {
		body["id"] = id
	}
	return r
}

// fail answers an error. Nothing of the answer has been written before.
func (a *API) fail(x *exchange, err error) {
	r := replyTo(err, x.call.RequestID)
	giveReason(&x.call, r.status, err)
	if r.status >= http.StatusInternalServerError {
		x.call.LogFailure(a.deps.Log, err)
	}
	if r.json != nil {
		if err := endpoint.WriteJSON(x, r.status, r.json); err == nil {
			return
		}
	}
	writeText(x, r.status, r.text)
}

// codeForbidden is the reason of a refusal that has no code of its own.
const codeForbidden = "forbidden"

// giveReason adds the reason to a refusal of a key, and keeps it for Observe.
func giveReason(c *endpoint.Call, status int, err error) {
	if !c.Who.IsKey() || status != http.StatusForbidden && status != http.StatusTooManyRequests {
		return
	}
	f := fault.As(err)
	if cause, ok := errors.AsType[*fault.Error](f.Err); ok && cause.Code == access.CodeResource {
		f = cause // what the key is bound to is why it may not save a question
	}
	if c.Refused == nil {
		c.Refused = &access.Refusal{Code: orElse(f.Code, codeForbidden), Message: f.Message}
	}
	c.Header.Set(endpoint.ReasonHeader, c.Refused.Code)
}

// writeText answers with a plain text.
func writeText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain;charset=utf-8")
	h.Del("Content-Length")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a client that went away is nobody's error
}
