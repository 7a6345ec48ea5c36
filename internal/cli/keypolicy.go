package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/fault"
)

// instanceWide is what the policy of the whole instance is called.
const instanceWide = "(instance)"

// policyGroup returns the group that --group names; none is the instance.
func policyGroup(h *house, name string) (int64, string, error) {
	if name == "" {
		return apikey.Instance, instanceWide, nil
	}
	g, err := groupNamed(h.groups, name)
	return g.ID, g.Name, err
}

func keyPolicyListCommand() command {
	var asJSON bool
	return command{
		Command: config.Command{
			Name: "key policy list", About: "Lists the policies for keys. Of those that apply to a key the strictest holds, and what one of them permits is permitted.",
			Flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "Print the policies as JSON.") },
		},
		short: "list the policies for keys",
		run: func(ctx context.Context, c call) error {
			if len(c.rest) > 0 {
				return usagef("key policy list takes no arguments, only flags")
			}
			h, err := openExisting(ctx, c.cfg, c.log)
			if err != nil {
				return err
			}
			defer h.db.Close()
			all, err := h.keys.Policies(ctx, access.CommandLine())
			if err != nil {
				return err
			}
			if asJSON {
				return policiesAsJSON(c.Stdout, all)
			}
			w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "FOR\tRULES")
			for _, p := range all {
				_, _ = fmt.Fprintf(w, "%s\t%s\n", policyName(h, p.GroupID), rules(p))
			}
			return w.Flush()
		},
	}
}

func policiesAsJSON(w io.Writer, all []apikey.Policy) error {
	out := make([]map[string]any, len(all))
	for i, p := range all {
		out[i] = map[string]any{"group_id": p.GroupID, "policy": p, "updated_at": p.UpdatedAt}
	}
	return json.NewEncoder(w).Encode(out)
}

func policyName(h *house, id int64) string {
	if id == apikey.Instance {
		return instanceWide
	}
	g, _ := h.groups.Snapshot().ByID(id)
	return g.Name
}

// noRules is what a policy without rules says.
const noRules = "none"

// rules is what a policy says, for people.
func rules(p apikey.Policy) string {
	var out []string
	for _, r := range []struct {
		n    int
		text string
	}{
		{p.DefaultDays, "%d days unless told otherwise"}, {p.MaxDays, "at most %d days"}, {p.MaxOverlapDays, "rotations overlap at most %d days"},
	} {
		if r.n > 0 {
			out = append(out, fmt.Sprintf(r.text, r.n))
		}
	}
	if l := p.RateLimit; l != nil {
		out = append(out, fmt.Sprintf("%d requests in %d seconds", l.Requests, l.Seconds))
	}
	for _, r := range []struct {
		on   bool
		text string
	}{{p.AllowPersonal, "people may have personal keys"}, {p.SelfRotate, "keys may rotate themselves"}, {p.SelfRevoke, "keys may end themselves"}} {
		if r.on {
			out = append(out, r.text)
		}
	}
	if len(out) == 0 {
		return noRules
	}
	return strings.Join(out, "; ")
}

// policyFlags are the rules of key policy set, which replace all there were.
type policyFlags struct {
	group, rate string
	policy      apikey.Policy
	cap, dryRun bool
}

func (p *policyFlags) declare(f *flag.FlagSet) {
	f.StringVar(&p.group, "group", "", "`Name` of the group whose keys the policy is about; without it the whole instance.")
	f.IntVar(&p.policy.DefaultDays, "default-days", 0, "How many days a key lives whose maker names no end.")
	f.IntVar(&p.policy.MaxDays, "max-days", 0, "How many days a key lives at most.")
	f.IntVar(&p.policy.MaxOverlapDays, "max-overlap-days", 0, "How many days the old text of a rotated key works at most.")
	f.StringVar(&p.rate, "rate-limit", "", "How often each key may call: `requests/seconds`, such as 100/60.")
	f.BoolVar(&p.policy.AllowPersonal, "allow-personal", false, "People may make keys for themselves.")
	f.BoolVar(&p.policy.SelfRotate, "self-rotate", false, "A key may rotate itself.")
	f.BoolVar(&p.policy.SelfRevoke, "self-revoke", false, "A key may end itself.")
	f.BoolVar(&p.cap, "cap", false, "Give keys that live too long an earlier end, at the earliest in a day. Otherwise keys that are there stay as they are.")
	f.BoolVar(&p.dryRun, "dry-run", false, "List the keys that do not fulfil the policy, and change nothing.")
}

