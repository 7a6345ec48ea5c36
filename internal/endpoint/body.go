package endpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// body is what came in a request's body, decoded but not yet checked.
type body struct {
	object map[string]any
	form   bool   // object came from a form, so its values are texts
	other  any    // JSON that is no object
	raw    []byte // of a media type that the route takes as it is
}

// MalformedBodyError says that a body with a JSON content type is not JSON.
type MalformedBodyError struct {
	Line int // the line of a body of JSON lines, from 1; 0 for the whole body
}

// Error implements error.
func (e *MalformedBodyError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d of the body is not JSON", e.Line)
	}
	return "the body is not JSON"
}

// BodySizeError says that a body exceeds the limit, as it came or unpacked.
type BodySizeError struct{ Limit int64 }

// Error implements error.
func (e *BodySizeError) Error() string { return fmt.Sprintf("the body exceeds %d bytes", e.Limit) }

// ReadBody reads a JSON or form body, or bounds any other for the handler that
// reads it; multipart bodies have no limit here. It returns a *MalformedBodyError or
// a *BodySizeError, or nil.
func (c *Call) ReadBody(w http.ResponseWriter, limit int64) error {
	r := c.Request
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if strings.HasPrefix(media, "multipart/") {
		return nil
	}
	if r.ContentLength > limit {
		return &BodySizeError{Limit: limit}
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	switch {
	case c.takes(media):
		return c.readRaw(limit)
	case media == MediaLines && c.route != nil && c.route.lines != "":
		return c.readLines(limit)
	case isJSON(media):
		return c.readJSON(limit)
	case media == "application/x-www-form-urlencoded":
		return c.readForm(limit)
	}
	return nil
}

func isJSON(media string) bool {
	sub, ok := strings.CutPrefix(media, "application/")
	return ok && (sub == "json" || strings.HasSuffix(sub, "+json"))
}

func (c *Call) readAll(limit int64) ([]byte, error) {
	raw, err := io.ReadAll(c.Request.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &BodySizeError{Limit: limit}
	}
	if err != nil {
		return nil, &MalformedBodyError{} // the client broke off
	}
	if len(raw) > smallBody && unpacked(raw) > limit {
		return nil, &BodySizeError{Limit: limit}
	}
	return raw, nil
}

const (
	smallBody  = 16 << 10 // up to this size, a body is harmless whatever it holds
	valueBytes = 40       // what a value takes in memory beside its text, or more
)

// unpacked is about how many bytes a body takes in memory. Nobody may make much
// of a little: a list of zeros takes twenty times its size.
func unpacked(raw []byte) int64 {
	n := len(raw)
	for _, b := range raw {
		switch b {
		case ',', ':', '[', '{', '&':
			n += valueBytes
		}
	}
	return int64(n)
}

func (c *Call) readJSON(limit int64) error {
	raw, err := c.readAll(limit)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	return c.takeJSON(raw)
}

func (c *Call) takeJSON(raw []byte) error {
	v, err := parseJSON(raw)
	if err != nil {
		return &MalformedBodyError{}
	}
	if object, ok := v.(map[string]any); ok {
		c.body.object = object
	} else {
		c.body.other = v
	}
	return nil
}

// parseJSON reads exactly one value and keeps numbers as they are written.
// encoding/json refuses what is nested deeper than 10,000 levels.
func parseJSON(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func (c *Call) readForm(limit int64) error {
	raw, err := c.readAll(limit)
	if err != nil {
		return err
	}
	values, _ := url.ParseQuery(string(raw)) // badly encoded pairs are dropped
	c.body.object, c.body.form = fromValues(values), true
	return nil
}

// fromValues is a form or query as an object. A repeated key is a list.
func fromValues(q url.Values) map[string]any {
	m := make(map[string]any, len(q))
	for key, all := range q {
		if len(all) == 1 {
			m[key] = all[0]
			continue
		}
		list := make([]any, len(all))
		for i, s := range all {
			list[i] = s
		}
		m[key] = list
	}
	return m
}
