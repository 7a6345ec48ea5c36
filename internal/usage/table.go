package usage

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// table is entries by key in the order in which they came. An entry costs no
// allocation of its own, and its place is found with one look.
type table[K comparable, V any] struct {
	index map[K]int32
	rows  []row[K, V]
}

type row[K comparable, V any] struct {
	key K
	val V
}

// get returns the entry of a key, or nil. It is valid until the next add.
func (t *table[K, V]) get(k K) *V {
	i, ok := t.index[k]
	if !ok {
		return nil
	}
	return &t.rows[i].val
}

// add returns the entry of a key, a new one when there is none.
func (t *table[K, V]) add(k K) *V {
	if v := t.get(k); v != nil {
		return v
	}
	if t.index == nil {
		t.index = map[K]int32{}
	}
	t.index[k] = int32(len(t.rows))
	t.rows = append(t.rows, row[K, V]{key: k})
	return &t.rows[len(t.rows)-1].val
}

// The keys of the tables. Texts in them are clean and belong to the table.
type (
	counterKey struct {
		key, secret, hour int64
		class             int64
		route             string
	}
	secretKey  struct{ key, secret int64 }
	refusalKey struct {
		key, secret, hour int64
		reason            string
	}
	trialKey struct {
		key, hour     int64
		reason, route string
	}
	seenKey struct {
		groupKey
		name string
	}
	addressKey struct {
		key    int64
		failed bool
		addr   netip.Addr
	}
	groupKey struct {
		key  int64
		what what
		kind string
	}
)

// what is a class of names that are kept within bounds.
type what int64

const (
	refs what = iota
	fields
	addresses
)

// The kinds of addresses.
const (
	served = "served" // answered with 2xx or 3xx
	failed = "failed"
)

// String returns the class as it is stored.
func (w what) String() string { return [...]string{"ref", "field", "address"}[w] }

// whatOf is the class that is stored as text.
func whatOf(text string) what {
	for _, w := range []what{refs, fields} {
		if w.String() == text {
			return w
		}
	}
	return addresses
}

func addressKind(isFailed bool) string {
	if isFailed {
		return failed
	}
	return served
}

// tally counts. Times are microseconds.
type tally struct{ n, last int64 }

func (t *tally) count(at int64) {
	t.n++
	t.last = max(t.last, at)
}

// span counts between two times.
type span struct{ n, first, last int64 }

func (s *span) count(at int64) { s.add(span{1, at, at}) }

func (s *span) add(o span) {
	if s.n == 0 {
		s.first, s.last = o.first, o.last
	}
	s.n += o.n
	s.first, s.last = min(s.first, o.first), max(s.last, o.last)
}

// last is the newest use of a secret. Its texts are as they came.
type last struct {
	at           int64
	addr         netip.Addr
	agent, route string
}

// The lengths, in bytes, to which texts are cut.
const (
	maxAgent = 200
	maxText  = 200
)

// clean returns a text that both databases take: valid UTF-8 without NUL, cut
// to limit bytes. What is fine already is returned as it is.
func clean(s string, limit int) string {
	if len(s) > limit {
		cut := limit
		for cut > limit-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
	for len(s) > limit { // the replacements are longer than what they replace
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// own is a clean copy that does not hold on to the text that s is part of.
func own(s string) string { return strings.Clone(clean(s, maxText)) }

// plain is an address in its shortest form: v4 as v4, without a zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// text is an address as it is stored, "" when it is not known.
func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return plain(a).String()
}