func (p *policyFlags) read() error {
	if p.rate == "" {
		return nil
	}
	requests, seconds, _ := strings.Cut(p.rate, "/")
	n, err := strconv.ParseInt(requests, 10, 64)
	s, errSeconds := strconv.ParseInt(seconds, 10, 64)
	if err != nil || errSeconds != nil {
		return usagef("--rate-limit %q is not requests/seconds, such as 100/60", p.rate)
	}
	p.policy.RateLimit = &access.RateLimit{Requests: n, Seconds: s}
	return nil
}

func keyPolicySetCommand() command {
	var flags policyFlags
	return command{
		Command: config.Command{
			Name: "key policy set", About: "Puts a policy for the keys of a group, or of the whole instance, in force in place of the one before, and lists the keys that do not fulfil it.",
			Flags: flags.declare,
		},
		short: "set a policy for keys, or preview it",
		run:   func(ctx context.Context, c call) error { return setPolicy(ctx, c, &flags) },
	}
}

func setPolicy(ctx context.Context, c call, flags *policyFlags) error {
	if len(c.rest) > 0 {
		return usagef("key policy set takes no arguments, only flags: %q", c.rest[0])
	}
	if err := flags.read(); err != nil {
		return err
	}
	if rules(flags.policy) == noRules {
		return usagef("key policy set needs a rule, because it replaces all that there are; to have none: latchkey key policy remove")
	}
	h, err := openExisting(ctx, c.cfg, c.log)
	if err != nil {
		return err
	}
	defer h.db.Close()
	id, name, err := policyGroup(h, flags.group)
	if err != nil {
		return err
	}
	existing := apikey.Existing{Cap: flags.cap}
	var found apikey.Violators
	if flags.dryRun {
		found, err = h.keys.Preview(ctx, access.CommandLine(), id, flags.policy, existing)
	} else {
		_, found, err = h.keys.SetPolicy(ctx, access.CommandLine(), id, flags.policy, existing)
	}
	if err != nil {
		return err
	}
	if err := printViolators(c.Stdout, found); err != nil || flags.dryRun {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "The policy of %s is: %s.\n", name, rules(flags.policy))
	return err
}

func printViolators(out io.Writer, v apikey.Violators) error {
	if v.Total == 0 {
		_, err := fmt.Fprintln(out, "All keys fulfil the policy.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tNAME\tPROBLEM\tNEW END\tDETAIL")
	for _, x := range v.List {
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", x.Key.ID, x.Key.Name, x.Problem, moment(x.NewEnd, "-"), x.Detail)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Keys that do not fulfil the policy: %d.\n", v.Total)
	return err
}

func keyPolicyRemoveCommand() command {
	var group string
	return command{
		Command: config.Command{
			Name: "key policy remove", About: "Takes the policy of a group, or of the whole instance, out of force.",
			Flags: func(f *flag.FlagSet) {
				f.StringVar(&group, "group", "", "`Name` of the group; without it the whole instance.")
			},
		},
		short: "remove a policy for keys",
		run: func(ctx context.Context, c call) error {
			if len(c.rest) > 0 {
				return usagef("key policy remove takes no arguments, only flags: %q", c.rest[0])
			}
			h, err := openExisting(ctx, c.cfg, c.log)
			if err != nil {
				return err
			}
			defer h.db.Close()
			id, name, err := policyGroup(h, group)
			if err != nil {
				return err
			}
			err = h.keys.RemovePolicy(ctx, access.CommandLine(), id)
			if fault.Is(err, fault.NotFound) {
				return fmt.Errorf("%s has no policy; see: latchkey key policy list", name)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.Stdout, "The policy of %s is removed.\n", name)
			return err
		},
	}
}
