package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"latchkey/internal/config"
	"latchkey/internal/fault"
)

// Process is what the operating system gives a run of the program.
type Process struct {
	Args    []string // without the program's name
	Environ []string
	Version string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // the command line makes no sense
)

// command is one row of the list. Its name may have two words.
type command struct {
	config.Command
	short string
	run   func(ctx context.Context, c call) error
}

// call is one run of a command.
type call struct {
	Process
	cfg  *config.Config
	rest []string // arguments that are no flags
	log  *slog.Logger
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// commands returns the list, in the order of the help text.
func commands() []command {
	return []command{
		serveCommand(),
		keyCreateCommand(), keyListCommand(), keyVerifyCommand(), keyDeleteCommand(),
		userResetCommand(),
		auditVerifyCommand(),
		configCommand(), versionCommand(),
	}
}

// Main runs the program and returns its exit code. Every failure is a line on
// standard error that says what is wrong and what to do.
func Main(ctx context.Context, p Process) int {
	err := dispatch(ctx, p)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, new(usageError)):
		say(p.Stderr, err)
		return exitUsage
	}
	say(p.Stderr, err)
	return exitFailed
}

// say writes an error for people: a fault shows what is safe to show, which on
// the command line includes the cause.
func say(w io.Writer, err error) {
	text := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Internal {
		parts := []string{}
		if f.Message != "" {
			parts = append(parts, f.Message)
		}
		for field, msg := range f.Fields {
			parts = append(parts, field+": "+msg)
		}
		text = strings.Join(parts, "; ")
	}
	for line := range strings.Lines(text) {
		_, _ = fmt.Fprintln(w, "latchkey: "+strings.TrimRight(line, "\n"))
	}
}

func dispatch(ctx context.Context, p Process) error {
	if len(p.Args) == 0 || p.Args[0] == "help" || p.Args[0] == "-h" || p.Args[0] == "--help" {
		return help(p.Stdout)
	}
	if p.Args[0] == "--version" {
		p.Args[0] = "version"
	}
	cmd, args, err := find(p.Args)
	if err != nil {
		return err
	}
	cfg, rest, err := cmd.Load(args, p.Environ, p.Stdout)
	if err != nil {
		return err
	}
	log := logger(cfg, p.Stderr)
	return cmd.run(ctx, call{Process: p, cfg: cfg, rest: rest, log: log})
}

// find returns the command that the first one or two words name.
func find(args []string) (command, []string, error) {
	var names []string
	for _, c := range commands() {
		words := strings.Fields(c.Name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.Name {
			return c, args[len(words):], nil
		}
		names = append(names, c.Name)
	}
	typed := strings.Join(args[:min(2, len(args))], " ")
	guess := config.Suggest(typed, names)
	if guess == "" {
		guess = config.Suggest(args[0], names)
	}
	if guess != "" {
		return command{}, nil, usagef("unknown command %q; did you mean %q? See: latchkey help", typed, guess)
	}
	return command{}, nil, usagef("unknown command %q; see: latchkey help", typed)
}

func help(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Latchkey gives programs safe access to a team's data and content.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  latchkey %-22s %s\n", c.Name, c.short)
	}
	b.WriteString("\nlatchkey <command> --help says more about one of them.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func logger(cfg *config.Config, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func configCommand() command {
	return command{
		Command: config.Command{Name: "config", About: "Prints every option, its value and where the value came from. Secrets are hidden.", AllOptions: true},
		short:   "print what is in force",
		run:     func(_ context.Context, c call) error { return c.cfg.Print(c.Stdout) },
	}
}

func versionCommand() command {
	return command{
		Command: config.Command{Name: "version", About: "Prints the version of this binary and the release of Metabase whose API it speaks."},
		short:   "print the version",
		run: func(_ context.Context, c call) error {
			_, err := fmt.Fprintf(c.Stdout, "latchkey %s (speaks the API of Metabase %s)\n", c.Version, spoken)
			return err
		},
	}
}
