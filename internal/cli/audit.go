package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/config"
	"latchkey/internal/fault"
)

func auditVerifyCommand() command {
	var noted string
	return command{
		Command: config.Command{
			Name: "audit verify",
			About: "Reads the whole audit log and proves that no entry was changed, removed or put elsewhere, and prints the head: the number and the hash of the newest entry. " +
				"With a head that was noted earlier, it also proves that nothing up to it was rewritten or cut off; the server logs one at its start and every day.",
			Flags: func(f *flag.FlagSet) {
				f.StringVar(&noted, "head", "", "A head that was noted earlier, as `ID:HASH`.")
			},
		},
		short: "prove that the audit log is whole",
		run:   func(ctx context.Context, c call) error { return verifyAudit(ctx, c, noted) },
	}
}

func verifyAudit(ctx context.Context, c call, noted string) error {
	if len(c.rest) > 0 {
		return usagef("audit verify takes no arguments, only flags: %q", c.rest[0])
	}
	var heads []audit.Head
	if noted != "" {
		h, err := audit.ParseHead(noted)
		if err != nil {
			return usagef("audit verify: --head %w", err)
		}
		heads = append(heads, h)
	}
	h, err := openExisting(ctx, c.cfg, c.log)
	if err != nil {
		return err
	}
	defer h.db.Close()
	r, err := h.audit.Verify(ctx, heads...)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(c.Stdout, "%d entries, the chain is whole\n", r.Entries); err == nil && r.Removed > 0 {
		_, err = fmt.Fprintf(c.Stdout, "%d older entries were removed by retention\n", r.Removed)
	}
	if err == nil && r.Head.ID > 0 {
		_, err = fmt.Fprintf(c.Stdout, "head %s\n", r.Head)
	}
	return err
}

// auditFlags are the filters of a command, as they are typed.
type auditFlags struct{ actor, action, object, since, until, query, key string }

func (a *auditFlags) declare(f *flag.FlagSet) {
	f.StringVar(&a.actor, "actor", "", "Who acted: person, api-key, personal-key, command-line, anonymous or system; or the `e-mail` address or the id of a person.")
	f.StringVar(&a.action, "action", "", "The action, such as session.create; all that begin so when it ends in a dot: session.")
	f.StringVar(&a.key, "key", "", "The `id` of an API key: what it did, and what was done to it.")
	f.StringVar(&a.object, "object", "", "What was acted on: a `kind` such as group, or one thing: group:5.")
	f.StringVar(&a.since, "since", "", "From this `time` on: 2026-11-22, 2026-11-22T21:35:33Z, or so long ago: 36h, 7d.")
	f.StringVar(&a.until, "until", "", "Before this `time`, written as for since.")
	f.StringVar(&a.query, "query", "", "Part of the name of the actor or of the object.")
}

// filter returns what the flags choose. Mistakes are usage errors.
func (a *auditFlags) filter(ctx context.Context, h *house) (audit.Filter, error) {
	f := audit.Filter{Action: a.action, Query: a.query}
	var err error
	if f.From, err = a.moment(h.db.Now(ctx), "since", a.since); err != nil {
		return f, err
	}
	if f.To, err = a.moment(h.db.Now(ctx), "until", a.until); err != nil {
		return f, err
	}
	if f.KeyID, err = idOf("key", a.key); err != nil {
		return f, err
	}
	kind, id, one := strings.Cut(a.object, ":")
	if f.ObjectKind = kind; one {
		if f.ObjectID, err = idOf("object", id); err != nil || f.ObjectID == 0 {
			return f, usagef("--object %q is no kind or thing such as group:5", a.object)
		}
	}
	return f, a.setActor(ctx, h, &f)
}

