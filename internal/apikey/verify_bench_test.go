package apikey

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/db"
	"latchkey/internal/secret"
	"latchkey/internal/usage"
)

// from is where the tests' clients are.
var from = netip.MustParseAddr("192.0.2.7")

// restricted is a restriction with every condition that is checked for each
// request, and a rate that is never reached.
const restricted = `{"scopes": ["people:read", "groups:read"], "resources": {"people": ["7", "9"]}, "addresses": ["192.0.2.0/24"],
	"rate_limit": {"requests": 1000000000, "seconds": 60}, "hours": {"from": "00:00", "to": "24:00"}}`

// warmVerifier returns a verifier with some keys in memory, and their texts.
// All keys have the same restriction.
func warmVerifier(t testing.TB, keys int, restriction string) (*Verifier, []string) {
	t.Helper()
	d := dbtest.Open(t, dbtest.SQLite)
	pepper, err := NewPepper(bytes.Repeat([]byte{7}, pepperLen))
	if err != nil {
		t.Fatal(err)
	}
	subjects := access.NewSubjects(d, func(_ context.Context, id int64) (*access.Subject, error) {
		return &access.Subject{UserID: id, Kind: access.ServiceKey, Active: true, Groups: []int64{1, 2}}, nil
	})
	v := NewVerifier(d, Peppers{Current: pepper}, subjects, usage.New(d, nil, usage.Options{}), slog.New(slog.DiscardHandler))
	texts := make([]string, keys)
	err = d.InTx(t.Context(), func(ctx context.Context) error {
		for i := range texts {
			text := newText(DefaultPrefix)
			texts[i] = text.Reveal()
			if err := insertRaw(ctx, d, pepper, i, text, restriction); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if c, err := v.Verify(t.Context(), text, from); c.Principal == nil {
			t.Fatalf("refused: %s, %v", c.Reason, err)
		}
	}
	return v, texts
}

// insertRaw writes a key with its user and its secret, as fast as it goes.
func insertRaw(ctx context.Context, d *db.DB, pepper *Pepper, i int, text secret.Text, restriction string) error {
	user, err := d.Insert(ctx, `INSERT INTO users (kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
		VALUES ('api-key', ?1, '', '', '', 0, 0) RETURNING id`, fmt.Sprintf("%d@api-key.invalid", i))
	if err != nil {
		return err
	}
	key, err := d.Insert(ctx, `INSERT INTO api_key (user_id, name, name_key, prefix, restriction, created_at, updated_at)
		VALUES (?1, ?2, ?2, ?3, ?4, 0, 0) RETURNING id`, user, fmt.Sprintf("key %d", i), shown(text), restriction)
	if err != nil {
		return err
	}
	mac := pepper.MAC(text.Reveal())
	_, err = d.Exec(ctx, `INSERT INTO api_key_secret (key_id, prefix, mac, pepper_id, created_at)
		VALUES (?1, ?2, ?3, ?4, 0)`, key, shown(text), mac[:], pepper.id)
	return err
}

// request is what a call of the scoped key wants.
func request() *access.Request {
	return &access.Request{
		Policy: access.Admin("people", access.Read).Naming("people", "id"), Route: "GET /api/user/{id}",
		Refs: []access.Ref{{Kind: "people", ID: "7"}},
	}
}

// serve does all that a request with a key costs beside its handler: the check
// of the key, the decision, and the counting.
func serve(ctx context.Context, v *Verifier, text string, req *access.Request, use *usage.Use) error {
	c, err := v.Verify(ctx, text, from)
	if err != nil || c.Principal == nil {
		return fmt.Errorf("refused: %s, %w", c.Reason, err)
	}
	if verdict := access.Judge(c.Principal, req); verdict.Err != nil {
		return verdict.Err
	}
	use.KeyID, use.SecretID = c.KeyID, c.SecretID
	v.usage.Record(use)
	return nil
}

func use(req *access.Request) *usage.Use {
	return &usage.Use{
		Route: req.Route, Status: 200, Addr: from, Agent: "bench/1.0", RequestID: "r",
		At: time.Now(), Took: time.Millisecond, Refs: req.Refs,
	}
}

// spoil changes one character, so that the checksum is wrong.
func spoil(text string) string {
	if text[20] == 'A' {
		return text[:20] + "B" + text[21:]
	}
	return text[:20] + "A" + text[21:]
}

// TestCheckAllocatesNothing holds half of the budget; the other half, time, is
// measured by make bench.
func TestCheckAllocatesNothing(t *testing.T) {
	v, texts := warmVerifier(t, 10, "{}")
	for name, text := range map[string]string{
		"warm key": texts[3], "wrong checksum": spoil(texts[3]), "too short": "lk_", "no key at all": "",
	} {
		want, _ := v.Verify(t.Context(), text, from)
		allocations := testing.AllocsPerRun(200, func() {
			if c, err := v.Verify(t.Context(), text, from); c.Reason != want.Reason || err != nil {
				t.Fatalf("%s: %s, %v", name, c.Reason, err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations for a check, want none", name, allocations)
		}
	}
}

// TestScopedKeyAllocatesNothing is the same for a key with a restriction, with
// the decision and the counting.
func TestScopedKeyAllocatesNothing(t *testing.T) {
	v, texts := warmVerifier(t, 3, restricted)
	req := request()
	u := use(req)
	if err := serve(t.Context(), v, texts[1], req, u); err != nil {
		t.Fatal(err)
	}
	allocations := testing.AllocsPerRun(200, func() {
		if err := serve(t.Context(), v, texts[1], req, u); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations for a request with a scoped key, want none", allocations)
	}
}

// BenchmarkScopedKey measures the check of a key with scopes, resources,
// addresses, hours and a rate limit, the decision, and the counting.
func BenchmarkScopedKey(b *testing.B) {
	v, texts := warmVerifier(b, 1, restricted)
	req := request()
	u := use(req)
	b.ReportAllocs()
	for b.Loop() {
		if err := serve(b.Context(), v, texts[0], req, u); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyWarm(b *testing.B) {
	v, texts := warmVerifier(b, 1, "{}")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = v.Verify(b.Context(), texts[0], from)
	}
}

func BenchmarkVerifyManyWarm(b *testing.B) {
	v, texts := warmVerifier(b, 20_000, "{}")
	b.ReportAllocs()
	next := 0
	for b.Loop() {
		_, _ = v.Verify(b.Context(), texts[next], from)
		next = (next + 7919) % len(texts)
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	v, texts := warmVerifier(b, 100, "{}")
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			_, _ = v.Verify(b.Context(), texts[i%len(texts)], from)
		}
	})
}

func BenchmarkVerifyJunk(b *testing.B) {
	v, texts := warmVerifier(b, 1, "{}")
	bad := spoil(texts[0])
	b.ReportAllocs()
	for b.Loop() {
		_, _ = v.Verify(b.Context(), bad, from)
	}
}

func BenchmarkSHA256Of47Bytes(b *testing.B) {
	text := []byte(newText(DefaultPrefix).Reveal())
	for b.Loop() {
		_ = sha256.Sum256(text)
	}
}
