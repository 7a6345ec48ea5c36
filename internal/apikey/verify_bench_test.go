package apikey

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
)

// warmVerifier returns a verifier with some keys in memory, and their texts.
func warmVerifier(t testing.TB, keys int) (*Verifier, []string) {
	t.Helper()
	d := dbtest.Open(t, dbtest.SQLite)
	pepper, err := NewPepper(bytes.Repeat([]byte{7}, pepperLen))
	if err != nil {
		t.Fatal(err)
	}
	subjects := access.NewSubjects(d, func(_ context.Context, id int64) (*access.Subject, error) {
		return &access.Subject{UserID: id, Kind: access.ServiceKey, Active: true, Groups: []int64{1, 2}}, nil
	})
	v := NewVerifier(d, Peppers{Current: pepper}, subjects, slog.New(slog.DiscardHandler))
	texts := make([]string, keys)
	err = d.InTx(t.Context(), func(ctx context.Context) error {
		for i := range texts {
			text := newText(DefaultPrefix)
			texts[i] = text.Reveal()
			mac := pepper.MAC(texts[i])
			id, err := d.Insert(ctx, `INSERT INTO users (kind, email, sort_name, sort_last, search_text, date_joined, updated_at)
				VALUES ('api-key', ?1, '', '', '', 0, 0) RETURNING id`, fmt.Sprintf("%d@api-key.invalid", i))
			if err != nil {
				return err
			}
			_, err = d.Exec(ctx, `INSERT INTO api_key (user_id, name, name_key, prefix, mac, pepper_id, created_at, updated_at)
				VALUES (?1, ?2, ?2, ?3, ?4, ?5, 0, 0)`, id, fmt.Sprintf("key %d", i), shown(text), mac[:], pepper.id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if p, reason, err := v.Verify(t.Context(), text); p == nil {
			t.Fatalf("refused: %s, %v", reason, err)
		}
	}
	return v, texts
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
	v, texts := warmVerifier(t, 10)
	for name, text := range map[string]string{
		"warm key": texts[3], "wrong checksum": spoil(texts[3]), "too short": "lk_", "no key at all": "",
	} {
		_, want, _ := v.Verify(t.Context(), text)
		allocations := testing.AllocsPerRun(200, func() {
			if _, reason, err := v.Verify(t.Context(), text); reason != want || err != nil {
				t.Fatalf("%s: %s, %v", name, reason, err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations for a check, want none", name, allocations)
		}
	}
}

func BenchmarkVerifyWarm(b *testing.B) {
	v, texts := warmVerifier(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = v.Verify(b.Context(), texts[0])
	}
}

func BenchmarkVerifyManyWarm(b *testing.B) {
	v, texts := warmVerifier(b, 20_000)
	b.ReportAllocs()
	next := 0
	for b.Loop() {
		_, _, _ = v.Verify(b.Context(), texts[next])
		next = (next + 7919) % len(texts)
	}
}

func BenchmarkVerifyParallel(b *testing.B) {
	v, texts := warmVerifier(b, 100)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			_, _, _ = v.Verify(b.Context(), texts[i%len(texts)])
		}
	})
}

func BenchmarkVerifyJunk(b *testing.B) {
	v, texts := warmVerifier(b, 1)
	bad := spoil(texts[0])
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = v.Verify(b.Context(), bad)
	}
}

func BenchmarkSHA256Of47Bytes(b *testing.B) {
	text := []byte(newText(DefaultPrefix).Reveal())
	for b.Loop() {
		_ = sha256.Sum256(text)
	}
}
