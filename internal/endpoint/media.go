package endpoint

import (
	"bytes"
	"fmt"
	"slices"
)

// MediaLines is the media type of JSON lines: one value on each line.
const MediaLines = "application/x-ndjson"

// Takes names media types of bodies that the route takes as they are, beside
// JSON when its input has a body. The handler finds the bytes in Call.Raw.
func (e Endpoint) Takes(media ...string) Endpoint {
	e.media = append(slices.Clip(e.media), media...)
	return e
}

// Lines lets a body come as JSON lines too: each is an item of the list that
// the field of the input is.
func (e Endpoint) Lines(field string) Endpoint {
	e.lines = field
	return e
}

// Bulky reports whether the route takes many things at once, in other forms
// than a JSON value. A dialect may let its bodies be larger.
func (e Endpoint) Bulky() bool { return e.lines != "" || len(e.media) > 0 }

// Media returns the media types of the bodies that the route takes.
func (rt *Route) Media() []string {
	var all []string
	if rt.input.takesBody() || !rt.Bulky() {
		all = append(all, "application/json")
	}
	if rt.lines != "" {
		all = append(all, MediaLines)
	}
	return append(all, rt.media...)
}

// Raw returns a body that came in one of the media types that the route takes
// as they are, nil for any other.
func (c *Call) Raw() []byte { return c.body.raw }

// takes reports whether the route of the call takes bodies of the type as they are.
func (c *Call) takes(media string) bool {
	return c.route != nil && slices.Contains(c.route.media, media)
}

// readRaw keeps a body as it is.
func (c *Call) readRaw(limit int64) error {
	raw, err := c.readAll(limit)
	c.body.raw = raw
	return err
}

// readLines reads JSON lines into the list that the route names. Blank lines
// are nothing.
func (c *Call) readLines(limit int64) error {
	raw, err := c.readAll(limit)
	if err != nil {
		return err
	}
	if lines := int64(bytes.Count(raw, []byte("\n"))); unpacked(raw)+lines*valueBytes > limit {
		return &BodySizeError{Limit: limit}
	}
	list, number := []any{}, 0
	for line := range bytes.Lines(raw) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		v, err := parseJSON(line)
		if err != nil {
			return &MalformedBodyError{Line: number}
		}
		list = append(list, v)
	}
	c.body.object = map[string]any{c.route.lines: list}
	return nil
}

// checkLines makes sure that lines go into a list.
func (in *input) checkLines(field string) error {
	if field == "" {
		return nil
	}
	f := fieldOf(in.body, field)
	if f == nil || f.Type.Rule != RuleList {
		return fmt.Errorf("lines go into %q, which is no list of the input", field)
	}
	return nil
}
