package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// verdict says whether a figure keeps its budget.
type verdict string

// The verdicts. A figure without a budget is there for scale.
const (
	held   verdict = "held"
	missed verdict = "MISSED"
	scale  verdict = ""
)

func judge(ok bool) verdict {
	if ok {
		return held
	}
	return missed
}

// line is one line of the table.
type line struct {
	row, what, figure, budget string
	verdict                   verdict
}

// report is the table.
type report struct{ lines []line }

func (r *report) add(row, what, figure, budget string, v verdict) {
	r.lines = append(r.lines, line{row, what, figure, budget, v})
}

// note adds a figure that has no budget.
func (r *report) note(row, what, figure string) { r.add(row, what, figure, "", scale) }

func (r *report) missed() int {
	n := 0
	for _, l := range r.lines {
		if l.verdict == missed {
			n++
		}
	}
	return n
}

// print writes the table as Markdown with aligned columns.
func (r *report) print(w io.Writer) {
	table := [][]string{{"row", "what", "measured", "budget", "verdict"}}
	for _, l := range r.lines {
		table = append(table, []string{l.row, l.what, l.figure, l.budget, string(l.verdict)})
	}
	widths := make([]int, len(table[0]))
	for _, cells := range table {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for i, cells := range table {
		printLine(w, cells, widths, " ")
		if i == 0 {
			printLine(w, make([]string, len(cells)), widths, "-")
		}
	}
}

func printLine(w io.Writer, cells []string, widths []int, fill string) {
	for i, c := range cells {
		_, _ = fmt.Fprintf(w, "|%s%s%s%s", fill, c, strings.Repeat(fill, widths[i]-utf8.RuneCountInString(c)), fill)
	}
	_, _ = fmt.Fprintln(w, "|")
}

// quantile returns the value below which the share q of the sample lies. It
// sorts the sample.
func quantile[T ~int64 | ~float64](sample []T, q float64) T {
	if len(sample) == 0 {
		return 0
	}
	slices.Sort(sample)
	return sample[min(int(float64(len(sample))*q), len(sample)-1)]
}

func median[T ~int64 | ~float64](sample []T) T { return quantile(sample, 0.5) }

// span writes a duration with three digits.
func span(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/float64(time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

// count writes a whole number with commas.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
