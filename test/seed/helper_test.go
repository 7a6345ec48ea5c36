package seed

import (
	"testing"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/apptest"
	"latchkey/internal/secret"
)

func digest(text string) (apikey.Digest, error) { return apikey.DigestOf(secret.New(text)) }

// digestText returns the hash of a key that nobody has.
func digestText(t *testing.T) string {
	t.Helper()
	d, err := apikey.DigestOf(apikey.NewText("lk_"))
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// await demands that a key gets a status soon: another process changed it.
func await(t *testing.T, s *apptest.Server, status int, text string) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got := s.Do("GET", "/api/user/current", nil, "X-Api-Key", text).Status
		if got == status {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the key gets %d, want %d", got, status)
		}
	}
}
