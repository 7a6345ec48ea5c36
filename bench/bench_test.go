package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apikey"
)

func TestKeyTexts(t *testing.T) {
	p := place{keys: small}
	seen := map[string]bool{}
	for i := range 1000 {
		text := p.key(i)
		if len(text) != 47 || !apikey.WellFormed(text) || seen[text] {
			t.Fatalf("key %d is not one of the product, or not new: %q", i, text)
		}
		if apikey.WellFormed(spoiled(text)) {
			t.Fatalf("key %d passes although spoiled", i)
		}
		seen[text] = true
	}
	const same = "lk_gCUHkX6s55jLFKnN8NWdvdgD1uc6nxwZtMDIOv1tzyie" // opens nothing
	if got := p.key(1); got != same {
		t.Errorf("key 1 is %s, not the same in every run", got)
	}
	if p.key(1) == keyText("forged", 1) {
		t.Error("forged keys are stored ones")
	}
}

func TestLoadReadsAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = fmt.Fprint(w, "hello")
	}))
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	l := load{addr: addr, conns: 3, depth: 4, reqs: [][]byte{keyed("/a", "k"), keyed("/b", "k")}, want: 200}
	rate, err := l.run(t.Context(), 50*time.Millisecond)
	if err != nil || rate <= 0 {
		t.Errorf("%v answers a second, %v", rate, err)
	}
	l.want = 201
	if _, err := l.run(t.Context(), 50*time.Millisecond); err == nil {
		t.Error("a wrong status is no error")
	}
	took, err := latencies(t.Context(), addr, l.reqs, 1000, 30*time.Millisecond, 200)
	if err != nil || len(took) == 0 {
		t.Errorf("%d latencies, %v", len(took), err)
	}
	got, err := flood{addr: addr, rate: 2000, d: 100 * time.Millisecond}.run(t.Context())
	if err == nil {
		t.Errorf("keys that were let in are no error: %+v", got)
	}
}

func TestFloodIsBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer s.Close()
	f := flood{addr: strings.TrimPrefix(s.URL, "http://"), rate: 1000, d: 200 * time.Millisecond}
	got, err := f.run(t.Context())
	if err != nil || got.Answers == 0 || got.Answers > 200+floodConns {
		t.Errorf("%+v, %v", got, err)
	}
	for _, args := range [][]string{
		{"-addr", "192.0.2.1:80", "-rate", "1", "-for", "1s"},
		{"-addr", "127.0.0.1:1", "-rate", "1", "-for", "2m"},
		{"-addr", "127.0.0.1:1", "-rate", "1000000", "-for", "1s"},
	} {
		if err := runFlood(t.Context(), args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "127.0.0.1 only") {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestBareWritesItsInput(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out lineWriter
	out.lines = make(chan string, 1)
	done := make(chan error, 1)
	go func() { done <- serveBare(ctx, strings.NewReader("[1]"), out) }()
	body, err := get(t.Context(), "http://"+strings.TrimSpace(<-out.lines)+"/any")
	if body != "[1]" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type lineWriter struct{ lines chan string }

func (w lineWriter) Write(b []byte) (int, error) { w.lines <- string(b); return len(b), nil }

func TestOptions(t *testing.T) {
	for _, args := range []string{"-rows 8", "-rows 0", "-large 10", "-rounds 0", "extra", "-nonsense"} {
		if _, err := readOptions(strings.Fields(args)); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	if o, err := readOptions(strings.Fields("-rows 13 -keep")); err != nil || !o.keep || o.rows != "13" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestFigures(t *testing.T) {
	sample := []time.Duration{5, 1, 4, 2, 3}
	if quantile(sample, 0) != 1 || median(sample) != 3 || quantile(sample, 1) != 5 || median([]float64(nil)) != 0 {
		t.Error("quantiles are wrong")
	}
	for want, got := range map[string]string{
		"999 ns": span(999), "1.5 µs": span(1500), "12.3 ms": span(12_345_678), "2 s": span(2 * time.Second),
		"7": count(7), "1,000": count(1000), "1,234,567": count(1234567), "1.5 MB": mib(3 << 19),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReport(t *testing.T) {
	var r report
	r.add("1", "a µ", "2", "≤ 1", judge(false))
	r.note("1", "b", "3")
	var b strings.Builder
	r.print(&b)
	want := "| row | what | measured | budget | verdict |\n" +
		"|-----|------|----------|--------|---------|\n" +
		"| 1   | a µ  | 2        | ≤ 1    | MISSED  |\n" +
		"| 1   | b    | 3        |        |         |\n"
	if b.String() != want || r.missed() != 1 {
		t.Errorf("%d missed\n%s", r.missed(), b.String())
	}
}
