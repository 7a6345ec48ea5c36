package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/secret"
)

// The functions below make the set function of an option. Their errors say in
// one line what is wrong and what to write instead; those of secrets never
// repeat the value.

func text(to *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("is empty")
		}
		*to = s
		return nil
	}
}

func choice(to *string, values ...string) func(string) error {
	return func(s string) error {
		s = strings.ToLower(s)
		if !slices.Contains(values, s) {
			return fmt.Errorf("%q is not known; write %s", s, oneOf(values))
		}
		*to = s
		return nil
	}
}

func level(to *slog.Level) func(string) error {
	var name string
	check := choice(&name, "debug", "info", "warn", "error")
	return func(s string) error {
		if err := check(s); err != nil {
			return err
		}
		return to.UnmarshalText([]byte(name))
	}
}

func boolean(to *bool) func(string) error {
	return func(s string) error {
		switch strings.ToLower(s) {
		case "true", "yes", "on", "1":
			*to = true
		case "false", "no", "off", "0":
			*to = false
		default:
			return fmt.Errorf("%q is neither true nor false", s)
		}
		return nil
	}
}

func number(to *int, low, high int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a whole number from %d to %d", s, low, high)
		}
		*to = n
		return nil
	}
}

func passwordLength(to *int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n != 0 && (n < 6 || n > 128) {
			return fmt.Errorf("%q is neither 0 nor a whole number from 6 to 128", s)
		}
		*to = n
		return nil
	}
}

func minutes(to *time.Duration, low int) func(string) error {
	const tenYears = 10 * 365 * 24 * 60
	var n int
	check := number(&n, low, tenYears)
	return func(s string) error {
		if err := check(s); err != nil {
			return fmt.Errorf("%w, in minutes", err)
		}
		*to = time.Duration(n) * time.Minute
		return nil
	}
}

func duration(to *time.Duration) func(string) error {
	return func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 || d > time.Hour {
			return fmt.Errorf("%q is not a time of at most an hour; write 20s or 1m30s", s)
		}
		*to = d
		return nil
	}
}

// units of size, longest name first.
func units() []struct {
	name string
	size int64
} {
	return []struct {
		name string
		size int64
	}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1000}, {"mb", 1000 * 1000}, {"gb", 1000 * 1000 * 1000}, {"b", 1}, {"", 1}}
}

func size(to *int64, low, high int64) func(string) error {
	return func(s string) error {
		digits := strings.TrimRight(strings.ToLower(s), "kmgib")
		unit := strings.ToLower(s)[len(digits):]
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		for _, u := range units() {
			if u.name == unit && err == nil && n >= 0 && n <= math.MaxInt64/u.size && n*u.size >= low && n*u.size <= high {
				*to = n * u.size
				return nil
			}
		}
		return fmt.Errorf("%q is not a size from %d to %d bytes; write 1048576, 512KiB or 1MiB", s, low, high)
	}
}

func address(to *string) func(string) error {
	return func(s string) error {
		_, port, err := net.SplitHostPort(s)
		n, perr := strconv.Atoi(port)
		if err != nil || perr != nil || n < 0 || n > 65535 {
			return fmt.Errorf("%q is not host:port; write 127.0.0.1:3000, or :3000 for all addresses", s)
		}
		*to = s
		return nil
	}
}

func hostname(to *string) func(string) error {
	return func(s string) error {
		if s == "" || strings.ContainsAny(s, ":/@ ") {
			return fmt.Errorf("%q is not a host name; write smtp.example.com, and the port as smtp-port", s)
		}
		*to = s
		return nil
	}
}

// items splits a list at commas and white space.
func items(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
}

func networks(to *[]netip.Prefix) func(string) error {
	return func(s string) error {
		var all []netip.Prefix
		for _, item := range items(s) {
			p, err := network(item)
			if err != nil {
				return fmt.Errorf("%q is not an address or network; write 10.0.0.7 or 10.0.0.0/8", item)
			}
			all = append(all, p)
		}
		*to = all
		return nil
	}
}

