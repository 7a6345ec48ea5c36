package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/api"
	"latchkey/internal/fault"
)

func TestFaults(t *testing.T) {
	const feature = "Sandboxing is a paid feature not currently available to your instance. Please upgrade to use it. Learn more at metabase.com/upgrade/"
	const wait = "Too many attempts! You must wait 15 seconds before trying again."
	tooMany := &fault.Error{Kind: fault.TooMany, Fields: map[string]string{"username": wait}}
	long := func(message, inner, status string) string {
		return `{"cause":"` + message + `","data":` + inner + `,"message":"` + message + `"` + status + `,"trace":[],"via":[]}`
	}
	tests := []struct {
		name   string
		err    error
		status int
		media  string
		want   string
	}{
		{"invalid", fault.New(fault.Invalid, ""), 400, textType, "Invalid Request."},
		{"invalid with a text", fault.New(fault.Invalid, "No <a>."), 400, textType, "No <a>."},
		{"field", fault.Field("name", "is <taken>"), 400, jsonType, `{"errors":{"name":"is <taken>"}}`},
		{"not found", fault.New(fault.NotFound, "no group 7"), 404, textType, "Not found."},
		{"forbidden", fault.New(fault.Forbidden, ""), 403, textType, "You don't have permissions to do that."},
		{"forbidden with a text", fault.New(fault.Forbidden, "Not now."), 403, textType, "Not now."},
		{"unauthenticated", fault.New(fault.Unauthenticated, "expired"), 401, textType, "Unauthenticated"},
		{"wrong password", &fault.Error{Kind: fault.Unauthenticated, Fields: map[string]string{"password": "did not match stored password"}},
			401, jsonType, `{"errors":{"password":"did not match stored password"}}`},
		{"conflict", fault.New(fault.Conflict, ""), 409, textType,
			"Looks like someone else edited the permissions and your data is out of date. Please fetch new data and try again."},
		{"conflict at a field", &fault.Error{Kind: fault.Conflict, Fields: map[string]string{"email": "taken"}}, 400, jsonType, `{"errors":{"email":"taken"}}`},
		{"conflict as 400", api.Status(400, fault.New(fault.Conflict, "A group with that name already exists.")), 400, textType, "A group with that name already exists."},
		{"too many", tooMany, 400, jsonType, `{"errors":{"username":"` + wait + `"}}`},
		{"too many as 401", api.Status(401, tooMany), 401, jsonType, `{"errors":{"username":"` + wait + `"}}`},
		{"unavailable", fault.New(fault.Unavailable, ""), 503, textType, "The server cannot answer right now. Please try again."},
		{"paid", api.Paid("Sandboxing"), 402, jsonType,
			long(feature, `{"status":"error-premium-feature-not-available","status-code":402}`, `,"status":"error-premium-feature-not-available"`)},
		{"paid as text", api.Status(402, fault.New(fault.Paid, "Only with a token.")), 402, textType, "Only with a token."},
		{"long", api.Long(400, fault.New(fault.Invalid, "Not able to reactivate an active user"), nil), 400, jsonType,
			long("Not able to reactivate an active user", `{"status-code":400}`, "")},
		{"long with data", api.Long(404, fault.New(fault.NotFound, "The object has been archived."), map[string]any{"error_code": "archived"}), 404, jsonType,
			`{"cause":"The object has been archived.","data":{"error_code":"archived","status-code":404},"error_code":"archived","message":"The object has been archived.","trace":[],"via":[]}`},
		{"wrapped", errors.Join(fault.New(fault.NotFound, "")), 404, textType, "Not found."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.fail = tt.err
			rec := w.call("GET", "/api/fake/fail", "", "X-API-Key", memberKey)
			if rec.Code != tt.status || rec.Body.String() != tt.want || rec.Header().Get("Content-Type") != tt.media {
				t.Errorf("got %d %q\n%s\nwant\n%s", rec.Code, rec.Header().Get("Content-Type"), rec.Body, tt.want)
			}
			if rec.Header().Get("Retry-After") != "" {
				t.Error("Retry-After is there")
			}
		})
	}
}

func TestNilStaysNil(t *testing.T) {
	if api.Status(400, nil) != nil || api.Long(400, nil, nil) != nil {
		t.Error("nil became an error")
	}
}

func TestInternalErrorsShowAnIDAndNoCause(t *testing.T) {
	for _, tt := range []struct{ name, target, message string }{
		{"error", "/api/fake/fail", "Internal server error."},
		{"panic", "/api/fake/panic", "Internal server error."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.fail = fault.Wrap(errors.New("secret cause"), "reading")
			rec := w.call("GET", tt.target, "", "X-API-Key", memberKey)
			id := rec.Header().Get("X-Request-Id")
			want := `{"cause":"Internal server error.","data":{"status-code":500},"id":"` + id + `","message":"Internal server error.","trace":[],"via":[]}`
			if rec.Code != 500 || rec.Body.String() != want || id == "" {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
			log := w.log.String()
			if !strings.Contains(log, id) || !strings.Contains(log, "secret cause") || !strings.Contains(log, `route="GET `+tt.target+`"`) {
				t.Errorf("log: %s", log)
			}
			if strings.Contains(log, memberKey) {
				t.Error("the key is in the log")
			}
		})
	}
	w := newWorld(t)
	w.fail = &fault.Error{Kind: fault.Internal, Message: "could not generate key with unique prefix"}
	if rec := w.call("GET", "/api/fake/fail", "", "X-API-Key", memberKey); !strings.Contains(rec.Body.String(), `"message":"could not generate key with unique prefix"`) {
		t.Errorf("got %s", rec.Body)
	}
}

func TestFailingAuthentication(t *testing.T) {
	tests := []struct {
		err    error
		status int
		level  string
	}{
		{&fault.Error{Kind: fault.Unavailable, Err: errors.New("database away")}, 503, "WARN"},
		{errors.New("bug"), 500, "ERROR"},
		{fault.New(fault.Unavailable, "draining"), 503, "DEBUG"},
	}
	for _, tt := range tests {
		w := newWorld(t)
		w.authErr = tt.err
		if rec := w.call("GET", "/api/fake/open", "", "X-API-Key", adminKey); rec.Code != tt.status || !strings.Contains(w.log.String(), "level="+tt.level) {
			t.Errorf("%v: got %d, log %s", tt.err, rec.Code, w.log.String())
		}
	}
}

func TestPanicInTheMiddleBreaksTheConnection(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		w := newWorld(t)
		func() {
			defer func() {
				if e, ok := recover().(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
					t.Errorf("%s: recovered %v", encoding, e)
				}
			}()
			w.call("GET", "/api/fake/broken", "", "X-API-Key", memberKey, "Accept-Encoding", encoding)
		}()
		if !strings.Contains(w.log.String(), "in the middle") {
			t.Errorf("%s: not in the log", encoding)
		}
	}
}

func TestALeavingClientIsNoError(t *testing.T) {
	w := newWorld(t)
	w.fail = context.Canceled
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest("GET", "/api/fake/fail", nil).WithContext(ctx)
	r.Header.Set("X-API-Key", memberKey)
	w.api.ServeHTTP(httptest.NewRecorder(), r)
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("log: %s", w.log.String())
	}
}
