package web

import (
	"time"

	"latchkey/internal/usage"
)

// The field on which the bars of a chart are drawn. The browser stretches it,
// so it holds no text.
const (
	chartWidth  = 1000
	chartHeight = 100
)

// chart is requests by hour or day, as bars.
type chart struct {
	Bars  []bar
	Top   int64 // what the full height stands for
	Unit  string
	Total tally
	First string // below the first bar
	Mid   string
	Last  string
}

// tally is requests by how they ended.
type tally struct{ OK, Refused, Failed int64 }

// All is all requests.
func (t tally) All() int64 { return t.OK + t.Refused + t.Failed }

// bar is one hour or day.
type bar struct {
	tally
	When  string
	X, W  float64
	Parts []barPart
}

// barPart is one colour of a bar.
type barPart struct {
	Tone string
	Y, H float64
}

// Summary says what the chart shows, for those who do not see it.
func (c chart) Summary() string {
	return "Requests by " + c.Unit + ": " + plural(c.Total.All(), "request", "requests") + ", " +
		number(c.Total.OK) + " answered, " + number(c.Total.Refused) + " refused, " + number(c.Total.Failed) + " failed. The table below has the numbers."
}

// Half is what half the height stands for, or 0 when that is no whole number.
func (c chart) Half() int64 {
	if c.Top%2 != 0 {
		return 0
	}
	return c.Top / 2
}

// newChart draws buckets as bars.
func newChart(buckets []usage.Bucket, by usage.Step) chart {
	c := chart{Unit: "hour", Top: 1}
	layout, short := "2 Jan 15:04", "2 Jan, 15:04 UTC"
	if by == usage.Day {
		c.Unit, layout, short = "day", "2 Jan", "2 Jan"
	}
	tallies := make([]tally, len(buckets))
	for i, b := range buckets {
		tallies[i] = tally{b.OK + b.Redirect, b.Refused, b.Failed}
		c.Top = max(c.Top, tallies[i].All())
		c.Total.OK += tallies[i].OK
		c.Total.Refused += tallies[i].Refused
		c.Total.Failed += tallies[i].Failed
	}
	c.Top = roundUp(c.Top)
	width := float64(chartWidth) / float64(max(1, len(buckets)))
	for i, t := range tallies {
		c.Bars = append(c.Bars, c.bar(t, buckets[i].Start.Format(layout), float64(i)*width, width))
	}
	if n := len(buckets); n > 0 {
		c.First, c.Mid, c.Last = buckets[0].Start.Format(short), buckets[n/2].Start.Format(short), buckets[n-1].Start.Format(short)
	}
	return c
}

// bar stacks the parts of one bar from the ground up.
func (c chart) bar(t tally, when string, x, width float64) bar {
	b := bar{tally: t, When: when, X: x + width*0.12, W: width * 0.76}
	y := float64(chartHeight)
	for _, part := range []struct {
		tone string
		n    int64
	}{{"ok", t.OK}, {"refused", t.Refused}, {"failed", t.Failed}} {
		if part.n == 0 {
			continue
		}
		h := max(1.2, float64(chartHeight)*float64(part.n)/float64(c.Top)) // one request among millions is still seen
		y -= h
		b.Parts = append(b.Parts, barPart{part.tone, y, h})
	}
	return b
}

// roundUp returns the next number with one leading digit of 1, 2, 4, 5 or 10.
func roundUp(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, lead := range []int64{1, 2, 4, 5, 10} {
			if n <= lead*unit {
				return lead * unit
			}
		}
	}
}

// chartRange is a span of time that the chart can show.
type chartRange struct {
	Name, Label string
	by          usage.Step
	long        time.Duration
}

// chartRanges returns the spans; the first is shown unless another is asked for.
func chartRanges() []chartRange {
	return []chartRange{
		{"hours", "48 hours", usage.Hour, 48 * time.Hour},
		{"days", "30 days", usage.Day, 30 * day},
	}
}
