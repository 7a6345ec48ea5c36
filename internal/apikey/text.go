package apikey

import (
	"crypto/rand"
	"hash/crc32"
	"strings"
	"unsafe"

	"latchkey/internal/secret"
)

// The form of a key's text (DESIGN section 3): a prefix of 2 to 8 letters and
// an underscore, 38 random base62 characters, 6 base62 characters of CRC-32
// over everything before them. With the default prefix that is 47 characters.
const (
	randomLen   = 38 // 226 bits
	checksumLen = 6
	bodyLen     = randomLen + checksumLen
	minLetters  = 2
	maxLetters  = 8
	shownLen    = 7 // characters that stay readable, as in Metabase
)

// DefaultPrefix is what new keys begin with unless the instance says otherwise.
const DefaultPrefix = "lk_"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newText makes the text of a new key.
func newText(prefix string) secret.Text {
	b := make([]byte, 0, len(prefix)+bodyLen)
	b = append(b, prefix...)
	for len(b) < len(prefix)+randomLen {
		b = appendRandom(b, len(prefix)+randomLen)
	}
	var sum [checksumLen]byte
	checksum(&sum, b)
	return secret.New(string(append(b, sum[:]...)))
}

// appendRandom appends random characters up to a length. Bytes of 248 and
// above are rejected: 248 is the largest multiple of 62, so none is favoured.
func appendRandom(b []byte, upTo int) []byte {
	var raw [64]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	for _, r := range raw {
		if r < 248 && len(b) < upTo {
			b = append(b, base62[r%62])
		}
	}
	return b
}

// checksum writes the CRC-32 (IEEE) of b in base62, left-padded with 0.
func checksum(to *[checksumLen]byte, b []byte) {
	n := crc32.ChecksumIEEE(b)
	for i := checksumLen - 1; i >= 0; i-- {
		to[i] = base62[n%62]
		n /= 62
	}
}

// bytesOf returns the bytes of a string to read only. A copy would be allocated
// for every check, because crc32 lets its argument escape.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// WellFormed reports whether text has the form and the checksum of a key. It
// needs no database and tells nothing about whether the key exists.
func WellFormed(text string) bool {
	head := len(text) - bodyLen
	if head < minLetters+1 || head > maxLetters+1 || text[head-1] != '_' {
		return false
	}
	for i := range head - 1 {
		if c := text[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	var sum [checksumLen]byte
	checksum(&sum, bytesOf(text[:len(text)-checksumLen]))
	return string(sum[:]) == text[len(text)-checksumLen:]
}

// shown is the part of a text that is stored in clear.
func shown(t secret.Text) string { return t.Reveal()[:shownLen] }

// Masked returns the form in which a key is listed: its first characters and
// 40 asterisks (contract/identity.md 1.1).
func Masked(prefix string) string { return prefix + strings.Repeat("*", 40) }
