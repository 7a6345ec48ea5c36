package apikey

import (
	"context"
	"errors"
	"fmt"

	"latchkey/internal/db"
	"latchkey/internal/secret"
)

// Peppers are the peppers in force: keys are stored under Current; those
// stored under Previous still work, and move to Current on their next use.
type Peppers struct {
	Current  *Pepper
	Previous *Pepper // nil unless a rotation is under way
}

// PepperSource says where the peppers come from.
type PepperSource struct {
	Text     secret.Text // from configuration; empty means File
	File     string      // made at first start when it does not exist
	Previous secret.Text // from configuration; empty means none
}

// OpenPeppers loads the peppers and proves that the keys in the database were
// stored under one of them. The errors are one line and name the fix; nothing
// is changed when there is one.
func OpenPeppers(ctx context.Context, d *db.DB, src PepperSource) (Peppers, error) {
	known, err := knownPeppers(ctx, d)
	if err != nil {
		return Peppers{}, err
	}
	p, err := src.load(len(known) == 0)
	if err != nil {
		return Peppers{}, err
	}
	if provesOne(p.Current, known) {
		return p, nil
	}
	if len(known) > 0 && (p.Previous == nil || !provesOne(p.Previous, known)) {
		return Peppers{}, errors.New("pepper: it is not the one that the keys in this database were stored under: use the pepper of the first start (file pepper in the data directory, or LATCHKEY_PEPPER_FILE), or name that one in LATCHKEY_PEPPER_PREVIOUS_FILE to rotate")
	}
	probe := p.Current.probe()
	_, err = d.Exec(ctx, "INSERT INTO pepper (id, probe, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
		p.Current.id, probe[:], d.Now(ctx))
	if err != nil {
		return Peppers{}, fmt.Errorf("pepper: %w", err)
	}
	return p, nil
}

// Stranded returns how many keys are stored under a pepper that is not in
// force: they are refused until it is named as the previous one.
func (p Peppers) Stranded(ctx context.Context, d *db.DB) (int, error) {
	if known, err := knownPeppers(ctx, d); err != nil || len(known) < 2 {
		return 0, err // the usual case costs no walk over all keys
	}
	previous := p.Current.id
	if p.Previous != nil {
		previous = p.Previous.id
	}
	n, err := db.One(ctx, d, db.Scalar[int], "SELECT count(*) FROM api_key_secret WHERE retired_at IS NULL AND pepper_id <> ?1 AND pepper_id <> ?2", p.Current.id, previous)
	if err != nil {
		return 0, fmt.Errorf("pepper: %w", err)
	}
	return n, nil
}

func (src PepperSource) load(mayCreate bool) (p Peppers, err error) {
	if src.Text.Empty() {
		p.Current, err = LoadPepper(src.File, mayCreate)
	} else {
		p.Current, err = ParsePepper(src.Text)
	}
	if err != nil || src.Previous.Empty() {
		return p, err
	}
	if p.Previous, err = ParsePepper(src.Previous); err != nil {
		return p, fmt.Errorf("previous %w", err)
	}
	return p, nil
}

func knownPeppers(ctx context.Context, d *db.DB) (map[string][]byte, error) {
	type row struct {
		id    string
		probe []byte
	}
	rows, err := db.All(ctx, d, func(r db.Row) (v row, err error) {
		err = r.Scan(&v.id, &v.probe)
		return v, err
	}, "SELECT id, probe FROM pepper")
	if err != nil {
		return nil, fmt.Errorf("pepper: %w", err)
	}
	known := map[string][]byte{}
	for _, r := range rows {
		known[r.id] = r.probe
	}
	return known, nil
}

func provesOne(p *Pepper, known map[string][]byte) bool {
	probe, ok := known[p.id]
	return ok && p.proves(probe)
}
