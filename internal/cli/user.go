package cli

import (
	"context"
	"fmt"

	"latchkey/internal/access"
	"latchkey/internal/config"
	"latchkey/internal/fault"
)

func userResetCommand() command {
	return command{
		Command: config.Command{
			Name: "user reset-password", Args: "<e-mail>",
			About: "Prints a link with which a person sets a new password. It works once, for 48 hours.",
		},
		short: "print a link to set a new password",
		run: func(ctx context.Context, c call) error {
			if len(c.rest) != 1 {
				return usagef("user reset-password needs one e-mail address")
			}
			h, err := openExisting(ctx, c.cfg, c.log)
			if err != nil {
				return err
			}
			defer h.db.Close()
			link, err := h.people.ResetLinkFor(ctx, access.CommandLine(), c.rest[0], reachable(c.cfg.Listen))
			if fault.Is(err, fault.NotFound) {
				return fmt.Errorf("nobody who may sign in has the e-mail address %q", c.rest[0])
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.Stdout, link)
			return err
		},
	}
}
