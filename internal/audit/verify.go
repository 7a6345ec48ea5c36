package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"latchkey/internal/db"
)

// Report is what Verify found of a log that is whole.
type Report struct {
	Entries int64
	Removed int64 // by retention, before the first entry
	Head    Head
}

// Verify reads the whole chain. Its error names the first entry that was
// changed, is missing or out of order. With heads that were noted earlier it
// also finds that the newest entries were cut off, or that the chain was
// computed anew; a head that retention has removed since proves nothing any
// more and is an error, too.
func (l *Log) Verify(ctx context.Context, noted ...Head) (Report, error) {
	v := verifier{noted: map[int64][]Head{}}
	for _, h := range noted {
		v.noted[h.ID] = append(v.noted[h.ID], h)
	}
	err := db.Each(ctx, l.db, scanLink, v.next, "SELECT "+columns+`, anchor, anchor_hash, removed FROM audit
		LEFT JOIN (SELECT id AS anchor, hash AS anchor_hash, removed FROM audit_anchor) AS a ON TRUE ORDER BY id`)
	if err == nil && v.Entries == 0 {
		err = l.verifyEmpty(ctx)
	}
	if err == nil {
		err = v.end()
	}
	return v.Report, err
}

// verifyEmpty makes sure that nothing was there before: retention leaves the
// entry about itself.
func (l *Log) verifyEmpty(ctx context.Context) error {
	a, err := l.anchor(ctx)
	if err == nil && a.ID != 0 {
		err = fmt.Errorf("audit entry %d is missing, and all after it", a.ID+1)
	}
	return err
}

// anchor is where the chain begins: what retention removed last.
type anchor struct {
	Head
	removed int64
}

func (l *Log) anchor(ctx context.Context) (anchor, error) {
	a, err := db.One(ctx, l.db, scanAnchor, "SELECT id, hash, removed FROM audit_anchor")
	if errors.Is(err, db.ErrNone) {
		return anchor{}, nil
	}
	if err != nil {
		return a, fmt.Errorf("audit: read the anchor: %w", err)
	}
	return a, nil
}

func scanAnchor(r db.Row) (anchor, error) {
	var a anchor
	err := r.Scan(&a.ID, &a.Hash, &a.removed)
	return a, err
}

// link is a record beside the anchor, read in one statement so that both are of
// one moment.
type link struct {
	Record
	anchor anchor
}

func scanLink(r db.Row) (link, error) {
	var v link
	var id, removed *int64
	if err := r.Scan(append(v.targets(), &id, &v.anchor.Hash, &removed)...); err != nil {
		return v, fmt.Errorf("audit: an entry cannot be read: %w", err)
	}
	if id != nil && removed != nil {
		v.anchor.ID, v.anchor.removed = *id, *removed
	}
	return v, nil
}

// verifier walks along the chain.
type verifier struct {
	Report
	anchor anchor
	pruned *pruning // the last entry about retention
	noted  map[int64][]Head
}

func (v *verifier) next(l link) error {
	if v.Entries == 0 {
		v.anchor, v.Head, v.Removed = l.anchor, l.anchor.Head, l.anchor.removed
		if err := v.compare(); err != nil {
			return err
		}
	}
	if err := l.follows(v.Head); err != nil {
		return err
	}
	v.Entries, v.Head = v.Entries+1, Head{l.ID, l.Hash}
	if l.Action == actionPrune {
		v.pruned = &pruning{}
		if err := json.Unmarshal([]byte(l.raw), v.pruned); err != nil {
			return fmt.Errorf("audit entry %d cannot be read: %w", l.ID, err)
		}
	}
	return v.compare()
}

// follows reports what is wrong with a record that should stand behind prev.
func (r Record) follows(prev Head) error {
	if r.ID != prev.ID+1 {
		return fmt.Errorf("audit entry %d is missing", prev.ID+1)
	}
	if !bytes.Equal(r.chain(prev.Hash), r.Hash) {
		return fmt.Errorf("audit entry %d was changed, or stands where another one stood", r.ID)
	}
	return nil
}

// compare compares the heads that were noted when this entry was the newest.
func (v *verifier) compare() error {
	for _, h := range v.noted[v.Head.ID] {
		if !bytes.Equal(h.Hash, v.Head.Hash) {
			return fmt.Errorf("audit entry %d is not the one that was noted: the log was rewritten", h.ID)
		}
	}
	delete(v.noted, v.Head.ID)
	return nil
}

// end makes sure that what should have been met was met.
func (v *verifier) end() error {
	for id := range v.noted {
		if id > v.Head.ID {
			return fmt.Errorf("the newest audit entries were cut off: entry %d was noted, and the log ends with %d", id, v.Head.ID)
		}
	}
	if !v.pruned.left(v.anchor) {
		return fmt.Errorf("audit entries up to %d are missing, and not because of retention", v.anchor.ID)
	}
	for id := range v.noted {
		return fmt.Errorf("audit entry %d was removed by retention since it was noted; note a newer one, after %d", id, v.anchor.ID)
	}
	return nil
}

// pruning is the details of an entry about retention. The newest such entry
// names the anchor, so that nobody can move the anchor alone.
type pruning struct {
	Through int64  `json:"through"`
	Hash    string `json:"hash"`
	Removed int64  `json:"removed_in_all"`
}

// left reports whether the anchor is what this pruning left; none leaves none.
func (p *pruning) left(a anchor) bool {
	if p == nil {
		return a.ID == 0
	}
	return p.Through == a.ID && p.Hash == hex.EncodeToString(a.Hash) && p.Removed == a.removed
}
