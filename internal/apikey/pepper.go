package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"latchkey/internal/secret"
)

// MAC is what is stored of a key: HMAC-SHA-256(pepper, SHA-256(text)).
type MAC [sha256.Size]byte

// Pepper is the secret that every MAC needs. It lives outside the database.
// Its key blocks are prepared once, so that a MAC costs five SHA-256 blocks
// and no allocation.
type Pepper struct {
	id    string
	inner [sha256.BlockSize]byte
	outer [sha256.BlockSize]byte
}

const pepperLen = 32

// NewPepper returns a pepper of at least 32 bytes. Its id is derived from it,
// and tells two peppers apart without telling either.
func NewPepper(key []byte) (*Pepper, error) {
	if len(key) < pepperLen {
		return nil, fmt.Errorf("pepper: %d bytes, must be at least %d", len(key), pepperLen)
	}
	if len(key) > sha256.BlockSize { // RFC 2104: a longer key is hashed first
		h := sha256.Sum256(key)
		key = h[:]
	}
	p := &Pepper{}
	copy(p.inner[:], key)
	copy(p.outer[:], key)
	for i := range p.inner {
		p.inner[i] ^= 0x36
		p.outer[i] ^= 0x5c
	}
	id := p.sum(sha256.Sum256([]byte("latchkey pepper id")))
	p.id = hex.EncodeToString(id[:6])
	return p, nil
}

// sum is HMAC-SHA-256 over a digest (RFC 2104), on the stack.
func (p *Pepper) sum(digest [sha256.Size]byte) MAC {
	var block [sha256.BlockSize + sha256.Size]byte
	copy(block[:], p.inner[:])
	copy(block[sha256.BlockSize:], digest[:])
	in := sha256.Sum256(block[:])
	copy(block[:], p.outer[:])
	copy(block[sha256.BlockSize:], in[:])
	return sha256.Sum256(block[:])
}

// MAC returns what is stored of a key's text.
func (p *Pepper) MAC(text string) MAC { return p.sum(digest(text)) }

// digest is SHA-256 of a key's text. The copy on the stack spares the
// allocation of a conversion.
func digest(text string) [sha256.Size]byte {
	var buf [256]byte
	if len(text) > len(buf) {
		return sha256.Sum256([]byte(text))
	}
	return sha256.Sum256(buf[:copy(buf[:], text)])
}

// probe is stored beside the id: it proves later that a pepper is the same.
func (p *Pepper) probe() MAC { return p.sum(sha256.Sum256([]byte("latchkey pepper probe"))) }

func (p *Pepper) proves(stored []byte) bool {
	m := p.probe()
	return subtle.ConstantTimeCompare(m[:], stored) == 1
}

// ParsePepper reads the text form of a pepper: base64 or hex of 32 bytes or
// more. What is hex is never read as base64, which would take a pepper that is
// too short for one that is long enough.
func ParsePepper(text secret.Text) (*Pepper, error) {
	s := strings.TrimSpace(text.Reveal())
	b, err := hex.DecodeString(s)
	for _, form := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if err != nil {
			b, err = form.DecodeString(s)
		}
	}
	if err != nil || len(b) < pepperLen {
		return nil, errors.New("pepper: must be base64 or hex of at least 32 bytes, such as the output of: openssl rand -base64 32")
	}
	return NewPepper(b)
}

// LoadPepper reads the pepper file. When there is none and mayCreate says that
// no key depends on one, it makes the file, readable by its owner alone.
func LoadPepper(path string, mayCreate bool) (*Pepper, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mayCreate:
		return createPepper(path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("pepper file %s is missing, and this database was started with it: put it back from your backup, or copy it from another node", path)
	case err != nil:
		return nil, fmt.Errorf("pepper file %s cannot be read: check its owner and mode", path)
	}
	p, err := ParsePepper(secret.New(string(b)))
	if err != nil {
		return nil, fmt.Errorf("pepper file %s is damaged: put it back from your backup", path)
	}
	return p, nil
}

// createPepper writes to a temporary file first, so that a crash never leaves
// half a pepper, and links it, so that two processes never make two.
func createPepper(path string) (*Pepper, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("pepper file %s cannot be created: check that the directory is writable", path)
	}
	var key [pepperLen]byte
	_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	f, err := os.CreateTemp(filepath.Dir(path), ".pepper-")
	if err != nil {
		return nil, fmt.Errorf("pepper file %s cannot be created: check that the directory is writable", path)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key[:]) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if errors.Is(err, fs.ErrExist) {
		return LoadPepper(path, false)
	}
	if err != nil {
		return nil, fmt.Errorf("pepper file %s cannot be written: %w", path, err)
	}
	return NewPepper(key[:])
}

// syncDir makes a new name in a directory outlast a loss of power: without the
// pepper, every key in the database is dead.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
