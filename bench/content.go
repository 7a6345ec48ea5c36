package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"latchkey/internal/db"
)

// The sixth row: content at scale, on SQLite.
const (
	contentGroups      = 10_000
	contentCollections = 1_000
	contentItems       = 100_000 // in the collection that is listed
	archivedItems      = 10_000  // in the one that is archived
	bulkMemberships    = 10_000
	contentRounds      = 5

	graphBudget   = time.Second
	changeBudget  = 100 * time.Millisecond
	itemsBudget   = 50 * time.Millisecond
	archiveBudget = time.Second
	bulkBudget    = time.Second
)

// Ids of what the row seeds; the first of each kind is beyond what set-up makes.
const (
	firstGroup      = 1_000
	firstCollection = 1_000
	listedFolder    = firstCollection
	archivedFolder  = firstCollection + 1
	firstPerson     = 1_000_000
)

// contentRow measures the permission graph, lists and what one call changes in
// bulk.
func contentRow(ctx context.Context, b *bench) error {
	from, err := b.place(ctx, small)
	if err != nil {
		return err
	}
	p := place{dir: filepath.Join(b.dir, "content"), keys: from.keys}
	if err := os.CopyFS(p.dir, os.DirFS(from.dir)); err != nil {
		return err
	}
	b.say("seed content")
	if err := p.fillContent(ctx); err != nil {
		return fmt.Errorf("seed content: %w", err)
	}
	s, err := b.serve(ctx, p, "")
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	c := caller{base: "http://" + s.addr, key: p.key(0)}
	return errors.Join(c.graph(ctx, b), c.lists(ctx, b), c.search(ctx, b), c.archive(ctx, b), c.memberships(ctx, b))
}

