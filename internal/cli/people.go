package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"latchkey/internal/access"
	"latchkey/internal/bulk"
	"latchkey/internal/config"
	"latchkey/internal/fault"
)

func peopleImportCommand() command {
	in := bulk.Import{Request: bulk.Request{Mode: bulk.Each}}
	var atomic bool
	return command{
		Command: config.Command{
			Name: "people import", Args: "<file>",
			About: "Makes people from a table (CSV) or from JSON lines and prints what became of each line; - reads standard input. " +
				"Who is there already stays as they are. It ends with exit code 1 when a line failed.",
			Flags: func(f *flag.FlagSet) {
				f.BoolVar(&in.DryRun, "dry-run", false, "Print what would be done, and do nothing.")
				f.BoolVar(&atomic, "atomic", false, "Do nothing at all when a line fails.")
				f.BoolVar(&in.Update, "update", false, "Give people who are there the names of their line, and add its groups.")
			},
		},
		short: "make people from a table",
		run: func(ctx context.Context, c call) error {
			if atomic {
				in.Mode = bulk.Atomic
			}
			return importPeople(ctx, c, in)
		},
	}
}

func importPeople(ctx context.Context, c call, in bulk.Import) error {
	if len(c.rest) != 1 {
		return usagef("people import needs one file, or - for standard input")
	}
	lines, err := readPeople(c)
	if err != nil {
		return fmt.Errorf("%s: %w", c.rest[0], err)
	}
	h, err := openExisting(ctx, c.cfg, c.log)
	if err != nil {
		return err
	}
	defer h.db.Close()
	s := bulk.New(bulk.Deps{DB: h.db, Groups: h.groups, People: h.people, Content: h.content, Log: c.log})
	report, _, err := s.ImportPeople(ctx, access.CommandLine(), lines, in)
	if err != nil {
		return err
	}
	return printPeople(c, lines, report)
}

// readPeople reads the file of a command: JSON lines begin with a brace.
func readPeople(c call) ([]bulk.Line, error) {
	var raw []byte
	var err error
	if c.rest[0] == "-" {
		raw, err = io.ReadAll(c.Stdin)
	} else {
		raw, err = os.ReadFile(c.rest[0])
	}
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return nil, pe.Err
	}
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return bulk.ReadLines(raw)
	}
	return bulk.ReadTable(raw)
}

// printPeople prints what became of each line, and how many of each there are.
func printPeople(c call, lines []bulk.Line, r *bulk.Report) error {
	for _, res := range r.Results {
		l := lines[res.Index]
		text := fmt.Sprintf("line %d: %s %s", l.Number, l.Email, res.Status)
		if res.Status == bulk.Failed {
			text += ": " + safe(fault.As(res.Err()))
		}
		if _, err := fmt.Fprintln(c.Stdout, text); err != nil {
			return err
		}
	}
	failed := r.Count(bulk.Failed)
	_, err := fmt.Fprintf(c.Stdout, "%d created, %d updated, %d there already, %d failed, %d not tried\n",
		r.Count(bulk.Created), r.Count(bulk.Updated), r.Count(bulk.Exists), failed, r.Count(bulk.NotRun))
	if err == nil && failed > 0 {
		return fmt.Errorf("%d of %d lines failed", failed, r.Total)
	}
	return err
}
