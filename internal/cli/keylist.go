package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
)

// keyFilter is the flags of key list.
type keyFilter struct {
	state, tag, expiring, group string
	owner                       text
	personal, asJSON            bool
}

func (k *keyFilter) declare(f *flag.FlagSet) {
	f.StringVar(&k.state, "state", "", "Only keys that are `active`, disabled, expired or deleted; without it all but those deleted.")
	f.Var(&k.owner, "owner", "Only keys of the person with this `e-mail` address.")
	f.StringVar(&k.tag, "tag", "", "Only keys with this `word`.")
	f.StringVar(&k.group, "group", "", "Only keys in the group with this `name`.")
	f.StringVar(&k.expiring, "expiring", "", "Only active keys that end within this `time`, such as 30d, or before a date.")
	f.BoolVar(&k.personal, "personal", false, "The personal keys, which act as the person who made them.")
	f.BoolVar(&k.asJSON, "json", false, "Print the keys as JSON.")
}

// filter returns what the flags choose.
func (k *keyFilter) filter(ctx context.Context, h *house) (apikey.Filter, error) {
	f := apikey.Filter{State: apikey.State(k.state), Tag: k.tag}
	if states := []apikey.State{"", apikey.Active, apikey.Disabled, apikey.Expired, apikey.Deleted}; !slices.Contains(states, f.State) {
		return f, usagef("--state %q is not known; write active, disabled, expired or deleted", k.state)
	}
	if k.personal {
		f.Kind = apikey.KindPersonal
	}
	if k.expiring != "" {
		t, err := future("expiring", k.expiring, h.db.Now(ctx))
		if err != nil {
			return f, err
		}
		f.Before = &t
		if f.State == "" {
			f.State = apikey.Active
		}
	}
	if k.group != "" {
		g, err := groupNamed(h.groups, k.group)
		if err != nil {
			return f, err
		}
		f.GroupID = g.ID
	}
	owner, err := personNamed(ctx, h, k.owner)
	f.OwnerID = owner.Or(0)
	return f, err
}

func keyListCommand() command {
	var flags keyFilter
	return command{
		Command: config.Command{
			Name: "key list", About: "Lists the API keys: id, name, groups, the beginning of the text, state, end, and when it was last modified.", Flags: flags.declare,
		},
		short: "list the API keys",
		run: func(ctx context.Context, c call) error {
			if len(c.rest) > 0 {
				return usagef("key list takes no arguments, only flags") // not repeated: it may be a key
			}
			h, err := openExisting(ctx, c.cfg, c.log)
			if err != nil {
				return err
			}
			defer h.db.Close()
			f, err := flags.filter(ctx, h)
			if err != nil {
				return err
			}
			keys, _, err := h.keys.List(ctx, access.CommandLine(), f)
			if err != nil {
				return err
			}
			if flags.asJSON {
				return keysAsJSON(c.Stdout, keys, h.db.Now(ctx))
			}
			return tableOfKeys(c.Stdout, keys, h.db.Now(ctx))
		},
	}
}

func keysAsJSON(w io.Writer, keys []apikey.Key, now time.Time) error {
	out := make([]map[string]any, len(keys))
	for i, k := range keys {
		out[i] = showKey(k, now)
	}
	return json.NewEncoder(w).Encode(out)
}

func tableOfKeys(out io.Writer, keys []apikey.Key, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tNAME\tGROUP\tKEY\tSTATE\tENDS\tMODIFIED")
	for _, k := range keys {
		_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s…\t%s\t%s\t%s\n", k.ID, k.Name, groupsOf(k), k.Prefix, k.State(now), moment(k.ExpiresAt, "never"), stamp(k.UpdatedAt))
	}
	return w.Flush()
}

// groupsOf names the groups of a key.
func groupsOf(k apikey.Key) string {
	if len(k.Groups) == 0 {
		return k.Group.Name
	}
	var names []string
	for _, g := range k.Groups {
		names = append(names, g.Name)
	}
	return strings.Join(names, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// moment is a time for people, or what it means that there is none.
func moment(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return stamp(*t)
}

// showKey is a key as JSON shows it, with the names of the API.
func showKey(k apikey.Key, now time.Time) map[string]any {
	out := map[string]any{
		"id": k.ID, "kind": k.Kind, "name": k.Name, "description": k.Description, "state": k.State(now), "prefix": k.Prefix,
		"user_id": k.UserID, "groups": refs(k.Groups), "owner": ref(k.Owner), "successor": ref(k.Successor), "tags": append([]string{}, k.Tags...),
		"restriction": k.Restriction, "trial": k.Trial, "expires_at": k.ExpiresAt, "expired_at": k.ExpiredAt, "review_since": k.ReviewSince,
		"source": k.Source, "created_at": k.CreatedAt, "created_by": ref(k.CreatedBy), "updated_at": k.UpdatedAt, "updated_by": ref(k.UpdatedBy),
		"deleted_at": k.DeletedAt, "disabled": nil,
	}
	if k.State(now) == apikey.Disabled {
		out["disabled"] = map[string]any{"at": k.DisabledAt, "until": k.DisabledUntil, "reason": k.DisabledReason, "by": ref(k.DisabledBy)}
	}
	return out
}

// ref is somebody or a group beside a key; nobody is null.
func ref(r apikey.Ref) any {
	switch {
	case r == apikey.Ref{}:
		return nil
	case r.ID == 0:
		return map[string]any{"id": nil, "name": r.Name}
	}
	return map[string]any{"id": r.ID, "name": r.Name}
}

func refs(list []apikey.Ref) []any {
	out := make([]any, len(list))
	for i, r := range list {
		out[i] = ref(r)
	}
	return out
}