func network(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, errors.New("not an address")
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func origins(to *[]string) func(string) error {
	return func(s string) error {
		var all []string
		for _, item := range items(s) {
			u, err := url.Parse(item)
			if err != nil || !webAddress(u) || strings.TrimSuffix(u.Path, "/") != "" || strings.Contains(u.Host, "*") {
				return fmt.Errorf("%q is not an origin; write https://app.example.com, without a path or *", item)
			}
			all = append(all, strings.ToLower(u.Scheme+"://"+u.Host))
		}
		*to = all
		return nil
	}
}

func siteURL(to *string) func(string) error {
	return func(s string) error {
		u, err := url.Parse(s)
		if err != nil || !webAddress(u) {
			return fmt.Errorf("%q is not a web address; write https://data.example.com", s)
		}
		*to = strings.TrimRight(u.String(), "/")
		return nil
	}
}

// webAddress reports whether u is http(s)://host[:port][/path] and no more.
func webAddress(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == "" && !u.ForceQuery
}

func keyPrefix(to *string) func(string) error {
	form := regexp.MustCompile(`^[A-Za-z]{2,8}_?$`)
	return func(s string) error {
		if !form.MatchString(s) {
			return fmt.Errorf("%q is not a key prefix; write 2 to 8 letters, such as lk_ or mb_", s)
		}
		*to = strings.TrimSuffix(s, "_") + "_"
		return nil
	}
}

func email(to *string) func(string) error {
	return func(s string) error {
		a, err := mail.ParseAddress(s)
		if err != nil || a.Address != s {
			return fmt.Errorf("%q is not an e-mail address; write somebody@example.com", s)
		}
		*to = s
		return nil
	}
}

func sender(to *string) func(string) error {
	return func(s string) error {
		if _, err := mail.ParseAddress(s); err != nil {
			return fmt.Errorf("%q is not a sender; write latchkey@example.com or Latchkey <latchkey@example.com>", s)
		}
		*to = s
		return nil
	}
}

// hidden stores a secret that passes check, which may be nil.
func hidden(to *secret.Text, check func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("is empty")
		}
		if check != nil {
			if err := check(s); err != nil {
				return err
			}
		}
		*to = secret.New(s)
		return nil
	}
}

func postgresURL(s string) error {
	if !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") {
		return errors.New("does not begin with postgres:// or postgresql://; leave it out to use SQLite in the data directory")
	}
	if _, err := url.Parse(s); err != nil {
		return errors.New("is not a URL; write postgres://user:password@host:5432/name, with special signs in the password as %xx")
	}
	return nil
}

// bearer checks a token that is to be sent in a header.
func bearer(s string) error {
	const least = 16
	if len(s) < least || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("is not a token of %d or more letters, digits and signs without spaces; make one with: openssl rand -hex 32", least)
	}
	return nil
}

// bootstrapKey checks the text of an API key that must not be guessed.
func bootstrapKey(s string) error {
	const least, most = 32, 254
	if len(s) < least || len(s) > most || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("is not a key of %d to %d letters, digits and signs without spaces; make one with: latchkey key generate", least, most)
	}
	return nil
}

// pepper checks a pepper's text, as package apikey will read it.
func pepper(s string) error {
	const least = 32
	b, err := pepperBytes(s)
	if err == nil && len(b) < least {
		err = fmt.Errorf("holds %d bytes and needs %d or more; make one with: openssl rand -base64 32", len(b), least)
	}
	return err
}

// pepperBytes decodes hex, or base64 in either alphabet.
func pepperBytes(s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if b, err := decode(s); err == nil {
			return b, nil
		}
	}
	return nil, errors.New("is neither base64 nor hex; make one with: openssl rand -base64 32")
}

// oneOf writes "a, b or c".
func oneOf(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}
