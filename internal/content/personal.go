package content

import (
	"context"
	"database/sql"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
)

// PersonalName is what the personal collection of a person is called, by the
// name or, without one, the address (contract/content-data.md 2.10).
func PersonalName(person string) string {
	const ending = "'s Personal Collection"
	runes := []rune(person)
	return string(runes[:min(len(runes), maxName-len(ending))]) + ending
}

// hasPersonal reports whether who is somebody with a personal collection: a
// person, also by a personal key, and never the user behind another key
// (contract/content-data.md 2.10). A key that is bound to some collections
// makes none.
func hasPersonal(who *access.Principal) bool {
	return who != nil && who.UserID != 0 && (who.Kind == access.Person || who.Kind == access.PersonalKey) && !access.BoundToCollections(who)
}

// OwnPersonal returns the id of the personal collection of the person who
// acts, 0 for who has none. It is made when the person asks for the first time.
func (s *Service) OwnPersonal(ctx context.Context, who *access.Principal) (int64, error) {
	if !hasPersonal(who) {
		return 0, nil
	}
	have, err := s.PersonalOf(ctx, []int64{who.UserID})
	if err != nil || have[who.UserID] != 0 {
		return have[who.UserID], err
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		id, err = s.makePersonal(ctx, who)
		return err
	})
	if db.IsUnique(err) { // another request of the same person was first
		have, err = s.PersonalOf(ctx, []int64{who.UserID})
		return have[who.UserID], err
	}
	return id, fault.Wrap(err, "make personal collection")
}

func (s *Service) makePersonal(ctx context.Context, who *access.Principal) (int64, error) {
	i, err := s.insert(ctx, who, NewItem{
		Kind: Collection, Model: ModelCollection, Name: PersonalName(who.Name), CollectionID: Nowhere,
	})
	if err != nil {
		return 0, err
	}
	if err := s.insertFolder(ctx, i, &access.Folder{ID: i.ID, Owner: who.UserID}, who.UserID); err != nil {
		return 0, err
	}
	if err := s.db.Record(ctx, db.ChangedCollection, i.ID); err != nil {
		return 0, err
	}
	return i.ID, s.record(ctx, who, i, "create", map[string]any{"personal_owner_id": who.UserID})
}

// PersonalOf returns the ids of the personal collections of some people, by
// person. Who never asked for it has none yet.
func (s *Service) PersonalOf(ctx context.Context, users []int64) (map[int64]int64, error) {
	out := make(map[int64]int64, len(users))
	if len(users) == 0 {
		return out, nil
	}
	type pair struct {
		id    int64
		owner sql.NullInt64
	}
	err := db.Each(ctx, s.db, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.id, &p.owner) },
		func(p pair) error { out[p.owner.Int64] = p.id; return nil },
		"SELECT id, personal_owner FROM collection WHERE "+s.db.In("personal_owner", 1), db.IDs(users))
	return out, fault.Wrap(err, "read personal collections")
}

// RenamePersonal names the personal collection of a person anew, in the
// transaction that renames the person.
func (s *Service) RenamePersonal(ctx context.Context, userID int64, person string) error {
	have, err := s.PersonalOf(ctx, []int64{userID})
	if err != nil || have[userID] == 0 {
		return err
	}
	name := PersonalName(person)
	if _, err := s.db.Exec(ctx, "UPDATE item SET name = ?2, name_key = ?3 WHERE kind = 'collection' AND id = ?1",
		have[userID], name, nameKey(name)); err != nil {
		return fault.Wrap(err, "rename personal collection")
	}
	_, err = s.db.Exec(ctx, "UPDATE collection SET slug = ?2 WHERE id = ?1", have[userID], naming.Slug(name, maxSlug))
	return fault.Wrap(err, "rename personal collection")
}
