package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

// dispatch runs the harness, or one of the helpers that it starts as
// processes of their own.
func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case roleBare:
			return serveBare(ctx, os.Stdin, out)
		case roleFlood:
			return runFlood(ctx, args[1:], out)
		}
	}
	return measure(ctx, args, out)
}

// options are what the command line chooses.
type options struct {
	rows   string
	keep   bool
	large  int
	rounds int
	binary string
}

func readOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.rows, "rows", "1234567", "the rows to measure, such as 13")
	f.BoolVar(&o.keep, "keep", false, "keep the seeded databases in the system's temporary directory, and use those of an earlier run")
	f.IntVar(&o.large, "large", 1_000_000, "keys in the large database")
	f.IntVar(&o.rounds, "rounds", 7, "interleaved rounds of rows 2 and 3")
	f.StringVar(&o.binary, "binary", "", "measure this binary and build none")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("bench takes only flags, not %q", f.Arg(0))
	case strings.Trim(o.rows, "1234567") != "" || o.rows == "":
		return o, fmt.Errorf("-rows %q: digits from 1 to 7", o.rows)
	case o.large < largeAtLeast:
		return o, fmt.Errorf("-large %d: at least %d", o.large, largeAtLeast)
	case o.rounds < 1:
		return o, fmt.Errorf("-rounds %d: at least 1", o.rounds)
	}
	return o, nil
}

// bench is one run of the harness.
type bench struct {
	options
	binary string // the program under test
	self   string // this program, to start helpers
	dir    string // for what is gone at the end
	places map[int]place
	report report
	say    func(format string, args ...any)
}

// row measures one row of the table.
type row struct {
	digit string
	run   func(context.Context, *bench) error
}

func rows() []row {
	return []row{{"1", warmRow}, {"2", junkRow}, {"3", listRow}, {"4", startRow}, {"5", memoryRow}, {"6", contentRow}, {"7", exportRow}}
}

func measure(ctx context.Context, args []string, out io.Writer) error {
	o, err := readOptions(args)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	for _, r := range rows() {
		if !strings.Contains(o.rows, r.digit) {
			continue
		}
		b.say("row %s", r.digit)
		if err := r.run(ctx, b); err != nil {
			return fmt.Errorf("row %s: %w", r.digit, err)
		}
	}
	_, _ = fmt.Fprintf(out, "%s, %s/%s, %d cores, load average %s\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), loadAverage())
	b.report.print(out)
	if n := b.report.missed(); n > 0 {
		return fmt.Errorf("%d of the budgets missed", n)
	}
	return nil
}

func newBench(ctx context.Context, o options) (*bench, error) {
	began := time.Now()
	b := &bench{options: o, binary: o.binary, places: map[int]place{}}
	b.say = func(format string, args ...any) {
		_, _ = fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	b.say("load average %s", loadAverage())
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "latchkey-bench-"); err != nil {
		return nil, err
	}
	if b.binary == "" {
		b.say("build the binary")
		b.binary, err = build(ctx, b.dir)
	}
	return b, err
}

// loadAverage says how busy the machine is besides.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:1], "")
}