// setActor reads --actor: the name of a kind, an e-mail address, or an id.
func (a *auditFlags) setActor(ctx context.Context, h *house, f *audit.Filter) error {
	switch a.actor {
	case "", "person", "api-key", "personal-key", "command-line", "anonymous", "system":
		f.ActorKind = a.actor
		return nil
	}
	if !strings.Contains(a.actor, "@") {
		id, err := idOf("actor", a.actor)
		if err != nil {
			return usagef("--actor takes a kind such as person or api-key, an e-mail address, or the id of a person")
		}
		f.ActorID, f.ActorKind = id, access.Person.String()
		return nil
	}
	u, err := h.people.ByEmail(ctx, access.CommandLine(), a.actor)
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("nobody has the e-mail address %q", a.actor)
	}
	f.ActorID = u.ID
	return err
}

// idOf reads an id; nothing is 0.
func idOf(flag, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id < 1 {
		return 0, usagef("--%s takes an id, which is a number", flag) // not repeated: it may be a key
	}
	return id, nil
}

// moment reads a time, or how long ago it was.
func (a *auditFlags) moment(now time.Time, flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, usagef("--%s %q is no time such as 2026-11-22, 2026-11-22T21:35:33Z, 36h or 7d", flag, s)
}

func auditListCommand() command {
	var a auditFlags
	var limit int
	var asJSON bool
	return command{
		Command: config.Command{
			Name: "audit list", About: "Lists entries of the audit log, the newest first.",
			Flags: func(f *flag.FlagSet) {
				a.declare(f)
				f.IntVar(&limit, "limit", 100, "The most entries, up to 1000; audit export has no limit.")
				f.BoolVar(&asJSON, "json", false, "Print entries as JSON, one to a line.")
			},
		},
		short: "list entries of the audit log",
		run: func(ctx context.Context, c call) error {
			if limit < 1 || limit > audit.MaxLimit {
				return usagef("audit list: --limit takes a number from 1 to %d; audit export has no limit", audit.MaxLimit)
			}
			return withAudit(ctx, c, &a, func(log *audit.Log, f audit.Filter) error {
				f.Newest, f.Limit = true, limit
				if asJSON {
					return log.Export(ctx, f, c.Stdout)
				}
				return listAudit(ctx, log, f, c.Stdout)
			})
		},
	}
}

func auditExportCommand() command {
	var a auditFlags
	return command{
		Command: config.Command{
			Name: "audit export", About: "Writes the entries of the audit log as JSON, one to a line, the oldest first. Without a flag it writes all.",
			Flags: a.declare,
		},
		short: "write the audit log as JSON lines",
		run: func(ctx context.Context, c call) error {
			return withAudit(ctx, c, &a, func(log *audit.Log, f audit.Filter) error { return log.Export(ctx, f, c.Stdout) })
		},
	}
}

func withAudit(ctx context.Context, c call, a *auditFlags, f func(*audit.Log, audit.Filter) error) error {
	if len(c.rest) > 0 {
		return usagef("this command takes no arguments, only flags: %q", c.rest[0])
	}
	h, err := openExisting(ctx, c.cfg, c.log)
	if err != nil {
		return err
	}
	defer h.db.Close()
	filter, err := a.filter(ctx, h)
	if err != nil {
		return err
	}
	return f(h.audit, filter)
}

func listAudit(ctx context.Context, log *audit.Log, f audit.Filter, out io.Writer) error {
	list, err := log.List(ctx, f)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tTIME\tACTOR\tACTION\tOBJECT\tFROM")
	for _, r := range list {
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.At.UTC().Format(time.RFC3339),
			plain(r.Name), r.Action, plain(object(r)), plain(r.RemoteAddr))
	}
	return w.Flush()
}

// object names what an entry is about: group 5 Analysts.
func object(r audit.Record) string {
	parts := []string{r.ObjectKind}
	if r.ObjectID != 0 {
		parts = append(parts, strconv.FormatInt(r.ObjectID, 10))
	}
	if r.ObjectName != "" {
		parts = append(parts, r.ObjectName)
	}
	return strings.Join(parts, " ")
}

// plain keeps signs that would steer a terminal from reaching it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}
