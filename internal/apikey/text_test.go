package apikey

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/secret"
)

func TestNewTextIsWellFormed(t *testing.T) {
	for _, prefix := range []string{"lk_", "mb_", "ABCDefgh_"} {
		seen := map[string]bool{}
		for range 1000 {
			text := newText(prefix).Reveal()
			if len(text) != len(prefix)+44 || !strings.HasPrefix(text, prefix) {
				t.Fatalf("%q: length %d, prefix %s", text, len(text), prefix)
			}
			if !WellFormed(text) {
				t.Fatalf("%q is not well formed", text)
			}
			if strings.Trim(text[len(prefix):], base62) != "" {
				t.Fatalf("%q has characters that break a double click", text)
			}
			if seen[text] {
				t.Fatalf("%q was made twice", text)
			}
			seen[text] = true
		}
	}
	if n := len(newText(DefaultPrefix).Reveal()); n != 47 {
		t.Errorf("a key has %d characters, want 47 like Metabase's", n)
	}
}

func TestRandomCharactersAreEven(t *testing.T) {
	counts := map[byte]int{}
	const keys = 4000
	for range keys {
		for _, c := range []byte(newText("lk_").Reveal()[3 : 3+randomLen]) {
			counts[c]++
		}
	}
	mean := keys * randomLen / 62
	for _, c := range []byte(base62) {
		if n := counts[c]; n < mean*8/10 || n > mean*12/10 {
			t.Errorf("character %c came %d times, about %d expected", c, n, mean)
		}
	}
}

func TestWellFormedRefuses(t *testing.T) {
	good := newText("lk_").Reveal()
	flip := func(i int) string {
		b := []byte(good)
		if b[i]++; !strings.ContainsRune(base62, rune(b[i])) {
			b[i] = 'A'
		}
		return string(b)
	}
	bad := map[string]string{
		"empty": "", "prefix alone": "lk_", "one short": good[:46], "one long": good + "A",
		"first random character": flip(3), "last random character": flip(40), "checksum": flip(46),
		"no underscore": strings.Replace(good, "_", "x", 1), "one letter": "l" + good[2:],
		"digit in the prefix": "l1" + good[2:], "other prefix": "xx" + good[2:],
		"space around": " " + good, "huge": strings.Repeat("A", 1<<20), "null": strings.Repeat("\x00", 47),
		"Metabase's own form": "mb_" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	}
	for name, text := range bad {
		if WellFormed(text) {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The checksum is CRC-32 (IEEE) in base62, digits first, left-padded: written
// here a second way, as a scanner would.
func TestChecksumIsWhatTheDocsSay(t *testing.T) {
	text := newText("lk_").Reveal()
	n, want := crc32.ChecksumIEEE([]byte(text[:41])), ""
	for ; n > 0; n /= 62 {
		want = string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[n%62]) + want
	}
	if want = fmt.Sprintf("%06s", want); text[41:] != want {
		t.Errorf("checksum %s, want %s", text[41:], want)
	}
}

func FuzzWellFormed(f *testing.F) {
	f.Add(newText("lk_").Reveal())
	f.Add("lk_")
	prefixForm := regexp.MustCompile(`^[A-Za-z]{2,8}_$`)
	f.Fuzz(func(t *testing.T, s string) {
		if !WellFormed(s) {
			return
		}
		if !prefixForm.MatchString(s[:len(s)-bodyLen]) || len(s) > maxLetters+1+bodyLen {
			t.Errorf("%q is accepted", s)
		}
	})
}

func TestMACIsHMACOverDigest(t *testing.T) {
	for _, n := range []int{32, 48, 64, 65, 200} {
		key := make([]byte, n)
		_, _ = rand.Read(key)
		p, err := NewPepper(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"", newText("lk_").Reveal(), strings.Repeat("x", 255), strings.Repeat("x", 3000)} {
			d := sha256.Sum256([]byte(text))
			h := hmac.New(sha256.New, key)
			h.Write(d[:])
			if got := p.MAC(text); hex.EncodeToString(got[:]) != hex.EncodeToString(h.Sum(nil)) {
				t.Errorf("pepper of %d bytes, text of %d: not HMAC-SHA-256", n, len(text))
			}
		}
	}
}

func TestParsePepper(t *testing.T) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	want, _ := NewPepper(raw)
	for _, s := range []string{
		hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw) + "\n",
		base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
	} {
		p, err := ParsePepper(secret.New(s))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if p.id != want.id {
			t.Errorf("%s: another pepper", s)
		}
	}
	for _, s := range []string{"", "short", hex.EncodeToString(raw[:31]), "not hex and not base64, but long enough to be one!"} {
		if _, err := ParsePepper(secret.New(s)); err == nil {
			t.Errorf("%q: accepted", s)
		} else if s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%q: the error shows the pepper", s)
		}
	}
}

func TestPepperFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "pepper")
	if _, err := LoadPepper(path, false); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("missing file: %v", err)
	}
	made, err := LoadPepper(path, true)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", st.Mode(), err)
	}
	again, err := LoadPepper(path, true)
	if err != nil || again.id != made.id {
		t.Errorf("the second load made another pepper (%v)", err)
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPepper(path, true); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged file: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".pepper-*"))
	if len(left) > 0 {
		t.Errorf("temporary files stay: %v", left)
	}
}
