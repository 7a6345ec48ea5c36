package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// cost is what one argon2id hash takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

// currentCost is the cost of new hashes: OWASP's smallest recommended setting, about
// 25 ms. A hash of another cost is replaced when its person signs in.
func currentCost() cost { return cost{memory: 19 * 1024, time: 2, threads: 1} }

// trifling is the cost of hashes that protect nobody (Options.CheapHashes).
func trifling() cost { return cost{memory: 64, time: 1, threads: 1} }

const (
	saltLen = 16
	hashLen = 32
	// maxWaiting is how many may wait for a turn to hash. More are turned away
	// at once, so that a flood cannot pile up requests.
	maxWaiting = 64
)

// hasher makes and checks password hashes, a few at a time, because each takes
// 19 MiB while it lasts.
type hasher struct {
	cost    cost
	turns   chan struct{}
	waiting atomic.Int64
	dummy   string // a hash that nobody knows the password of
}

func newHasher(c cost, concurrency int) *hasher {
	h := &hasher{cost: c, turns: make(chan struct{}, max(concurrency, 1))}
	h.dummy = encode(c, randomBytes(saltLen), randomBytes(hashLen))
	return h
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// turn waits for a turn and returns the function that ends it.
func (h *hasher) turn(ctx context.Context) (func(), error) {
	done := func() { <-h.turns }
	select {
	case h.turns <- struct{}{}:
		return done, nil
	default:
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > maxWaiting {
		return nil, fault.New(fault.Unavailable, "Too many people are signing in right now. Please try again in a moment.")
	}
	select {
	case h.turns <- struct{}{}:
		return done, nil
	case <-ctx.Done():
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "The request was cancelled.", Err: ctx.Err()}
	}
}

// hash returns the PHC string of a password. It returns an Unavailable fault
// when too many are waiting.
func (h *hasher) hash(ctx context.Context, password secret.Text) (string, error) {
	end, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	salt := randomBytes(saltLen)
	return encode(h.cost, salt, derive(h.cost, password, salt, hashLen)), nil
}

// verify reports whether the password has the stored hash, and whether the
// hash should be replaced by one of the current cost. An empty stored hash
// takes the same time and never matches.
func (h *hasher) verify(ctx context.Context, stored string, password secret.Text) (match, stale bool, err error) {
	usable := stored != ""
	if !usable {
		stored = h.dummy
	}
	c, salt, want, err := decode(stored)
	if err != nil {
		return false, false, fault.Wrap(err, "stored password hash")
	}
	end, err := h.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer end()
	got := derive(c, password, salt, len(want))
	match = subtle.ConstantTimeCompare(got, want) == 1 && usable
	return match, match && c != h.cost, nil
}

func derive(c cost, password secret.Text, salt []byte, n int) []byte {
	return argon2.IDKey([]byte(password.Reveal()), salt, c.time, c.memory, c.threads, uint32(n))
}

// encode writes the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func encode(c cost, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// decode reads a PHC string and refuses costs that would stop the server.
func decode(s string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return c, nil, nil, errors.New("not argon2id in PHC format")
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return c, nil, nil, fmt.Errorf("argon2 version %q", parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, nil, nil, fmt.Errorf("argon2 parameters %q", parts[3])
	}
	if c.memory > 1<<20 || c.time < 1 || c.time > 64 || c.threads < 1 {
		return c, nil, nil, fmt.Errorf("argon2 parameters %q are out of range", parts[3])
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("argon2 salt: %w", err)
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) < 16 {
		return c, nil, nil, errors.New("argon2 hash is not base64 of 16 bytes or more")
	}
	return c, salt, sum, nil
}
