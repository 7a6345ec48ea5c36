package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
)

func keyShowCommand() command {
	var asJSON bool
	return keyCommand(config.Command{
		Name: "key show", About: "Shows one key: what it is, what it may do, and when it was last used. Its text cannot be shown.",
		Flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "Print the key as JSON.") },
	}, "show one API key", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		now := h.db.Now(ctx)
		if asJSON {
			return json.NewEncoder(c.Stdout).Encode(showKey(k, now))
		}
		verdict, err := h.keys.Verdict(ctx, access.CommandLine(), k.ID)
		if err != nil {
			return err
		}
		return printKey(c.Stdout, k, verdict, now)
	})
}

// printKey writes a key for people, a line for each fact that there is.
func printKey(out io.Writer, k apikey.Key, v apikey.Verdict, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fact := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", name, plain(strings.ReplaceAll(value, "\n", " ")))
		}
	}
	fact("id", fmt.Sprint(k.ID))
	fact("name", k.Name)
	fact("kind", string(k.Kind))
	fact("state", state(k, now))
	fact("key", k.Prefix+"…")
	fact("groups", groupsOf(k))
	fact("description", k.Description)
	fact("owner", k.Owner.Name)
	fact("successor", k.Successor.Name)
	fact("needs an owner since", moment(k.ReviewSince, ""))
	fact("tags", strings.Join(k.Tags, ", "))
	fact("ends", moment(k.ExpiresAt, "never"))
	fact("restriction", asText(&k.Restriction))
	fact("on trial", asText(k.Trial))
	fact("made", stamp(k.CreatedAt)+" by "+k.CreatedBy.Name)
	fact("modified", stamp(k.UpdatedAt)+" by "+k.UpdatedBy.Name)
	fact("source", k.Source)
	if v.Last != nil {
		fact("last used", stamp(v.Last.At))
	}
	fact("safe to delete", string(v.Safety)+": "+strings.Join(v.Reasons, " "))
	return w.Flush()
}

// state is what a key is good for, and why.
func state(k apikey.Key, now time.Time) string {
	s := k.State(now)
	if s != apikey.Disabled {
		return string(s)
	}
	end := ""
	if k.DisabledUntil != nil {
		end = " until " + stamp(*k.DisabledUntil)
	}
	return fmt.Sprintf("%s%s by %s: %s", s, end, k.DisabledBy.Name, k.DisabledReason)
}

// asText is a restriction as JSON; one that restricts nothing is "".
func asText(r *access.Restriction) string {
	if r == nil || r.IsZero() {
		return ""
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func keySecretsCommand() command {
	return keyCommand(config.Command{
		Name: "key secrets", About: "Lists the secrets of a key, the newest first: their beginning, and when they end or ended.",
	}, "list the secrets of an API key", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		list, err := h.keys.Secrets(ctx, access.CommandLine(), k.ID)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "ID\tKEY\tSTATE\tMADE\tENDS\tTRIED AFTER ITS END")
		for _, x := range list {
			_, _ = fmt.Fprintf(w, "%d\t%s…\t%s\t%s\t%s\t%s\n", x.ID, x.Prefix, secretState(x, h.db.Now(ctx)), stamp(x.CreatedAt), secretEnd(x), moment(x.TriedAt, "-"))
		}
		return w.Flush()
	})
}

func secretState(x apikey.Secret, now time.Time) string {
	switch {
	case !x.Live(now):
		return "retired"
	case x.RetireAt != nil || x.SilentDays > 0:
		return "retiring"
	}
	return "live"
}

func secretEnd(x apikey.Secret) string {
	switch {
	case x.RetiredAt != nil:
		return stamp(*x.RetiredAt)
	case x.RetireAt != nil && x.SilentDays > 0:
		return fmt.Sprintf("%s, or after %d silent days", stamp(*x.RetireAt), x.SilentDays)
	case x.SilentDays > 0:
		return fmt.Sprintf("after %d silent days", x.SilentDays)
	}
	return moment(x.RetireAt, "with the key")
}
