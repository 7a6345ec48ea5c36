package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/secret"
)

func keyCreateCommand() command {
	var name string
	var flags keyFlags
	var limits restrictionFlags
	var asJSON bool
	return command{
		Command: config.Command{
			Name: "key create", About: "Creates an API key and prints its text, which cannot be shown again. Works before and after set-up, also while the server runs.",
			Flags: func(f *flag.FlagSet) {
				f.StringVar(&name, "name", "", "Name of the key.")
				flags.declare(f)
				limits.declare(f)
				f.BoolVar(&asJSON, "json", false, "Print the key as JSON, with its text in the member key.")
			},
		},
		short: "create an API key",
		run: func(ctx context.Context, c call) error {
			if strings.TrimSpace(name) == "" || len(c.rest) > 0 {
				return usagef("key create needs a name: latchkey key create --name ci --group Administrators")
			}
			return createKey(ctx, c, name, &flags, &limits, asJSON)
		},
	}
}

func createKey(ctx context.Context, c call, name string, flags *keyFlags, limits *restrictionFlags, asJSON bool) error {
	restriction, err := limits.read()
	if err != nil {
		return err
	}
	h, err := open(ctx, c.cfg, c.log)
	if err != nil {
		return err
	}
	defer h.db.Close()
	want, err := flags.change(ctx, h)
	if err != nil {
		return err
	}
	key, text, err := h.keys.Make(ctx, access.CommandLine(), apikey.Draft{
		Name: name, Description: want.Description.Or(""), Groups: want.Groups.Or([]int64{access.AllUsers}),
		OwnerID: want.OwnerID.Or(0), SuccessorID: want.SuccessorID.Or(0), Tags: want.Tags.Or(nil),
		ExpiresAt: want.ExpiresAt, Restriction: restriction,
	})
	if err != nil {
		return err
	}
	return printNewKey(c, h, key, text, asJSON)
}

// printNewKey prints the text of a key, which cannot be had again.
func printNewKey(c call, h *house, key apikey.Key, text secret.Text, asJSON bool) error {
	if asJSON {
		out := showKey(key, h.db.Now(context.Background()))
		out["group"], out["key"] = key.Group.Name, text.Reveal()
		return json.NewEncoder(c.Stdout).Encode(out)
	}
	_, _ = fmt.Fprintf(c.Stderr, "Key %q (id %d) has the permissions of %s. Save it now: it cannot be shown again.\n", key.Name, key.ID, groupsOf(key))
	_, err := fmt.Fprintln(c.Stdout, text.Reveal())
	return err
}

func keyGenerateCommand() command {
	return command{
		Command: config.Command{
			Name: "key generate", About: "Prints the text of a new key, for seed files and bootstrap keys. It touches no database: the key works where a seed file names it.",
		},
		short: "print the text of a new key, for seed files",
		run: func(_ context.Context, c call) error {
			if len(c.rest) > 0 {
				return usagef("key generate takes no arguments")
			}
			_, err := fmt.Fprintln(c.Stdout, apikey.NewText(c.cfg.KeyPrefix).Reveal())
			return err
		},
	}
}