// fillContent writes into the tables directly: through the API it would take
// an hour. Every group may view every collection, which is the most that a
// permission graph can hold; another group curates each, so that no two share
// their grants.
func (p place) fillContent(ctx context.Context) error {
	d, err := db.Open(ctx, db.Options{Dir: p.dir})
	if err != nil {
		return err
	}
	defer d.Close()
	var grants strings.Builder
	for i := range contentGroups {
		fmt.Fprintf(&grants, " %dr", firstGroup+i)
	}
	const n = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1) `
	const item = `INSERT INTO item (kind, id, model, rank, name, name_key, entity_id, collection_id, creator_id, created_at, updated_at, edited_by, edited_key, edited_at) `
	const id = `substr(hex(randomblob(11)), 1, 21)`
	return d.InTx(ctx, func(ctx context.Context) error {
		for _, s := range []struct {
			q    string
			args []any
		}{
			{`INSERT INTO permission_group (id, name, name_key, entity_id, created_at, updated_at)
				SELECT ?2 + i, printf('Group %05d', i), printf('group %05d', i), ` + id + `, 0, 0 FROM n`, []any{contentGroups, firstGroup}},
			{item + `SELECT 'collection', ?2 + i, 'collection', 7, printf('Collection %04d', i), printf('collection %04d', i), ` + id + `, 0, 1, 0, 0, 1, '', 1 FROM n`,
				[]any{contentCollections, firstCollection}},
			{`INSERT INTO collection (id, item, path, slug, grants) SELECT id, no, '/', 'slug', replace(?3, (1001 + i) || 'r', (1001 + i) || 'c')
				FROM item JOIN n ON id = ?2 + i WHERE kind = 'collection'`, []any{contentCollections, firstCollection, strings.TrimSpace(grants.String())}},
			{item + `SELECT 'card', i + 1, 'card', 5, printf('Question %06d', i * 7919 % ?1), printf('question %06d', i * 7919 % ?1), ` + id + `, ?2, 1, 0, 0, 1, 'ada', i FROM n`,
				[]any{contentItems, listedFolder}},
			{item + `SELECT 'card', ?3 + i, 'card', 5, printf('Old %05d', i), printf('old %05d', i), ` + id + `, ?2, 1, 0, 0, 1, 'ada', i FROM n`,
				[]any{archivedItems, archivedFolder, contentItems + 1}},
			{fmt.Sprintf(`INSERT INTO revision (item, object, is_creation, made_at)
				SELECT no, '{"name":"Old","archived":false,"collection_id":%d,"dataset_query":"' || hex(zeroblob(500)) || '"}', TRUE, 0
				FROM item WHERE kind = 'card' AND collection_id = %[1]d`, archivedFolder), nil},
			{`UPDATE item_sequence SET last = 1000000`, nil},
			{`INSERT INTO users (id, kind, email, first_name, last_name, sort_name, sort_last, search_text, date_joined, updated_at)
				SELECT ?2 + i, 'person', printf('p%05d@example.com', i), 'P', printf('%05d', i), printf('p %05d', i), printf('%05d p', i), printf('p %05d', i), 0, 0 FROM n`,
				[]any{bulkMemberships, firstPerson}},
			{`INSERT INTO membership (group_id, user_id) SELECT 1, ?2 + i FROM n`, []any{bulkMemberships, firstPerson}},
		} {
			q := s.q
			if s.args != nil {
				q = n + q
			}
			if _, err := d.Exec(ctx, q, s.args...); err != nil {
				return fmt.Errorf("%s: %w", s.q[:40], err)
			}
		}
		return nil
	})
}

// caller calls the program as one client does.
type caller struct{ base, key string }

// call sends one request, reads the answer to its end, and returns its length
// and how long the whole took.
func (c caller) call(ctx context.Context, method, path string, body any) (int64, time.Duration, error) {
	var send io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, 0, err
		}
		send = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, send)
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("X-API-Key", c.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "identity") // or the client would spend its time on unpacking
	began := time.Now()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, 0, err
	}
	size, err := io.Copy(io.Discard, res.Body)
	took := time.Since(began)
	if err = errors.Join(err, res.Body.Close()); err == nil && res.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: status %d", method, path, res.StatusCode)
	}
	return size, took, err
}

// times calls several times and returns how long each took.
func (c caller) times(ctx context.Context, n int, method, path string, body func(i int) any) ([]time.Duration, int64, error) {
	var all []time.Duration
	var size int64
	for i := range n {
		var send any
		if body != nil {
			send = body(i)
		}
		got, took, err := c.call(ctx, method, path, send)
		if err != nil {
			return nil, 0, err
		}
		all, size = append(all, took), got
	}
	return all, size, nil
}

// graph measures the whole permission graph, and one change of it.
func (c caller) graph(ctx context.Context, b *bench) error {
	const path = "/api/collection/graph"
	what := fmt.Sprintf("permission graph, %s groups × %s collections, all set: ", count(contentGroups), count(contentCollections))
	all, size, err := c.times(ctx, contentRounds, "GET", path, nil)
	if err != nil {
		return err
	}
	b.report.add("6", what+fmt.Sprintf("GET (%d MB)", size>>20), spread(all), "≤ 1 s", judge(median(all) <= graphBudget))
	change := func(i int) any {
		level := []string{"write", "read"}[i%2]
		return map[string]any{"groups": map[string]any{fmt.Sprint(firstGroup): map[string]any{fmt.Sprint(firstCollection + 5): level}}}
	}
	all, _, err = c.times(ctx, contentRounds, "PUT", path+"?force=true&skip-graph=true", change)
	if err != nil {
		return err
	}
	b.report.add("6", what+"PUT of one change", spread(all), "≤ 100 ms", judge(median(all) <= changeBudget))
	return nil
}

// lists measures pages of a long list in every order, at its beginning, in it
// and at its end.
func (c caller) lists(ctx context.Context, b *bench) error {
	for _, order := range []string{"name", "last_edited_at", "last_edited_by", "model"} {
		var pages []time.Duration
		for _, direction := range []string{"asc", "desc"} {
			for _, offset := range []int{0, 1_000, contentItems / 2, contentItems - 50} {
				path := fmt.Sprintf("/api/collection/%d/items?limit=50&offset=%d&sort_column=%s&sort_direction=%s", listedFolder, offset, order, direction)
				all, _, err := c.times(ctx, contentRounds, "GET", path, nil)
				if err != nil {
					return err
				}
				pages = append(pages, median(all))
			}
		}
		b.report.add("6", fmt.Sprintf("page of a collection of %s items by %s, both ways, from first to last", count(contentItems), order),
			spread(pages), "≤ 50 ms", judge(quantile(pages, 1) <= itemsBudget))
	}
	return nil
}

// search measures the first page of a word that is in every name.
func (c caller) search(ctx context.Context, b *bench) error {
	page := fmt.Sprintf("search of a word in %s names, the first page", count(contentItems))
	for _, more := range []struct{ what, query string }{{page, ""}, {"same, with the models that there are", "&calculate_available_models=true"}} {
		all, _, err := c.times(ctx, contentRounds, "GET", "/api/search?q=question&limit=20&offset=0"+more.query, nil)
		if err != nil {
			return err
		}
		b.report.note("6", more.what, spread(all))
	}
	return nil
}

// archive measures a collection that goes into the trash with all that lies in
// it, and back.
func (c caller) archive(ctx context.Context, b *bench) error {
	var in, out []time.Duration
	for range contentRounds {
		for _, way := range []*[]time.Duration{&in, &out} {
			_, took, err := c.call(ctx, "PUT", fmt.Sprintf("/api/collection/%d", archivedFolder), map[string]any{"archived": way == &in})
			if err != nil {
				return err
			}
			*way = append(*way, took)
		}
	}
	what := fmt.Sprintf("collection with %s items: ", count(archivedItems))
	b.report.add("6", what+"archive, one transaction", spread(in), "< 1 s", judge(median(in) < archiveBudget))
	b.report.add("6", what+"restore, one transaction", spread(out), "< 1 s", judge(median(out) < archiveBudget))
	return nil
}

// memberships measures many memberships in one call that is all or nothing.
func (c caller) memberships(ctx context.Context, b *bench) error {
	var all []time.Duration
	for i := range contentRounds {
		ops := make([]any, bulkMemberships)
		for at := range ops {
			ops[at] = map[string]any{"op": "add_membership", "group_id": firstGroup + i, "user_id": firstPerson + at}
		}
		_, took, err := c.call(ctx, "POST", "/v1/bulk", map[string]any{"mode": "atomic", "operations": ops})
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	b.report.add("6", fmt.Sprintf("%s memberships in one atomic call of /v1/bulk", count(bulkMemberships)),
		spread(all), "< 1 s", judge(median(all) < bulkBudget))
	return nil
}
