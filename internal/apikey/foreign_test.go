package apikey_test

import (
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/fault"
)

// metabaseKey has the form of Metabase's own keys.
const metabaseKey = "mb_q8Z3kFJ1x0Vb7nUoT2yLwEaR5sHdCgKiMpQ4vXz6W1s="

func TestForeignTexts(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		n, ctx := node(t), t.Context()
		texts := map[string]string{
			"12 characters": "abcdefgh1234", "254 characters": strings.Repeat("Zz", 127), "as Metabase's": metabaseKey,
			"punctuation": "!#$%&'()*+,-./:;<=>?@[]^_`{|}~",
		}
		for name, text := range texts {
			n.check(t, name+", before it is stored", text, apikey.Malformed)
			k, got := n.make(t, apikey.Draft{Name: name, Supplied: supplied(text)})
			if got != text || k.Prefix != text[:7] || k.Masked() != text[:7]+strings.Repeat("*", 40) {
				t.Errorf("%s: made %+v", name, k)
			}
			n.check(t, name, text, apikey.Accepted)
		}
		n.check(t, "another text with a known beginning", metabaseKey[:20]+"AAAA", apikey.Unknown)
		n.check(t, "another text", "xyz"+metabaseKey, apikey.Malformed)
		node(t).check(t, "after a start", metabaseKey, apikey.Accepted)

		for name, text := range map[string]string{
			"11 characters": "stuvwxyz123", "255 characters": strings.Repeat("x", 255), "a space": "stuvwxyz 1234",
			"a line break": "stuvwxyz1234\n", "not ASCII": "stuvwxyzé1234", "a null byte": "stuvwxyz\x001234",
		} {
			_, _, err := n.keys.Make(ctx, admin, apikey.Draft{Name: "bad", Supplied: supplied(text)})
			if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Fields["key"] == "" {
				t.Errorf("%s: %v", name, err)
			}
			n.check(t, name, text, apikey.Malformed)
		}
	})
}

// A text belongs to one key for ever.
func TestTextIsTakenForEver(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, _ := n.make(t, apikey.Draft{Name: "first", Supplied: supplied(metabaseKey)})
		taken := func(what string) {
			t.Helper()
			_, _, err := n.keys.Make(ctx, admin, apikey.Draft{Name: "second", Supplied: supplied(metabaseKey)})
			wantCode(t, what, err, "key-taken", "key")
			if fault.As(err) != nil && strings.Contains(err.Error(), metabaseKey) {
				t.Errorf("%s: the error shows the text", what)
			}
		}
		taken("while the key lives")
		n.rotate(t, k.ID, apikey.Overlap{})
		taken("when the secret is retired")
		if err := n.keys.Delete(ctx, admin, k.ID); err != nil {
			t.Fatal(err)
		}
		taken("when the key is deleted")
	})
}

// Junk that is not in our form costs no look-up: with the database away it is
// still refused, unless a supplied key begins like it.
func TestJunkIsNotLookedUp(t *testing.T) {
	for _, held := range []bool{false, true} {
		each(t, func(t *testing.T, n *node) {
			if held {
				n.make(t, apikey.Draft{Name: "held", Supplied: supplied(metabaseKey)})
			}
			n.check(t, "the first look", "some other text", apikey.Malformed)
			n.db.Close()
			n.check(t, "junk", "mb_"+strings.Repeat("A", 40), apikey.Malformed)
			c, err := n.verifier.Verify(t.Context(), metabaseKey[:20]+"junk", here)
			if (err != nil) != held || c.Principal != nil {
				t.Errorf("with a supplied key %v: %v, %v", held, c.Reason, err)
			}
		})
	}
}

func TestRetiredForeignTextRaisesAnAlarm(t *testing.T) {
	eachPlace(t, func(t *testing.T, node func(t *testing.T) *node) {
		n := node(t)
		k, _ := n.make(t, apikey.Draft{Name: "k", Supplied: supplied(metabaseKey)})
		n.rotate(t, k.ID, apikey.Overlap{})
		again := node(t)
		defer again.watch(t)()
		again.check(t, "after a start", metabaseKey, apikey.Retired)
		again.alarms(t, k.ID, 1)
	})
}

