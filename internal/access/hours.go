package access

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // zones are known wherever the program runs
)

// days in the order of a week, as restrictions write them.
var days = [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

const (
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

// window is Hours, compiled: from and to are minutes of the day.
type window struct {
	days     [7]bool // from Sunday, like time.Weekday
	from, to int
	zone     *time.Location
}

// compile reads the hours. Its error is safe to show.
func (h *Hours) compile() (*window, error) {
	w := &window{to: minutesOfDay}
	if h.Days == nil && h.From == "" && h.To == "" {
		return nil, errors.New("name days, or from and to")
	}
	for i := range w.days {
		w.days[i] = h.Days == nil
	}
	for _, name := range h.Days {
		i := slices.Index(days[:], name)
		if i < 0 {
			return nil, fmt.Errorf("%q is no day; use mon, tue, wed, thu, fri, sat and sun", name)
		}
		w.days[(i+1)%7] = true
	}
	var err error
	if w.zone, err = time.LoadLocation(h.Zone); err != nil || h.Zone == "Local" {
		return nil, fmt.Errorf("%q is no time zone; use a name such as Europe/Berlin, or leave it out for UTC", h.Zone)
	}
	return w, w.setTimes(h)
}

func (w *window) setTimes(h *Hours) error {
	if h.From == "" && h.To == "" {
		return nil
	}
	from, okFrom := minuteOf(h.From)
	to, okTo := minuteOf(h.To)
	switch {
	case !okFrom || from == minutesOfDay:
		return errors.New("from must be a time such as 08:00")
	case !okTo:
		return errors.New("to must be a time such as 18:00; 24:00 ends the day")
	case from == to:
		return errors.New("from and to are the same; leave both out for the whole day")
	}
	w.from, w.to = from, to
	return nil
}

// minuteOf reads HH:MM, from 00:00 to 24:00.
func minuteOf(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	hour, errHour := strconv.ParseUint(s[:2], 10, 8)
	minute, errMinute := strconv.ParseUint(s[3:], 10, 8)
	n := int(hour*60 + minute)
	return n, errHour == nil && errMinute == nil && minute < 60 && n <= minutesOfDay
}

// holds reports whether a time is in the window.
func (w *window) holds(t time.Time) bool {
	t = t.In(w.zone)
	hour, minute, _ := t.Clock()
	return w.at(int(t.Weekday()), hour*60+minute)
}

// at is holds for a day, counted from Sunday, and a minute of it.
func (w *window) at(day, minute int) bool {
	if w.from < w.to {
		return w.days[day] && w.from <= minute && minute < w.to
	}
	return w.days[day] && minute >= w.from || w.days[(day+6)%7] && minute < w.to
}

// within reports whether every time of w is one of other, which is judged only
// in one and the same zone.
func (w *window) within(other *window) bool {
	if w.zone.String() != other.zone.String() {
		return false
	}
	for m := range minutesOfWeek {
		day, minute := m/minutesOfDay, m%minutesOfDay
		if w.at(day, minute) && !other.at(day, minute) {
			return false
		}
	}
	return true
}
