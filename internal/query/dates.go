package query

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dates knows the day that "today" is and the day that weeks begin with.
type dates struct {
	now       time.Time
	weekStart time.Weekday
}

// span is a stretch of time from its first moment until just before another.
// A zero time means that there is no bound.
type span struct {
	from, until time.Time
	timed       bool // the bounds are moments and not days
}

var (
	monthForm   = regexp.MustCompile(`^(\d{4})-(\d{2})$`)
	quarterForm = regexp.MustCompile(`^Q([1-4])-(\d{4})$`)
	yearForm    = regexp.MustCompile(`^(\d{4})$`)
	countForm   = regexp.MustCompile(`^(past|last|next)(\d{1,4})(minute|hour|day|week|month|quarter|year)s?(~?)(?:-from-(\d{1,4})(day|week|month|quarter|year)s?)?$`)
	unitForm    = regexp.MustCompile(`^(this|last|past|next)(day|week|month|quarter|year)$`)
)

// parse reads what a date filter may be told: a day, a month (2026-01), a
// quarter (Q1-2026), a year, a span (a~b, a~ or ~b), or one that is relative to
// today (today, past7days, thismonth, next2weeks~).
func (d dates) parse(s string) (span, bool) {
	s = strings.TrimSpace(s)
	if out, ok := d.relative(strings.ToLower(s)); ok {
		return out, true
	}
	if from, until, ok := strings.Cut(s, "~"); ok {
		return d.between(from, until)
	}
	return d.one(s)
}

func (d dates) between(from, until string) (out span, ok bool) {
	if from == "" && until == "" {
		return span{}, false
	}
	for _, side := range []struct {
		text string
		set  func(span)
	}{
		{from, func(s span) { out.from = s.from }},
		{until, func(s span) { out.until = s.until }},
	} {
		if side.text == "" {
			continue
		}
		one, ok := d.one(side.text)
		if !ok {
			return span{}, false
		}
		side.set(one)
		out.timed = out.timed || one.timed
	}
	return out, true
}

// one reads a day, a moment, a month, a quarter or a year.
func (d dates) one(s string) (span, bool) {
	if m := monthForm.FindStringSubmatch(s); m != nil {
		from, err := time.Parse("2006-01", s)
		return span{from: from, until: from.AddDate(0, 1, 0)}, err == nil
	}
	if m := quarterForm.FindStringSubmatch(s); m != nil {
		q, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		from := time.Date(y, time.Month(3*q-2), 1, 0, 0, 0, 0, time.UTC)
		return span{from: from, until: from.AddDate(0, 3, 0)}, true
	}
	if yearForm.MatchString(s) {
		y, _ := strconv.Atoi(s)
		from := time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
		return span{from: from, until: from.AddDate(1, 0, 0)}, true
	}
	at, timed, ok := parseMoment(s)
	switch {
	case !ok:
		return span{}, false
	case timed:
		return span{from: at, until: at.Add(time.Minute), timed: true}, true
	}
	return span{from: at, until: at.AddDate(0, 0, 1)}, true
}

// relative reads what is relative to today. Spans of the past end before the
// current unit, and those of the future begin after it, unless a ~ says that it
// is part of them.
func (d dates) relative(s string) (span, bool) {
	switch s {
	case "today":
		return d.unit("day", 0, 1), true
	case "yesterday":
		return d.unit("day", -1, 1), true
	case "tomorrow":
		return d.unit("day", 1, 1), true
	}
	if m := unitForm.FindStringSubmatch(s); m != nil {
		return d.unit(m[2], map[string]int{"this": 0, "last": -1, "past": -1, "next": 1}[m[1]], 1), true
	}
	m := countForm.FindStringSubmatch(s)
	if m == nil {
		return span{}, false
	}
	n, _ := strconv.Atoi(m[2])
	if n == 0 {
		return span{}, false
	}
	at := d
	if m[5] != "" {
		back, _ := strconv.Atoi(m[5])
		if m[1] != "next" {
			back = -back
		}
		at.now = step(d.now, m[6], back)
	}
	first, count := -n, n
	if m[1] == "next" {
		first = 1
	}
	if m[4] == "~" {
		count++
		first = min(first, 0)
	}
	return at.unit(m[3], first, count), true
}

// unit returns the span of count units, the first of which is so many units
// after the current one.
func (d dates) unit(unit string, first, count int) span {
	from := step(d.begin(unit), unit, first)
	return span{from: from, until: step(from, unit, count), timed: unit == "minute" || unit == "hour"}
}

// begin is the first moment of the current unit.
func (d dates) begin(unit string) time.Time {
	y, m, day := d.now.Date()
	at := func(y int, m time.Month, day int) time.Time { return time.Date(y, m, day, 0, 0, 0, 0, time.UTC) }
	switch unit {
	case "minute":
		return at(y, m, day).Add(time.Duration(d.now.Hour())*time.Hour + time.Duration(d.now.Minute())*time.Minute)
	case "hour":
		return at(y, m, day).Add(time.Duration(d.now.Hour()) * time.Hour)
	case "week":
		return at(y, m, day-int((7+d.now.Weekday()-d.weekStart)%7))
	case "month":
		return at(y, m, 1)
	case "quarter":
		return at(y, m-(m-1)%3, 1)
	case "year":
		return at(y, 1, 1)
	}
	return at(y, m, day)
}

func step(at time.Time, unit string, n int) time.Time {
	switch unit {
	case "minute":
		return at.Add(time.Duration(n) * time.Minute)
	case "hour":
		return at.Add(time.Duration(n) * time.Hour)
	case "week":
		return at.AddDate(0, 0, 7*n)
	case "month":
		return at.AddDate(0, n, 0)
	case "quarter":
		return at.AddDate(0, 3*n, 0)
	case "year":
		return at.AddDate(n, 0, 0)
	}
	return at.AddDate(0, 0, n)
}

// parseMoment reads a day, or a day with a time.
func parseMoment(s string) (at time.Time, timed, ok bool) {
	s = strings.TrimSpace(s)
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day, false, true
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", time.RFC3339Nano} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), true, true
		}
	}
	return time.Time{}, false, false
}
