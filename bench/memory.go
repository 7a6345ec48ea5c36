package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The fifth row.
const (
	idleBudget  = 35 << 20
	largeBudget = 200 << 20
	pageBudget  = 50 * time.Millisecond
	flatBudget  = 2.0 // cold lookups among many keys against few
	settle      = 5 * time.Second
	pages       = 20
	pathKeys    = "/admin/settings/authentication/api-keys"
	pageSize    = 50
)

// memoryRow measures the fifth row: memory, lists and lookups of a small and
// a large database.
func memoryRow(ctx context.Context, b *bench) error {
	few, err := b.place(ctx, small)
	if err != nil {
		return err
	}
	many, err := b.place(ctx, b.large)
	if err != nil {
		return err
	}
	if err := b.idle(ctx, few); err != nil {
		return err
	}
	if err := b.busy(ctx, many); err != nil {
		return err
	}
	return b.cold(ctx, few, many)
}

// idle measures the memory of a server that has started and answered one
// request.
func (b *bench) idle(ctx context.Context, p place) error {
	rss, err := b.rested(ctx, p, func(*process) error { return nil })
	if err != nil {
		return err
	}
	b.report.add("5", fmt.Sprintf("memory (RSS) after start, %s keys stored", count(p.keys)), mib(rss), "< 35 MB", judge(rss < idleBudget))
	return nil
}

// rested starts the program, lets work be done, and returns its memory when it
// has settled.
func (b *bench) rested(ctx context.Context, p place, work func(*process) error) (int64, error) {
	s, err := b.serve(ctx, p, "")
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.stop() }()
	if _, err := s.await(ctx, keyed(pathGroups, p.key(0))); err != nil {
		return 0, err
	}
	if err := work(s); err != nil {
		return 0, err
	}
	time.Sleep(settle)
	return s.memory()
}

// busy measures the large database: memory after start, the list page, and
// memory after every key that fits was used.
func (b *bench) busy(ctx context.Context, p place) error {
	rss, err := b.rested(ctx, p, func(*process) error { return nil })
	if err != nil {
		return err
	}
	stored := fmt.Sprintf("%s keys stored", count(p.keys))
	b.report.add("5", "memory after start, "+stored, mib(rss), "< 200 MB", judge(rss < largeBudget))
	var most int64
	rss, err = b.rested(ctx, p, func(s *process) error {
		if err := b.listPages(ctx, s, p); err != nil {
			return err
		}
		if err := useKeys(ctx, s, p); err != nil {
			return err
		}
		most, err = s.memory()
		return err
	})
	if err != nil {
		return err
	}
	most = max(most, rss)
	b.report.add("5", fmt.Sprintf("memory after list pages and the use of %s of them", count(min(keysUsed, p.keys))), mib(most), "< 200 MB", judge(most < largeBudget))
	return nil
}

// keysUsed is more than the program keeps in memory.
const keysUsed = 250_000

// useKeys uses many keys once. They may not read the groups: 403 says that the
// key was accepted.
func useKeys(ctx context.Context, s *process, p place) error {
	b := make([]byte, 0, 8192)
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	const step = 50
	for i := p.admins(); i+step <= min(keysUsed, p.keys) && ctx.Err() == nil; i += step {
		b = b[:0]
		for k := range step {
			b = append(b, keyed(pathGroups, p.key(i+k))...)
		}
		if err := c.send(b, step, http.StatusForbidden); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// listPages measures the page of keys as an administrator's browser gets it.
func (b *bench) listPages(ctx context.Context, s *process, p place) error {
	cookie, err := signIn(ctx, s.addr)
	if err != nil {
		return err
	}
	ask := func(query string) (time.Duration, error) {
		var took []time.Duration
		for range pages {
			began := time.Now()
			if _, err := get(ctx, "http://"+s.addr+pathKeys+query, "Cookie", cookie); err != nil {
				return 0, err
			}
			took = append(took, time.Since(began))
		}
		return median(took), nil
	}
	first, err1 := ask("")
	last, err2 := ask(fmt.Sprintf("?page=%d", p.keys/pageSize))
	found, err3 := ask("?q=0123456")
	b.report.add("5", "list page of 50 keys by name, the first", span(first), "< 50 ms", judge(first < pageBudget))
	b.report.note("5", "same, the last page", span(last))
	b.report.note("5", "same, a search in the middle of all names", span(found))
	return errors.Join(err1, err2, err3)
}

// signIn returns the cookie of an administrator's new session.
func signIn(ctx context.Context, addr string) (string, error) {
	body, err := json.Marshal(map[string]string{"username": adminEmail, "password": adminPassword})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/api/session", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	var session struct{ ID string }
	if err := errors.Join(json.NewDecoder(res.Body).Decode(&session), res.Body.Close()); err != nil {
		return "", err
	}
	if session.ID == "" {
		return "", fmt.Errorf("sign in: status %d", res.StatusCode)
	}
	return "metabase.SESSION=" + session.ID, nil
}

// mib writes a size in the unit of the budgets, 2^20 bytes.
func mib(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
