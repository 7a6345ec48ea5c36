package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apikey"
	"latchkey/internal/apptest"
)

// How far counters lag behind: they are written every five seconds, and what
// other nodes have written is read every fifteen.
const (
	flushLag = 5*time.Second + 2*promise
	readLag  = 15 * time.Second
)

// spent calls a node until the key is over a limit, at most 50 times, and
// returns how many calls were let through and the answer that was not.
func spent(s *apptest.Server, text string) (n int, last apptest.Answer) {
	for n = range 50 {
		if last = s.Do("GET", groups, nil, "x-api-key", text); last.Status != 200 {
			break
		}
	}
	return n, last
}

// limited makes sure that a refusal says which limit is used up and when to
// come again.
func limited(t *testing.T, what, reason string, got apptest.Answer) {
	t.Helper()
	if h := got.Header; got.Status != 429 || h.Get("Latchkey-Reason") != reason || h.Get("Retry-After") == "" {
		t.Errorf("%s: %d %s, Latchkey-Reason %q, Retry-After %q; want 429, %q and a time",
			what, got.Status, got.Body, h.Get("Latchkey-Reason"), h.Get("Retry-After"), reason)
	}
}

// TestRateLimitIsPerNode: each node counts the rate on its own, and a limit
// that was set on A holds on B: that of a key and that of a policy.
func TestRateLimitIsPerNode(t *testing.T) {
	awayFromMidnight()
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		const most = 3
		rate := body{"requests": most, "seconds": 86_400}
		k := newKey(a, body{"group_ids": []int64{2}, "restriction": body{"rate_limit": rate}})
		for name, s := range map[string]*apptest.Server{"A": a, "B": b} {
			n, last := spent(s, k.Text)
			if n != most {
				t.Errorf("%s lets %d requests through, want %d whatever the other has counted", name, n, most)
			}
			limited(t, "the request after them on "+name, "rate-limit", last)
		}

		for name, set := range map[string]change{
			"the restriction": restrict(body{"rate_limit": rate}),
			"the policy": func(s *apptest.Server, _ key) {
				s.Admin(200, nil, "PUT", "/v1/policies/0", body{"rate_limit": rate})
			},
		} {
			k := newKey(a, body{"group_ids": []int64{2}})
			warm(t, b, 200, groups, "x-api-key", k.Text)
			set(a, k)
			last := becomes(t, "a key is over the rate that "+name+" has on A, on B", b, 429, "GET", groups, "x-api-key", k.Text)
			limited(t, "over the rate of "+name, "rate-limit", last)
		}
	})
}

// counts are the requests of a key, as a node knows them.
func counts(s *apptest.Server, k key) int {
	var got struct{ Totals struct{ Requests int } }
	s.Admin(200, &got, "GET", k.path+"/usage", nil)
	return got.Totals.Requests
}

// counted waits until a node knows of so many requests of a key.
func counted(t *testing.T, what string, s *apptest.Server, k key, want int) {
	t.Helper()
	n := 0
	for start := time.Now(); time.Since(start) < flushLag; time.Sleep(50 * time.Millisecond) {
		if n = counts(s, k); n == want {
			return
		}
	}
	t.Errorf("not within %v: %s: %d requests are counted, want %d", flushLag, what, n, want)
}

// TestCountsAreShared: what both nodes have counted adds up once it is written,
// also that of a node that stops. What was used on A counts against a quota on
// B and the other way round, as late as is said.
func TestCountsAreShared(t *testing.T) {
	awayFromMidnight()
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		plain := newKey(a, body{"group_ids": []int64{2}})
		for range 4 {
			a.Want(200, nil, "GET", groups, nil, "x-api-key", plain.Text)
		}
		for range 3 {
			b.Want(404, nil, "GET", "/api/user/4711", nil, "x-api-key", plain.Text)
		}
		quotaIsShared(t, a, b)

		counted(t, "four requests on A and three on B, asked of A", a, plain, 7)
		counted(t, "four requests on A and three on B, asked of B", b, plain, 7)
		a.Want(200, nil, "GET", groups, nil, "x-api-key", plain.Text)
		if code := a.Stop(); code != 0 {
			t.Errorf("A stopped with exit code %d:\n%s", code, a.Log())
		}
		if n := counts(b, plain); n != 8 {
			t.Errorf("B knows of %d requests after A has stopped, want 8", n)
		}
	})
}

func quotaIsShared(t *testing.T, a, b *apptest.Server) {
	t.Helper()
	const most, onA = 8, 2
	k := newKey(a, body{"group_ids": []int64{2}, "restriction": body{"quota": body{"requests": most, "period": "day"}}})
	read := time.Now() // A reads what was used with the first request
	for range onA {
		a.Want(200, nil, "GET", groups, nil, "x-api-key", k.Text)
	}
	counted(t, "what A let through, asked of B", b, k, onA)
	n, last := spent(b, k.Text)
	if n != most-onA {
		t.Errorf("B lets %d requests through, want %d: A has used %d of %d", n, most-onA, onA, most)
	}
	limited(t, "the request after them on B", "quota", last)
	counted(t, "what both let through and the one that B refused, asked of A", a, k, most+1)

	// By its own count A could let as many through as B did.
	time.Sleep(time.Until(read.Add(readLag + promise)))
	for n = range 3 {
		if last = a.Do("GET", groups, nil, "x-api-key", k.Text); last.Status != 200 {
			break
		}
		time.Sleep(promise / 2) // it reads beside the requests
	}
	limited(t, fmt.Sprintf("A, %v after it last read what B uses, and %d requests more", time.Since(read).Round(time.Second), n), "quota", last)
}

// TestForeignKeysFollow: a text from outside that a seed file gives a key on A
// is known to B, which has refused it before; the text it replaces ends there.
func TestForeignKeysFollow(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *apptest.Server) {
		dir := t.TempDir()
		write := func(name, text string) string {
			t.Helper()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		seed := func(source string) {
			t.Helper()
			file := write("seed.yaml", "version: 1\nkeys:\n  - {name: Old dashboard, groups: [Administrators], "+source+"}\n")
			if code, out, errs := a.Run("", "seed", "apply", file); code != 0 {
				t.Fatalf("seed apply: exit code %d\n%s%s", code, out, errs)
			}
		}
		const first, second = "mb_first0123456789abcdefghijklmnop", "other-text-of-another-server-0123456789"
		warm(t, b, 401, groups, "x-api-key", first)
		warm(t, b, 401, groups, "x-api-key", second)
		seed("secret_file: " + write("first", first))
		becomes(t, "a text from outside that a seed on A gave a key works on B", b, 200, "GET", groups, "x-api-key", first)
		warm(t, b, 200, groups, "x-api-key", first)

		code, out, errs := a.Run("", "seed", "hash", "--file", write("second", second))
		if code != 0 {
			t.Fatalf("seed hash: exit code %d\n%s%s", code, out, errs)
		}
		seed(`hash: "` + strings.TrimSpace(out) + `"`)
		refused(t, "the text that a seed on A replaced is refused on B", b, 401, "", first)
		becomes(t, "a text that a seed on A gave by its hash works on B", b, 200, "GET", groups, "x-api-key", second)
		warm(t, a, 200, groups, "x-api-key", second)

		own := apikey.NewText("lk_").Reveal()
		warm(t, b, 401, groups, "x-api-key", own)
		seed("secret_file: " + write("own", own))
		becomes(t, "a text in our form that was refused before works on B", b, 200, "GET", groups, "x-api-key", own)
		refused(t, "and the one before it does not", b, 401, "", second)
	})
}
