package cli

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/secret"
	"latchkey/internal/seed"
)

// seeds returns what applies seed files.
func (h *house) seeds() *seed.Service {
	return seed.New(seed.Deps{DB: h.db, Groups: h.groups, People: h.people, Keys: h.keys})
}

// readSeed reads the seed file that a command names, or that of the
// configuration.
func readSeed(c call) (*seed.File, error) {
	if len(c.rest) > 1 {
		return nil, usagef("a seed is one file, not %d", len(c.rest))
	}
	path := c.cfg.SeedFile
	if len(c.rest) == 1 {
		path = c.rest[0]
	}
	if path == "" {
		return nil, usagef("name the seed file: latchkey seed apply seed.yaml")
	}
	return seed.Read(path, c.Environ)
}

func seedApplyCommand() command {
	var o seed.Options
	var dry bool
	return command{
		Command: config.Command{
			Name: "seed apply", Args: "<file>",
			About: "Makes and changes groups, people, policies and keys as a seed file says, all or nothing, and prints what it did. The same file a second time changes nothing. " +
				"Also takes a config.yml of Metabase, for its API keys.",
			Flags: func(f *flag.FlagSet) {
				f.BoolVar(&o.Prune, "prune", false, "Remove what an earlier file made and this one lacks; people are deactivated.")
				f.BoolVar(&o.Adopt, "adopt", false, "Take over what the file names and people have made by hand. Otherwise that stays as it is.")
				f.BoolVar(&dry, "dry-run", false, "Print what would be done, and do nothing.")
			},
		},
		short: "make what a seed file says",
		run:   func(ctx context.Context, c call) error { return applySeed(ctx, c, o, dry) },
	}
}

func applySeed(ctx context.Context, c call, o seed.Options, dry bool) error {
	file, err := readSeed(c)
	if err != nil {
		return err
	}
	get := open
	if dry {
		get = openExisting
	}
	h, err := get(ctx, c.cfg, c.log)
	if err != nil {
		return err
	}
	defer h.db.Close()
	apply := h.seeds().Apply
	if dry {
		apply = h.seeds().Plan
	}
	steps, err := apply(ctx, file, o)
	if err != nil {
		return err
	}
	return printSeed(c, file, steps)
}

// printSeed prints the steps that matter and how many there are of each kind.
func printSeed(c call, file *seed.File, steps []seed.Step) error {
	for _, part := range file.Ignored {
		_, _ = fmt.Fprintf(c.Stderr, "%s: %s is ignored\n", file.Name, part)
	}
	for _, s := range seed.Drift(steps) {
		if _, err := fmt.Fprintln(c.Stdout, s); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.Stdout, "%d created, %d updated, %d removed, %d unchanged, %d left as they are\n",
		seed.Count(steps, seed.Create), seed.Count(steps, seed.Update), seed.Count(steps, seed.Remove), seed.Count(steps, seed.Unchanged),
		seed.Count(steps, seed.Left)+seed.Count(steps, seed.Gone))
	return err
}

func seedDiffCommand() command {
	return command{
		Command: config.Command{
			Name: "seed diff", Args: "<file>",
			About: "Prints how the instance differs from a seed file, and ends with exit code 1 when it does: + is missing, ~ is different, - is gone from the file, ! differs and is not the file's to change.",
		},
		short: "show how the instance differs from a seed file",
		run: func(ctx context.Context, c call) error {
			file, err := readSeed(c)
			if err != nil {
				return err
			}
			h, err := openExisting(ctx, c.cfg, c.log)
			if err != nil {
				return err
			}
			defer h.db.Close()
			steps, err := h.seeds().Plan(ctx, file, seed.Options{})
			if err != nil {
				return err
			}
			drift := seed.Drift(steps)
			for _, s := range drift {
				if _, err := fmt.Fprintln(c.Stdout, s); err != nil {
					return err
				}
			}
			if len(drift) > 0 {
				return fmt.Errorf("the instance differs from %s; differences: %d", file.Name, len(drift))
			}
			return nil
		},
	}
}

func seedHashCommand() command {
	var path string
	return command{
		Command: config.Command{
			Name: "seed hash",
			About: "Reads the text of a key from standard input, or from a file, and prints its hash for a seed file. The hash is not enough to use the key. " +
				"It needs no database.",
			Flags: func(f *flag.FlagSet) { f.StringVar(&path, "file", "", "Read the key from this `path`.") },
		},
		short: "print the hash of a key for a seed file",
		run: func(_ context.Context, c call) error {
			if len(c.rest) > 0 {
				return usagef("seed hash takes no arguments: write the key to standard input, or name its file with --file") // not repeated: it may be a key
			}
			text, err := readKey(c.Stdin, path)
			if err != nil {
				return err
			}
			d, err := apikey.DigestOf(text)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.Stdout, d)
			return err
		},
	}
}

// readKey reads the first line of a file or of standard input.
func readKey(stdin io.Reader, path string) (secret.Text, error) {
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return secret.Text{}, fmt.Errorf("cannot read the key: %w", err)
		}
		defer func() { _ = f.Close() }()
		stdin = f
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, 4096)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return secret.Text{}, usagef("seed hash needs a key on standard input or in --file (%v)", cmp.Or(err, io.EOF))
	}
	return secret.New(line), nil
}

// seedAtStart applies the seed file of the configuration. It removes nothing.
func (h *house) seedAtStart(ctx context.Context, c call) error {
	if c.cfg.SeedFile == "" {
		return nil
	}
	file, err := seed.Read(c.cfg.SeedFile, c.Environ)
	if err != nil {
		return err
	}
	steps, err := h.seeds().Apply(ctx, file, seed.Options{})
	if err != nil {
		return err
	}
	for _, part := range file.Ignored {
		c.log.Warn("a part of the seed file is ignored", "file", file.Name, "part", part)
	}
	for _, s := range seed.Drift(steps) {
		if s.Action == seed.Left || s.Action == seed.Gone {
			c.log.Warn("the seed file and the instance differ", "file", file.Name, "step", s.String())
			continue
		}
		c.log.Info("the seed file was applied", "file", file.Name, "step", s.String())
	}
	return nil
}

// makeBootstrapKey makes the key of the first start, if the configuration
// names one and the instance has nobody.
func (h *house) makeBootstrapKey(ctx context.Context, c call) error {
	if c.cfg.BootstrapKey.Empty() {
		return nil
	}
	made, err := h.seeds().Bootstrap(ctx, c.cfg.BootstrapKey, c.cfg.BootstrapLife)
	if err != nil {
		return fmt.Errorf("%s: %w", c.cfg.From("bootstrap-key"), err)
	}
	if made {
		c.log.Warn("the bootstrap key is in force: it has all rights until set-up is done", "minutes", int(c.cfg.BootstrapLife.Minutes()))
	}
	return nil
}
