package usage

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"latchkey/internal/db"
)

// sizes are how many rows, or ids, one statement takes. They are few so that
// there are few texts of statements, which databases and db keep, and small
// because the driver of SQLite looks for each parameter among all.
func sizes() []int { return []int{32, 4, 1} }

// insert is a statement that writes rows of a width.
type insert struct {
	head, tail string
	width      int
}

func (i insert) text(rows int) string {
	b := make([]byte, 0, len(i.head)+len(i.tail)+rows*i.width*7)
	b = append(b, i.head...)
	b = append(b, " VALUES "...)
	n := 0
	for r := range rows {
		if r > 0 {
			b = append(b, ',')
		}
		for c := range i.width {
			b = append(b, "(,"[min(c, 1)], '?')
			n++
			b = strconv.AppendInt(b, int64(n), 10)
		}
		b = append(b, ')')
	}
	b = append(b, ' ')
	return string(append(b, i.tail...))
}

// each calls f with statements for all rows.
func (i insert) each(args []any, f func(q string, args []any) error) error {
	for _, size := range sizes() {
		n := size * i.width
		q := ""
		for ; len(args) >= n; args = args[n:] {
			if q == "" {
				q = i.text(size)
			}
			if err := f(q, args[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// run writes all rows.
func (i insert) run(ctx context.Context, d *db.DB, args []any) error {
	return i.each(args, func(q string, args []any) error {
		_, err := d.Exec(ctx, q, args...)
		return err
	})
}

// among calls f with lists of the values, for "IN " and their arguments. The
// list begins with placeholder ?1.
func among[T any](values []T, f func(list string, args []any) error) error {
	for _, size := range sizes() {
		for ; len(values) >= size; values = values[size:] {
			args := make([]any, size)
			for i, v := range values[:size] {
				args[i] = v
			}
			if err := f(db.List(1, size), args); err != nil {
				return err
			}
		}
	}
	return nil
}

// The statements of a flush. Rows that are there are added to.
func putCounters() insert {
	return insert{
		head: "INSERT INTO usage_hour (key_id, hour, secret_id, route_id, class, n, last_at)",
		tail: "ON CONFLICT (key_id, hour, secret_id, route_id, class) DO UPDATE SET n = usage_hour.n + excluded.n, last_at = " + later("usage_hour"), width: 7,
	}
}

func putLasts() insert {
	return insert{
		head:  "INSERT INTO usage_last (key_id, secret_id, at, addr, agent, route_id)",
		tail:  "ON CONFLICT (key_id, secret_id) DO UPDATE SET at = excluded.at, addr = excluded.addr, agent = excluded.agent, route_id = excluded.route_id WHERE excluded.at >= usage_last.at",
		width: 6,
	}
}

func putRefusals() insert {
	return insert{
		head:  "INSERT INTO usage_refusal (key_id, hour, secret_id, reason, n, last_at)",
		tail:  "ON CONFLICT (key_id, hour, secret_id, reason) DO UPDATE SET n = usage_refusal.n + excluded.n, last_at = " + later("usage_refusal"),
		width: 6,
	}
}

func putTrials() insert {
	return insert{
		head:  "INSERT INTO usage_trial (key_id, hour, reason, route_id, n, last_at)",
		tail:  "ON CONFLICT (key_id, hour, reason, route_id) DO UPDATE SET n = usage_trial.n + excluded.n, last_at = " + later("usage_trial"),
		width: 6,
	}
}

func putSeen() insert {
	return insert{
		head: "INSERT INTO usage_seen (key_id, what, kind, name, n, first_at, last_at)",
		tail: "ON CONFLICT (key_id, what, kind, name) DO UPDATE SET n = usage_seen.n + excluded.n, first_at = " + earlier("usage_seen") +
			", last_at = " + later("usage_seen") + " RETURNING key_id, what, kind, name, n",
		width: 7,
	}
}

func putRests() insert {
	return insert{
		head: "INSERT INTO usage_rest (key_id, what, kind, held, n, first_at, last_at)",
		tail: "ON CONFLICT (key_id, what, kind) DO UPDATE SET held = usage_rest.held + excluded.held, n = usage_rest.n + excluded.n, first_at = " +
			earlier("usage_rest") + ", last_at = " + later("usage_rest"),
		width: 7,
	}
}

func putSamples() insert {
	return insert{
		head:  "INSERT INTO usage_sample (key_id, secret_id, at, route_id, status, took, addr, agent, request_id, refusal, trial)",
		width: 11,
	}
}

func putDropped() insert {
	return insert{
		head:  "INSERT INTO usage_dropped (why, n)",
		tail:  "ON CONFLICT (why) DO UPDATE SET n = usage_dropped.n + excluded.n",
		width: 2,
	}
}

func putRoutes() insert {
	return insert{head: "INSERT INTO usage_route (route)", tail: "ON CONFLICT (route) DO NOTHING", width: 1}
}

func putFlush() insert {
	return insert{
		head:  "INSERT INTO usage_flush (node, seq, at)",
		tail:  "ON CONFLICT (node) DO UPDATE SET seq = excluded.seq, at = excluded.at",
		width: 3,
	}
}

func later(table string) string {
	return strings.ReplaceAll("CASE WHEN excluded.last_at > t.last_at THEN excluded.last_at ELSE t.last_at END", "t.", table+".")
}

// earlier takes 0 for no time at all.
func earlier(table string) string {
	return strings.ReplaceAll("CASE WHEN excluded.first_at <> 0 AND (t.first_at = 0 OR excluded.first_at < t.first_at) THEN excluded.first_at ELSE t.first_at END", "t.", table+".")
}

// parse reads a stored address.
func parse(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{} // stored as "": it was not known
	}
	return a
}
