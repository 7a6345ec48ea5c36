package server_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/audit"
	"latchkey/internal/db"
	"latchkey/internal/server"
)

// bursts returns the details of the audit log's entries.
func bursts(t *testing.T, trail *audit.Log) []string {
	t.Helper()
	records, err := trail.List(t.Context(), audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range records {
		if r.Action != "api-key.refused-burst" || r.Kind != "system" {
			t.Errorf("entry %+v", r)
		}
		out = append(out, fmt.Sprint(r.Details))
	}
	return out
}

func TestBurstsOfRefusedKeysAreAudited(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		counts, trail := map[string]uint64{"malformed": 5000}, audit.New(d)
		watch := server.NewRefusals(func() map[string]uint64 { return maps.Clone(counts) }, trail, slog.New(slog.DiscardHandler))
		now := time.Now()
		first := "map[reasons:map[malformed:90 unknown:10] refused:100 seconds:10]"
		second := "map[reasons:map[malformed:300 unknown:150] refused:450 seconds:20]"
		for i, step := range []struct {
			malformed, unknown, accepted, limited uint64
			after                                 time.Duration
			want                                  []string
		}{
			{99, 0, 1000, 0, 0, []string{}},
			{0, 0, 0, 1000, 0, []string{}}, // too busy, no attack
			{90, 10, 0, 500, 0, []string{first}},
			{0, 150, 0, 0, 10 * time.Second, []string{first}}, // within the minute
			{50, 0, 0, 0, 10 * time.Second, []string{first}},  // no burst
			{300, 0, 0, 0, 10 * time.Second, []string{first}},
			{0, 0, 0, 0, 30 * time.Second, []string{first, second}}, // the minute is over
			{0, 0, 0, 0, 10 * time.Minute, []string{first, second}},
		} {
			counts["malformed"] += step.malformed
			counts["unknown"] += step.unknown
			counts["accepted"] += step.accepted
			counts["rate-limit"] += step.limited
			now = now.Add(step.after)
			watch.Look(t.Context(), now)
			if got := bursts(t, trail); !slices.Equal(got, step.want) {
				t.Errorf("step %d: %v, want %v", i, got, step.want)
			}
		}
		if _, err := trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A burst is written also when the audit log fails for a while, and when the
// server stops within the minute.
func TestBurstsOfRefusedKeysAreNotLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var out bytes.Buffer
		var n uint64
		trail := audit.New(d)
		watch := server.NewRefusals(func() map[string]uint64 { return map[string]uint64{"unknown": n} }, trail, slog.New(slog.NewTextHandler(&out, nil)))
		now, cancelled := time.Now(), func() context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}()
		n += 100
		watch.Look(cancelled, now) // stands for a database that is away
		if !strings.Contains(out.String(), "unknown=100") || !strings.Contains(out.String(), "level=ERROR") {
			t.Errorf("log: %s", out.String())
		}
		n += 200
		watch.Look(t.Context(), now.Add(10*time.Second))
		n += 400
		watch.Look(t.Context(), now.Add(20*time.Second))
		n += 150 // since the last look
		watch.Run(cancelled)
		want := []string{
			"map[reasons:map[unknown:300] refused:300 seconds:20]",
			"map[reasons:map[unknown:550] refused:550 seconds:20]",
		}
		if got := bursts(t, trail); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
