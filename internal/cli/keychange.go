package cli

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/fault"
)

func keyUpdateCommand() command {
	var name text
	var flags keyFlags
	return keyCommand(config.Command{
		Name: "key update", About: "Changes a key. What no flag names stays; an empty value takes away what may be absent.",
		Flags: func(f *flag.FlagSet) {
			f.Var(&name, "name", "New name of the key.")
			flags.declare(f)
		},
	}, "change an API key", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		if !flags.given() && !name.Value.Set {
			return usagef("key update needs a flag that says what to change; see: latchkey key update --help")
		}
		change, err := flags.change(ctx, h)
		if err != nil {
			return err
		}
		change.Name = name.Value
		if k, err = h.keys.Update(ctx, access.CommandLine(), k.ID, change); err != nil {
			return err
		}
		return done(c, k, "is as asked for")
	})
}

// done says what became of a key.
func done(c call, k apikey.Key, what string) error {
	_, err := fmt.Fprintf(c.Stdout, "Key %q (id %d) %s.\n", k.Name, k.ID, what)
	return err
}

func keyDisableCommand() command {
	var reason, until string
	return keyCommand(config.Command{
		Name: "key disable", About: "Stops a key at once, until it is enabled or until a time.",
		Flags: func(f *flag.FlagSet) {
			f.StringVar(&reason, "reason", "", "`Why`: whoever finds the key disabled will want to know.")
			f.StringVar(&until, "until", "", "The `time` from which it works again: 2027-06-30, 2027-06-30T08:00:00Z, 12h or 90d.")
		},
	}, "stop an API key", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		if reason == "" {
			return usagef(`key disable needs a reason: latchkey key disable ci --reason "leaked in a log"`)
		}
		var end *time.Time
		if until != "" {
			t, err := future("until", until, h.db.Now(ctx))
			if err != nil {
				return err
			}
			end = &t
		}
		k, err := h.keys.Disable(ctx, access.CommandLine(), k.ID, reason, end)
		if err != nil {
			return err
		}
		if end != nil {
			return done(c, k, "is disabled until "+stamp(*end))
		}
		return done(c, k, "is disabled")
	})
}

func keyEnableCommand() command {
	return keyCommand(config.Command{Name: "key enable", About: "Lets a disabled key work again."},
		"let a disabled API key work again", func(ctx context.Context, c call, h *house, k apikey.Key) error {
			k, err := h.keys.Enable(ctx, access.CommandLine(), k.ID)
			if err != nil {
				return err
			}
			return done(c, k, "is enabled")
		})
}

// restrictFlags say what key restrict does.
type restrictFlags struct {
	restrictionFlags
	none, trial, endTrial, enforce bool
}

func (r *restrictFlags) declare(f *flag.FlagSet) {
	r.restrictionFlags.declare(f)
	f.BoolVar(&r.none, "none", false, "Take the restriction away.")
	f.BoolVar(&r.trial, "trial", false, "Put the restriction on trial.")
	f.BoolVar(&r.endTrial, "end-trial", false, "Take the restriction that is on trial away.")
	f.BoolVar(&r.enforce, "enforce", false, "Put the restriction that is on trial in force.")
}

// check refuses flags that contradict each other.
func (r *restrictFlags) check() error {
	chosen := 0
	for _, b := range []bool{r.given(), r.none, r.endTrial, r.enforce} {
		if b {
			chosen++
		}
	}
	if chosen != 1 || r.trial && !r.given() {
		return usagef("key restrict needs one of --read-only or --restriction, --none, --end-trial, --enforce")
	}
	return nil
}

// apply does what the flags say, and returns what became of the key.
func (r *restrictFlags) apply(ctx context.Context, keys *apikey.Service, id int64) (apikey.Key, string, error) {
	who := access.CommandLine()
	switch {
	case r.endTrial:
		k, err := keys.EndTrial(ctx, who, id)
		return k, "has nothing on trial", err
	case r.enforce:
		k, err := keys.EnforceTrial(ctx, who, id)
		return k, "is restricted", err
	}
	want, err := r.read()
	if err != nil {
		return apikey.Key{}, "", err
	}
	if r.trial {
		k, err := keys.SetTrial(ctx, who, id, want)
		return k, "has a restriction on trial", err
	}
	k, err := keys.SetRestriction(ctx, who, id, want)
	if want.IsZero() {
		return k, "is not restricted", err
	}
	return k, "is restricted", err
}

func keyRestrictCommand() command {
	var flags restrictFlags
	return keyCommand(config.Command{
		Name: "key restrict", About: "Gives a key a restriction in place of the one it has, or puts one on trial, which refuses nothing and shows what it would have refused.",
		Flags: flags.declare,
	}, "restrict an API key", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		if err := flags.check(); err != nil {
			return err
		}
		k, what, err := flags.apply(ctx, h.keys, k.ID)
		if err != nil {
			return err
		}
		return done(c, k, what)
	})
}

func keyRotateCommand() command {
	var until, overlap string
	var silent int
	var asJSON bool
	return keyCommand(config.Command{
		Name: "key rotate", About: "Gives a key a new text and prints it; it cannot be shown again. The old one ends at once, or goes on working for an overlap.",
		Flags: func(f *flag.FlagSet) {
			f.StringVar(&until, "overlap-until", "", "The `time` at which the old text ends: 2027-06-30 or 2027-06-30T08:00:00Z.")
			f.StringVar(&overlap, "overlap", "", "How `long` the old text goes on working: 12h, 7d.")
			f.IntVar(&silent, "silent-days", 0, "The old text ends after so many days without use.")
			f.BoolVar(&asJSON, "json", false, "Print the key as JSON, with its text in the member key.")
		},
	}, "give an API key a new text", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		if until != "" && overlap != "" {
			return usagef("key rotate takes --overlap-until or --overlap, not both")
		}
		o := apikey.Overlap{SilentDays: silent}
		if end := until + overlap; end != "" {
			t, err := future("overlap", end, h.db.Now(ctx))
			if err != nil {
				return err
			}
			o.Until = &t
		}
		k, text, err := h.keys.Rotate(ctx, access.CommandLine(), k.ID, o)
		if err != nil {
			return err
		}
		return printNewKey(c, h, k, text, asJSON)
	})
}

func keyRetireCommand() command {
	return keyCommand(config.Command{
		Name: "key retire", Args: "<name or id> <secret id>", About: "Ends one secret of a key at once. Its id is in key secrets.",
	}, "end one secret of an API key", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		id, err := strconv.ParseInt(c.rest[1], 10, 64)
		if err != nil || id < 1 {
			return usagef("key retire takes the id of a secret, which is a number; see: latchkey key secrets %d", k.ID)
		}
		err = h.keys.RetireSecret(ctx, access.CommandLine(), k.ID, id)
		if fault.Is(err, fault.NotFound) {
			return fmt.Errorf("key %d has no secret %d; see: latchkey key secrets %d", k.ID, id, k.ID)
		}
		if err != nil {
			return err
		}
		return done(c, k, fmt.Sprintf("has lost its secret %d", id))
	})
}