func TestKeyFromDigest(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		elsewhere := open(t, dbtest.Open(t, dbtest.SQLite), apikey.PepperSource{Text: randomPepper()})
		_, native := elsewhere.create(t, "k", access.AllUsers)
		for name, text := range map[string]string{"native": native, "foreign": strings.Repeat("k", 40)} {
			digest, err := apikey.DigestOf(supplied(text))
			if err != nil {
				t.Fatal(err)
			}
			if digest, err = apikey.ParseDigest(digest.String()); err != nil {
				t.Fatal(err)
			}
			k, shown := n.make(t, apikey.Draft{Name: name, Digest: &digest})
			if shown != "" || k.Prefix != text[:7] {
				t.Errorf("%s: %+v, text %q", name, k, shown)
			}
			n.check(t, name, text, apikey.Accepted)
			found, _, err := n.keys.Find(t.Context(), admin, digest.Sum)
			if err != nil || found.ID != k.ID {
				t.Errorf("%s: found %+v, %v", name, found, err)
			}
		}
		_, _, err := n.keys.Find(t.Context(), admin, [32]byte{1})
		wantCode(t, "unknown digest", err, "unknown-key", "")
	})
}

// A text that is supplied for a key that is there replaces its own at once.
func TestSupplyForAKeyThatIsThere(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		ctx := t.Context()
		k, first := n.create(t, "k", access.AllUsers)
		got, err := n.keys.Supply(ctx, admin, k.ID, apikey.Draft{Supplied: supplied(metabaseKey)})
		if err != nil || got.ID != k.ID || got.Prefix != metabaseKey[:7] {
			t.Fatalf("%+v, %v", got, err)
		}
		n.check(t, "its own text", first, apikey.Retired)
		n.check(t, "the supplied text", metabaseKey, apikey.Accepted)
		second := apikey.NewText("mb_").Reveal()
		digest, err := apikey.DigestOf(supplied(second))
		if err != nil {
			t.Fatal(err)
		}
		if got, err = n.keys.Supply(ctx, admin, k.ID, apikey.Draft{Digest: &digest}); err != nil || got.Prefix != second[:7] {
			t.Fatalf("%+v, %v", got, err)
		}
		n.check(t, "the text of the digest", second, apikey.Accepted)
		_, err = n.keys.Supply(ctx, admin, k.ID, apikey.Draft{Supplied: supplied(metabaseKey)})
		wantCode(t, "a text that was in use", err, "key-taken", "key")
		n.check(t, "after a refused text", second, apikey.Accepted)
		_, err = n.keys.Supply(ctx, admin, 999, apikey.Draft{Supplied: supplied("another-text-1")})
		wantFault(t, "unknown key", err, fault.NotFound, "Not found.")
		wantActions(t, n.actions(t, "api-key", k.ID), "api-key.create", "api-key.rotate", "api-key.rotate")
	})
}

func TestDigests(t *testing.T) {
	for name, text := range map[string]string{"short": "abcdefgh1234", "31 characters": strings.Repeat("x", 31), "too short": "x", "spaces": strings.Repeat("x y", 20)} {
		if _, err := apikey.DigestOf(supplied(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := apikey.DigestOf(supplied(strings.Repeat("k", 32)))
	if err != nil || !strings.HasPrefix(good.String(), "sha256.foreign.") || !strings.HasSuffix(good.String(), ".kkkkkkk") {
		t.Fatalf("%s, %v", good, err)
	}
	for _, s := range []string{
		"", "x", good.String() + "k", good.String()[:len(good.String())-1], strings.Replace(good.String(), "sha256", "sha512", 1),
		strings.Replace(good.String(), "foreign", "other", 1), strings.Replace(good.String(), ".foreign.", ".foreign.zz", 1),
		strings.Replace(good.String(), "kkkkkkk", "kkk\x00kkk", 1), strings.Replace(good.String(), "kkkkkkk", "kkkékk", 1) + "k",
	} {
		if _, err := apikey.ParseDigest(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseDigest(f *testing.F) {
	good, err := apikey.DigestOf(supplied(strings.Repeat("k", 32)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.String())
	f.Add(strings.Replace(good.String(), "foreign", "native", 1))
	f.Add("sha256.native..")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := apikey.ParseDigest(s)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, err := apikey.ParseDigest(d.String())
		if err != nil || again != d {
			t.Errorf("%q is %+v, and read again %+v, %v", s, d, again, err)
		}
	})
}
