package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/secret"
)

// groupNamed finds a group by its name in any case.
func groupNamed(groups *group.Service, name string) (group.Group, error) {
	var names []string
	for _, g := range groups.Snapshot().ByName {
		if strings.EqualFold(g.Name, name) {
			return g, nil
		}
		names = append(names, g.Name)
	}
	if guess := config.Suggest(name, names); guess != "" {
		return group.Group{}, fmt.Errorf("there is no group %q; did you mean %q?", name, guess)
	}
	return group.Group{}, fmt.Errorf("there is no group %q; create it on the page Admin settings, People, Groups, or name one of: %s",
		name, strings.Join(names[:min(len(names), 10)], ", "))
}

func keyDeleteCommand() command {
	return command{
		Command: config.Command{Name: "key delete", Args: "<id>", About: "Deletes an API key. It stops working at once; a server that is running sees it within a second."},
		short:   "delete an API key",
		run: func(ctx context.Context, c call) error {
			if len(c.rest) != 1 {
				return usagef("key delete needs the id of one key; see: latchkey key list")
			}
			id, err := strconv.ParseInt(c.rest[0], 10, 64)
			if err != nil || id < 1 {
				return usagef("key delete takes the id of a key, which is a number; see: latchkey key list") // not repeated: it may be a key
			}
			h, err := openExisting(ctx, c.cfg, c.log)
			if err != nil {
				return err
			}
			defer h.db.Close()
			err = h.keys.Delete(ctx, access.CommandLine(), id)
			if fault.Is(err, fault.NotFound) {
				return fmt.Errorf("there is no key %d; see: latchkey key list", id)
			}
			if err != nil {
				return fmt.Errorf("key %d: %w", id, err)
			}
			_, err = fmt.Fprintf(c.Stdout, "Key %d is deleted.\n", id)
			return err
		},
	}
}

func keyVerifyCommand() command {
	var offline bool
	var server string
	return command{
		Command: config.Command{
			Name: "key verify", Args: "[key]",
			About: "Checks a key: first its form and checksum, which needs nothing but the key, then whether it works. " +
				"The key is read from the variable LATCHKEY_API_KEY or from standard input; as an argument it works too, but other accounts of the machine may see it.",
			Flags: func(f *flag.FlagSet) {
				f.BoolVar(&offline, "offline", false, "Check the form and the checksum only.")
				f.StringVar(&server, "url", "", "Ask the server at this `address` instead of the database.")
			},
		},
		short: "check an API key",
		run:   func(ctx context.Context, c call) error { return verifyKey(ctx, c, offline, server) },
	}
}

func verifyKey(ctx context.Context, c call, offline bool, server string) error {
	text, err := keyText(c)
	if err != nil {
		return err
	}
	if !apikey.WellFormed(text.Reveal()) {
		return errors.New("this is not a key of Latchkey: its form or its checksum is wrong; check that it was copied whole")
	}
	_, _ = fmt.Fprintln(c.Stdout, "form and checksum: right")
	switch {
	case offline:
		return nil
	case server != "":
		return verifyAt(ctx, c, server, text)
	}
	return verifyHere(ctx, c, text)
}

func keyText(c call) (secret.Text, error) {
	if len(c.rest) > 1 {
		return secret.Text{}, usagef("key verify takes one key")
	}
	if len(c.rest) == 1 {
		return secret.New(c.rest[0]), nil
	}
	for _, v := range c.Environ {
		if text, ok := strings.CutPrefix(v, "LATCHKEY_API_KEY="); ok && text != "" {
			return secret.New(text), nil
		}
	}
	line, err := bufio.NewReader(io.LimitReader(c.Stdin, 4096)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return secret.Text{}, usagef("key verify needs a key: set LATCHKEY_API_KEY, or write it to standard input (%v)", err)
	}
	return secret.New(line), nil
}

// verifyHere asks the database of this instance.
func verifyHere(ctx context.Context, c call, text secret.Text) error {
	h, err := openExisting(ctx, c.cfg, c.log)
	if err != nil {
		return fmt.Errorf("cannot ask whether the key works: %w; --url asks a server, --offline checks the form only", err)
	}
	defer h.db.Close()
	check, err := h.verifier.Verify(ctx, text.Reveal(), netip.IPv6Loopback())
	if err != nil {
		return err
	}
	who := check.Principal
	if who == nil {
		return fmt.Errorf("the key does not work here: %s", why(check.Reason))
	}
	var groups []string
	for _, id := range who.Groups {
		if g, ok := h.groups.Snapshot().ByID(id); ok {
			groups = append(groups, g.Name)
		}
	}
	_, err = fmt.Fprintf(c.Stdout, "works: key %q, groups %s\n", who.Name, strings.Join(groups, ", "))
	return err
}

// why says in words why a key was refused.
func why(r apikey.Reason) string {
	switch r {
	case apikey.Unknown:
		return "no key of this instance, or deleted"
	case apikey.Inactive:
		return "the user behind it is deactivated"
	}
	return r.String()
}

// verifyAt asks a server over HTTP. It follows no redirect: the key goes to the
// address that was given and nowhere else.
func verifyAt(ctx context.Context, c call, server string, text secret.Text) error {
	at, err := url.Parse(server)
	if err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
		return usagef("key verify: --url %q is not an address such as http://localhost:3000", server)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("/api/user/current").String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Api-Key", text.Reveal())
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("cannot reach %s: %w", server, err)
	}
	defer func() { _ = res.Body.Close() }()
	var user struct {
		Name string `json:"common_name"`
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the key does not work at %s", server)
	case res.Header.Get("Location") != "":
		return fmt.Errorf("%s redirects to %s; if that is the right address, give it to --url", server, res.Header.Get("Location"))
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answered %s", server, res.Status)
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&user)
	if err != nil || user.Name == "" {
		return fmt.Errorf("%s does not answer like a server of Latchkey", server)
	}
	_, err = fmt.Fprintf(c.Stdout, "works at %s: key %q\n", server, user.Name)
	return err
}
