package mbql

import (
	"crypto/sha1"
	"fmt"
	"strconv"
)

// nameUUID returns the UUID (version 5) that follows from a space and a name.
// It is SHA-1 because that version is; it protects nothing.
func nameUUID(space, name string) string {
	h := sha1.New()
	h.Write([]byte("latchkey/mbql\x00" + space + "\x00" + name))
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// uuids makes the UUIDs of one query: the n-th of the same query is always the
// same, and no other query has it.
type uuids struct {
	sent *object
	seed string
	n    int
}

func (u *uuids) next() string {
	if u.seed == "" { // SQL needs none
		u.seed = nameUUID("query", string(encodeSorted(u.sent)))
	}
	u.n++
	return nameUUID(u.seed, strconv.Itoa(u.n))
}
