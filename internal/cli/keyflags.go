package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
)

// texts is a flag that may be repeated; an empty one stands for none.
type texts struct{ opt.Value[[]string] }

// String implements flag.Value.
func (t *texts) String() string { return "" }

// Set implements flag.Value.
func (t *texts) Set(s string) error {
	t.Value.Set = true
	if s != "" {
		t.V = append(t.V, s)
	}
	return nil
}

// text is a flag that may be absent.
type text struct{ opt.Value[string] }

// String implements flag.Value.
func (t *text) String() string { return "" }

// Set implements flag.Value.
func (t *text) Set(s string) error {
	t.Value = opt.Of(s)
	return nil
}

// keyFlags are what key create and key update say of a key.
type keyFlags struct {
	description, owner, successor, expires text
	groups, tags                           texts
}

func (k *keyFlags) declare(f *flag.FlagSet) {
	f.Var(&k.groups, "group", "`Name` of a group whose permissions the key gets. May be repeated; without any the key has those of All Users.")
	f.Var(&k.description, "description", "What the key is for.")
	f.Var(&k.owner, "owner", "`E-mail` address of the person who answers for the key.")
	f.Var(&k.successor, "successor", "`E-mail` address of the person who follows when the owner is deactivated.")
	f.Var(&k.tags, "tag", "A `word` to find the key by. May be repeated.")
	f.Var(&k.expires, "expires", "When the key ends: a `time` such as 2027-06-30 or 2027-06-30T08:00:00Z, so long from now: 90d, 12h, or never. Without it, as the policy says.")
}

// given reports whether any flag says something.
func (k *keyFlags) given() bool {
	return k.description.Value.Set || k.owner.Value.Set || k.successor.Value.Set || k.expires.Value.Set || k.groups.Value.Set || k.tags.Value.Set
}

// change is what the flags say, with ids for names.
func (k *keyFlags) change(ctx context.Context, h *house) (apikey.Change, error) {
	c := apikey.Change{Description: k.description.Value, Tags: k.tags.Value}
	var err error
	if k.groups.Value.Set {
		ids := []int64{access.AllUsers}
		for _, name := range k.groups.V {
			g, err := groupNamed(h.groups, name)
			if err != nil {
				return c, err
			}
			ids = append(ids, g.ID)
		}
		c.Groups = opt.Of(ids)
	}
	if c.OwnerID, err = personNamed(ctx, h, k.owner); err != nil {
		return c, err
	}
	if c.SuccessorID, err = personNamed(ctx, h, k.successor); err != nil {
		return c, err
	}
	c.ExpiresAt, err = k.end(h.db.Now(ctx))
	return c, err
}

func (k *keyFlags) end(now time.Time) (opt.Value[time.Time], error) {
	switch s, ok := k.expires.Get(); {
	case !ok:
		return opt.Value[time.Time]{}, nil
	case s == "never":
		return opt.Null[time.Time](), nil
	default:
		t, err := future("expires", s, now)
		return opt.Of(t), err
	}
}

// personNamed returns the id of the person with an address; an empty address
// is nobody.
func personNamed(ctx context.Context, h *house, email text) (opt.Value[int64], error) {
	s, ok := email.Get()
	if !ok {
		return opt.Value[int64]{}, nil
	}
	if s == "" {
		return opt.Of(int64(0)), nil
	}
	u, err := h.people.ByEmail(ctx, access.CommandLine(), s)
	if fault.Is(err, fault.NotFound) || err == nil && !u.Active {
		return opt.Value[int64]{}, fmt.Errorf("no active person has the e-mail address %q", s)
	}
	return opt.Of(u.ID), err
}

// future reads a time, or how long it is until then.
func future(flag, s string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, usagef("--%s %q is no time such as 2027-06-30, 2027-06-30T08:00:00Z, 12h or 90d", flag, s)
}

// restrictionFlags say what a key may do less than its groups.
type restrictionFlags struct {
	json     text
	readOnly bool
}

func (r *restrictionFlags) declare(f *flag.FlagSet) {
	f.Var(&r.json, "restriction", "What the key may do less than its groups, as `JSON`; @file reads it from a file.")
	f.BoolVar(&r.readOnly, "read-only", false, "The key may only read.")
}

func (r *restrictionFlags) given() bool { return r.json.Value.Set || r.readOnly }

// jsonFlag returns the JSON that a flag gives, or names a file for with @.
func jsonFlag(flag, value string) ([]byte, error) {
	path, ok := strings.CutPrefix(value, "@")
	if !ok {
		return []byte(value), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return raw, nil
}

// read returns the restriction that the flags say. An empty file or variable is
// a mistake that would leave the key with all rights.
func (r *restrictionFlags) read() (access.Restriction, error) {
	if !r.json.Value.Set {
		return access.Restriction{ReadOnly: r.readOnly}, nil
	}
	raw, err := jsonFlag("restriction", r.json.V)
	if err != nil {
		return access.Restriction{}, err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return access.Restriction{}, usagef("--restriction is empty; write JSON such as {\"read_only\": true}, or leave the flag out")
	}
	out, err := access.ParseRestriction(raw)
	out.ReadOnly = out.ReadOnly || r.readOnly
	return out, err
}

// keyCommand declares a command about one key, which it finds.
func keyCommand(cmd config.Command, short string, run func(ctx context.Context, c call, h *house, k apikey.Key) error) command {
	if cmd.Args == "" {
		cmd.Args = "<name or id>"
	}
	want := strings.Count(cmd.Args, "<")
	return command{Command: cmd, short: short, run: func(ctx context.Context, c call) error {
		if len(c.rest) != want {
			return usagef("%s needs %s; see: latchkey key list", cmd.Name, cmd.Args)
		}
		h, err := openExisting(ctx, c.cfg, c.log)
		if err != nil {
			return err
		}
		defer h.db.Close()
		k, err := h.keyNamed(ctx, c.rest[0])
		if err != nil {
			return err
		}
		return run(ctx, c, h, k)
	}}
}

// keyNamed finds a key by its id, or a service key by its name. What was typed
// is not repeated: it may be the text of a key.
func (h *house) keyNamed(ctx context.Context, s string) (apikey.Key, error) {
	missing := fmt.Errorf("there is no such key; name one by its id or its name (personal and deleted keys by the id), see: latchkey key list")
	if id, err := strconv.ParseInt(s, 10, 64); err == nil {
		k, err := h.keys.GetAny(ctx, access.CommandLine(), id)
		if !fault.Is(err, fault.NotFound) {
			return k, err
		}
	}
	if apikey.WellFormed(s) {
		return apikey.Key{}, missing
	}
	list, _, err := h.keys.List(ctx, access.CommandLine(), apikey.Filter{Query: s})
	if err != nil {
		return apikey.Key{}, err
	}
	for _, k := range list {
		if k.Name == s {
			return k, nil
		}
	}
	return apikey.Key{}, missing
}
