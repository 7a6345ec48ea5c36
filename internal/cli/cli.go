package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
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
		keyCreateCommand(), keyListCommand(), keyShowCommand(), keyUpdateCommand(), keyRestrictCommand(),
		keyRotateCommand(), keySecretsCommand(), keyRetireCommand(), keyDisableCommand(), keyEnableCommand(),
		keyDeleteCommand(), keyVerifyCommand(), keyExplainCommand(), keyGenerateCommand(),
		keyPolicyListCommand(), keyPolicySetCommand(), keyPolicyRemoveCommand(),
		seedApplyCommand(), seedDiffCommand(), seedHashCommand(),
		peopleImportCommand(),
		userResetCommand(),
		auditVerifyCommand(), auditListCommand(), auditExportCommand(),
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

// say writes an error for people, a line for each mistake. Of a fault it shows
// what is safe to show, behind what the command said about it; an internal one
// shows its cause, because whoever runs the command owns the data.
func say(w io.Writer, err error) {
	text := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind != fault.Internal {
		text = strings.Replace(text, f.Error(), safe(f), 1)
	}
	for line := range strings.Lines(text) {
		_, _ = fmt.Fprintln(w, "latchkey: "+strings.TrimRight(line, "\n"))
	}
}

// safe is the text of a fault without its cause.
func safe(f *fault.Error) string {
	var parts []string
	if f.Message != "" {
		parts = append(parts, f.Message)
	}
	for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
		parts = append(parts, field+": "+f.Fields[field])
	}
	return cmp.Or(strings.Join(parts, "; "), f.Kind.String())
}

func dispatch(ctx context.Context, p Process) error {
	args := p.Args
	switch {
	case len(args) == 0 || args[0] == "-h" || args[0] == "--help":
		args = []string{"help"}
	case args[0] == "--version":
		args = []string{"version"}
	}
	if args[0] == "help" {
		if len(args) == 1 {
			return help(p.Stdout)
		}
		args = append(slices.Clone(args[1:]), "--help")
	}
	cmd, args, err := find(args)
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

// find returns the command that the first one or two words name, and the
// arguments after them.
func find(args []string) (command, []string, error) {
	var names, family []string
	for _, c := range commands() {
		words := strings.Fields(c.Name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.Name {
			return c, args[len(words):], nil
		}
		if words[0] == args[0] {
			family = append(family, c.Name)
		}
		names = append(names, c.Name)
	}
	return command{}, nil, unknown(args, names, family)
}

// unknown says which command was meant, as far as that can be told.
func unknown(args, names, family []string) error {
	if strings.HasPrefix(args[0], "-") {
		flag, _, _ := strings.Cut(args[0], "=")
		return usagef("the command comes before its flags: latchkey serve %s; see: latchkey help", flag)
	}
	if len(family) > 0 && (len(args) == 1 || strings.HasPrefix(args[1], "-")) {
		return usagef("%q is half a command; write one of: %s", args[0], strings.Join(family, ", "))
	}
	typed := strings.Join(args[:min(2, len(args))], " ")
	guess := cmp.Or(config.Suggest(typed, names), config.Suggest(args[0], names))
	switch {
	case guess != "":
		return usagef("unknown command %q; did you mean %q? See: latchkey help", typed, guess)
	case len(family) > 0:
		return usagef("unknown command %q; write one of: %s", typed, strings.Join(family, ", "))
	}
	return usagef("unknown command %q; see: latchkey help", args[0])
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
