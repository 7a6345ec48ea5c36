package revision

import (
	"context"
	"encoding/json"
	"errors"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Log holds the revisions of all items. Register the kinds before its first
// use.
type Log struct {
	db      *db.DB
	audit   *audit.Log
	content *content.Service
	kinds   map[content.Kind]Kind
}

// New returns the log, which keeps what changes of many items leave from then
// on.
func New(d *db.DB, log *audit.Log, items *content.Service) *Log {
	l := &Log{db: d, audit: log, content: items, kinds: map[content.Kind]Kind{}}
	items.OnMany(l.recordMany)
	return l
}

// Register says how the items of a kind are kept. It must be called while the
// server is put together.
func (l *Log) Register(kind content.Kind, k Kind) { l.kinds[kind] = k }

// Record keeps what a change left of an item, in the transaction that changed
// it. A state that is the one before is not kept twice.
func (l *Log) Record(ctx context.Context, who *access.Principal, i content.Item, n Note) error {
	state, err := l.kinds[i.Kind].State(ctx, i)
	if err != nil {
		return err
	}
	object, err := json.Marshal(state)
	if err != nil {
		return fault.Wrap(err, "encode state")
	}
	if !n.Creation && !n.reversion {
		last, err := db.One(ctx, l.db, scan, selectRevisions+" WHERE item = ?1 ORDER BY id DESC LIMIT 1", i.No)
		if err != nil && !errors.Is(err, db.ErrNone) {
			return fault.Wrap(err, "read newest revision")
		}
		if same(last.Object, object) {
			return nil
		}
	}
	return l.insert(ctx, who, i, object, n)
}

func (l *Log) insert(ctx context.Context, who *access.Principal, i content.Item, object []byte, n Note) error {
	_, err := l.db.Exec(ctx, `INSERT INTO revision (item, object, user_id, message, is_creation, is_reversion, made_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`, i.No, string(object), content.UserOrNull(who), n.Message, n.Creation, n.reversion, l.db.Now(ctx))
	if err != nil {
		return fault.Wrap(err, "write revision")
	}
	return l.prune(ctx, i.No)
}

// List returns the revisions of an item that who may see, the newest first. It
// returns NotFound and Forbidden.
func (l *Log) List(ctx context.Context, who *access.Principal, ref content.Ref) ([]Revision, error) {
	i, err := l.content.Get(ctx, who, ref)
	if err != nil {
		return nil, err
	}
	list, err := db.All(ctx, l.db, scan, selectRevisions+" WHERE item = ?1 ORDER BY id DESC", i.No)
	if err != nil {
		return nil, fault.Wrap(err, "read revisions")
	}
	return list, l.compare(ctx, who, i, list)
}

// compare says of each revision what it changed of the one before.
func (l *Log) compare(ctx context.Context, who *access.Principal, i content.Item, list []Revision) error {
	states := make([]State, len(list))
	var places []int64
	for n := range list {
		var err error
		if states[n], err = readState(list[n].Object); err != nil {
			return err
		}
		places = append(places, states[n].number(CollectionID))
	}
	names, err := l.names(ctx, who, places)
	if err != nil {
		return err
	}
	t := teller{kind: l.kinds[i.Kind], collection: func(id int64) (string, bool) { name, ok := names[id]; return name, ok }}
	for n := range list {
		list[n].Newest = n == 0
		if n+1 == len(list) {
			list[n].After = states[n]
			break
		}
		fields := differences(states[n+1], states[n])
		list[n].Before, list[n].After = states[n+1].only(fields), states[n].only(fields)
		list[n].Changes = t.tell(fields, states[n+1], states[n])
	}
	return nil
}

// nameOfRoot is what people call the root collection.
const nameOfRoot = "Our analytics"

// names returns the names of those collections that who may see.
func (l *Log) names(ctx context.Context, who *access.Principal, ids []int64) (map[int64]string, error) {
	all, err := l.content.CollectionsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := map[int64]string{access.RootCollection: nameOfRoot}
	for id, f := range all {
		if access.LevelOf(who, f.Access) >= access.View {
			out[id] = f.Name
		}
	}
	return out, nil
}

// Revert brings an item back to the state of a revision, which becomes a new
// revision. It returns NotFound, Forbidden, and what the kind refuses.
func (l *Log) Revert(ctx context.Context, who *access.Principal, ref content.Ref, id int64) (Revision, error) {
	var out Revision
	err := l.db.InTx(ctx, func(ctx context.Context) error {
		i, err := l.content.GetToWrite(ctx, who, ref)
		if err != nil {
			return err
		}
		r, err := db.One(ctx, l.db, scan, selectRevisions+" WHERE id = ?1 AND item = ?2", id, i.No)
		if errors.Is(err, db.ErrNone) {
			return fault.New(fault.NotFound, "Not found.")
		}
		if err != nil {
			return fault.Wrap(err, "read revision")
		}
		if err := l.kinds[i.Kind].Restore(ctx, who, i, r.Object); err != nil {
			return err
		}
		if i, err = l.content.Get(ctx, who, ref); err != nil {
			return err
		}
		if err := l.Record(ctx, who, i, Note{reversion: true}); err != nil {
			return err
		}
		err = l.audit.Append(ctx, who.Actor(), audit.Entry{
			Action: string(i.Kind) + ".revert", ObjectKind: string(i.Kind), ObjectID: i.ID, ObjectName: i.Name,
			Details: map[string]any{"revision_id": id},
		})
		if err != nil {
			return err
		}
		list, err := l.List(ctx, who, ref)
		if err == nil {
			out = list[0]
		}
		return err
	})
	return out, err
}
