package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/config"
	"latchkey/internal/cookie"
	"latchkey/internal/endpoint"
	"latchkey/internal/server"
)

// explainFlags are the rest of the call that key explain is about.
type explainFlags struct{ body, address, at string }

func (e *explainFlags) declare(f *flag.FlagSet) {
	f.StringVar(&e.body, "body", "", "The body of the call, as `JSON`; @file reads it from a file.")
	f.StringVar(&e.address, "address", "127.0.0.1", "The `address` that the call comes from.")
	f.StringVar(&e.at, "at", "", "The `time` of the call, such as 2027-06-30T08:00:00Z or 12h from now; without it now.")
}

// asked is the call that the flags and arguments describe.
func (e *explainFlags) asked(k apikey.Key, method, path string, now time.Time) (endpoint.Asked, error) {
	call := endpoint.Asked{KeyID: k.ID, Method: strings.ToUpper(method), Path: path, At: now}
	var err error
	if call.From, err = netip.ParseAddr(e.address); err != nil {
		return call, usagef("--address %q is no address such as 192.0.2.7", e.address)
	}
	if !strings.HasPrefix(path, "/") {
		return call, usagef("%q is no path such as /api/user/7", path)
	}
	if e.at != "" {
		if call.At, err = future("at", e.at, now); err != nil {
			return call, err
		}
	}
	call.Body, err = jsonFlag("body", e.body)
	return call, err
}

func keyExplainCommand() command {
	var flags explainFlags
	return keyCommand(config.Command{
		Name: "key explain", Args: "<name or id> <method> <path>",
		About: "Says whether a key may make a call, and which check decides. Nothing is called. The exit code is 1 when the key is refused.",
		Flags: flags.declare,
	}, "say whether an API key may make a call", func(ctx context.Context, c call, h *house, k apikey.Key) error {
		asked, err := flags.asked(k, c.rest[1], c.rest[2], h.db.Now(ctx))
		if err != nil {
			return err
		}
		e, err := h.explain(ctx, c, asked)
		if err != nil {
			return err
		}
		if err := printExplanation(c.Stdout, e); err != nil {
			return err
		}
		if !e.Allowed {
			return fmt.Errorf("refused with %d (%s)", e.Status, e.Code)
		}
		return nil
	})
}

// explain asks the APIs as they would be served.
func (h *house) explain(ctx context.Context, c call, asked endpoint.Asked) (endpoint.Explanation, error) {
	auth, proxies := server.Authenticator{}, endpoint.Proxies{} // nothing is served
	dialect, err := newAPI(c, h, auth, cookie.Jar{}, proxies)
	if err != nil {
		return endpoint.Explanation{}, err
	}
	own, err := newV1(c, h, auth, proxies, dialect)
	if err != nil {
		return endpoint.Explanation{}, err
	}
	return own.Explain(ctx, access.CommandLine(), asked)
}

func printExplanation(out io.Writer, e endpoint.Explanation) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	if e.Route != nil {
		_, _ = fmt.Fprintf(w, "route\t%s\t%s\n", e.Route.Pattern(), e.Route.Doc)
	}
	for _, s := range e.Steps {
		mark := "ok"
		if !s.Passed {
			mark = "FAILS"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, mark, s.Detail)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	verdict := "allowed"
	switch {
	case e.Anonymous:
		verdict = "allowed, as an anonymous caller"
	case !e.Allowed:
		verdict = "refused"
	}
	if e.Trial != nil {
		verdict += "; the restriction on trial would refuse it: " + e.Trial.Message
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", verdict, e.Message)
	return err
}
