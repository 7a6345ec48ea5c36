package search

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	pastForm = regexp.MustCompile(`^past([1-9][0-9]{0,4})(minute|hour|day|week|month|quarter|year)s(~?)$`)
	thisForm = regexp.MustCompile(`^this(minute|hour|day|week|month|quarter|year)$`)
)

// ParseSpan reads a stretch of time as clients write it: a day, two with "~"
// between them of which one may be missing, "past7days" (without today; with
// "~" behind it today too) or "thismonth". It reports false for other texts.
func ParseSpan(text string, now time.Time) (Span, bool) {
	now = now.UTC()
	if m := pastForm.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits
		end := start(now, m[2])
		span := Span{From: add(end, m[2], -n), To: end}
		if m[3] != "" {
			span.To = add(end, m[2], 1)
		}
		return span, true
	}
	if m := thisForm.FindStringSubmatch(text); m != nil {
		from := start(now, m[1])
		return Span{From: from, To: add(from, m[1], 1)}, true
	}
	if day, isDay := alias(text, now); isDay {
		return Span{From: day, To: day.AddDate(0, 0, 1)}, true
	}
	first, last, isRange := strings.Cut(text, "~")
	if !isRange {
		last = first
	}
	var s Span
	var ok bool
	if first != "" {
		if s.From, _, ok = parseMoment(first); !ok {
			return s, false
		}
	}
	if last != "" {
		if _, s.To, ok = parseMoment(last); !ok {
			return s, false
		}
	}
	return s, first != "" || last != ""
}

func alias(text string, now time.Time) (time.Time, bool) {
	today := start(now, "day")
	switch text {
	case "today":
		return today, true
	case "yesterday":
		return today.AddDate(0, 0, -1), true
	}
	return time.Time{}, false
}

// parseMoment reads a day or a moment, and returns its first instant and the
// first behind it.
func parseMoment(text string) (from, to time.Time, ok bool) {
	for form, length := range map[string]time.Duration{
		"2006-01": 0, time.DateOnly: 24 * time.Hour, "2006-01-02T15:04": time.Minute,
		"2006-01-02T15:04:05": time.Second, time.RFC3339: time.Second,
	} {
		at, err := time.Parse(form, text)
		switch {
		case err != nil:
		case length == 0:
			return at, at.AddDate(0, 1, 0), true
		default:
			return at.UTC(), at.UTC().Add(length), true
		}
	}
	return from, to, false
}

// start returns the first instant of the unit in which t lies. Weeks begin on
// Sunday.
func start(t time.Time, unit string) time.Time {
	year, month, day := t.Date()
	switch unit {
	case "minute":
		return t.Truncate(time.Minute)
	case "hour":
		return t.Truncate(time.Hour)
	case "week":
		day -= int(t.Weekday())
	case "month":
		day = 1
	case "quarter":
		month, day = (month-1)/3*3+1, 1
	case "year":
		month, day = 1, 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// add goes n units on.
func add(t time.Time, unit string, n int) time.Time {
	switch unit {
	case "minute":
		return t.Add(time.Duration(n) * time.Minute)
	case "hour":
		return t.Add(time.Duration(n) * time.Hour)
	case "week":
		return t.AddDate(0, 0, 7*n)
	case "month":
		return t.AddDate(0, n, 0)
	case "quarter":
		return t.AddDate(0, 3*n, 0)
	case "year":
		return t.AddDate(n, 0, 0)
	}
	return t.AddDate(0, 0, n)
}
