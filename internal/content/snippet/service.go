package snippet

import (
	"context"
	"errors"
	"strings"

	"latchkey/internal/access"
	"latchkey/internal/content"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/query/mbql"
)

// Service holds the rules of snippets.
type Service struct {
	db      *db.DB
	content *content.Service
}

// NewService returns the service.
func NewService(d *db.DB, c *content.Service) *Service { return &Service{d, c} }

// List returns the snippets that who may see, by name: those in the trash or
// the others.
func (s *Service) List(ctx context.Context, who *access.Principal, archived bool) ([]Snippet, error) {
	if err := access.RequireSignedIn(who); err != nil {
		return nil, err
	}
	all, err := s.texts(ctx, "WHERE i.archived = ?1 ORDER BY i.name_key, i.id", archived)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	items, err := s.content.ByIDs(ctx, content.Snippet, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Snippet, 0, len(all))
	for _, one := range all {
		item, there := items[one.ID]
		level, err := s.content.LevelOf(ctx, who, item)
		if err != nil {
			return nil, fault.Wrap(err, "decide")
		}
		if there && level >= access.View {
			one.Item = item
			out = append(out, one)
		}
	}
	return out, nil
}

// Get returns a snippet that who may see. It returns NotFound before Forbidden.
func (s *Service) Get(ctx context.Context, who *access.Principal, id int64) (Snippet, error) {
	item, err := s.content.Get(ctx, who, content.Ref{Kind: content.Snippet, ID: id})
	if err != nil {
		return Snippet{}, err
	}
	return s.with(ctx, item)
}

// Take returns a snippet that is not in the trash for a query that takes it in,
// by its id or, when that is 0, its name. Who may not see it may not take it in,
// for its text shows in the query; nil stands for a saved question, whose writer
// was asked. It returns NotFound and Forbidden.
func (s *Service) Take(ctx context.Context, who *access.Principal, id int64, name string) (Snippet, error) {
	where, arg := "i.id = ?1", any(id)
	if id == 0 {
		where, arg = "i.name = ?1", strings.TrimSpace(name)
	}
	one, err := s.known(ctx, "WHERE i.kind = 'snippet' AND i.archived = FALSE AND "+where, arg)
	if err != nil || who == nil {
		return one, err
	}
	if err := s.content.RequireItem(ctx, who, one.Item, access.View); err != nil {
		return Snippet{}, err
	}
	if !access.Sees(who, access.KindSnippets, one.ID) {
		return Snippet{}, access.Elsewhere(access.KindSnippets)
	}
	return one, nil
}

// mostTaken is how many snippets one may take in, with those that these take in.
const mostTaken = 500

// mayTakeIn refuses a text that takes in a snippet that who may not see, at any
// depth: whoever runs a question gets what its snippets say. Snippets that do
// not exist refuse nothing.
func (s *Service) mayTakeIn(ctx context.Context, who *access.Principal, text string) error {
	seen, open := map[string]bool{}, []string{text}
	for len(open) > 0 {
		text, open = open[0], open[1:]
		for _, tag := range mbql.ScanTags(text) {
			if tag.Kind != mbql.Snippet || seen[tag.Snippet] {
				continue
			}
			if seen[tag.Snippet] = true; len(seen) > mostTaken {
				return fault.Field("content", "It takes in more than %d snippets.", mostTaken)
			}
			inner, err := s.Take(ctx, who, 0, tag.Snippet)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			open = append(open, inner.Content)
		}
	}
	return nil
}

// Create makes a snippet. It returns Forbidden, NotFound for an unknown
// folder, and Invalid.
func (s *Service) Create(ctx context.Context, who *access.Principal, n New) (Snippet, error) {
	n.Name = strings.TrimRight(n.Name, " ") // a query cannot say them
	if err := checkName(n.Name); err != nil {
		return Snippet{}, err
	}
	if err := checkContent(n.Content); err != nil {
		return Snippet{}, err
	}
	var out Snippet
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.mayCreate(ctx, who, n.CollectionID); err != nil {
			return err
		}
		if err := s.free(ctx, n.Name, 0); err != nil {
			return err
		}
		if err := s.mayTakeIn(ctx, who, n.Content); err != nil {
			return err
		}
		item, err := s.content.Create(ctx, who, content.NewItem{
			Kind: content.Snippet, Model: content.ModelSnippet, Name: n.Name, Description: n.Description,
			CollectionID: n.CollectionID, Namespace: content.Snippets,
		})
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, "INSERT INTO snippet (id, item, content) VALUES (?1, ?2, ?3)", item.ID, item.No, n.Content)
		out = Snippet{item, n.Content}
		return fault.Wrap(err, "write snippet")
	})
	return out, err
}

// mayCreate decides before anything is told of names that are taken.
func (s *Service) mayCreate(ctx context.Context, who *access.Principal, folder int64) error {
	if folder != access.RootCollection {
		return s.content.Require(ctx, who, folder, access.Curate)
	}
	if err := access.RequireSignedIn(who); err != nil {
		return err
	}
	if root := s.content.Collections().Root(content.Snippets); access.LevelOf(who, root) < access.Curate {
		return access.ForbiddenIn(who, root, access.Curate)
	}
	return nil
}

// Update changes a snippet, puts it into the trash or takes it out. It returns
// NotFound, Forbidden and Invalid.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (Snippet, error) {
	var out Snippet
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.toWrite(ctx, who, id)
		if err != nil {
			return err
		}
		if c.Name, err = s.newName(ctx, old, c.Name); err != nil {
			return err
		}
		text := c.Content.Or(old.Content)
		if err := checkContent(text); err != nil {
			return err
		}
		if text != old.Content {
			if err := s.mayTakeIn(ctx, who, text); err != nil {
				return err
			}
		}
		item, err := s.content.Update(ctx, who, old.Ref(), content.Change{
			Name: c.Name, Description: c.Description, CollectionID: c.CollectionID, Archived: c.Archived,
			Touch: text != old.Content,
		})
		if err != nil {
			return err
		}
		out = Snippet{item, text}
		_, err = s.db.Exec(ctx, "UPDATE snippet SET content = ?2 WHERE id = ?1", id, text)
		return fault.Wrap(err, "write snippet")
	})
	return out, err
}

func (s *Service) toWrite(ctx context.Context, who *access.Principal, id int64) (Snippet, error) {
	item, err := s.content.GetToWrite(ctx, who, content.Ref{Kind: content.Snippet, ID: id})
	if err != nil {
		return Snippet{}, err
	}
	return s.with(ctx, item)
}

// newName checks the new name of a snippet, absent and null for none.
func (s *Service) newName(ctx context.Context, old Snippet, v opt.Value[string]) (opt.Value[string], error) {
	name, given := v.Get()
	name = strings.TrimRight(name, " ")
	if !given || name == old.Name {
		return opt.Value[string]{}, nil
	}
	if err := checkName(name); err != nil {
		return v, err
	}
	return opt.Of(name), s.free(ctx, name, old.ID)
}

// free refuses a name that another snippet has, also one in the trash. It
// stands in the caller's transaction; there is one at a time.
func (s *Service) free(ctx context.Context, name string, except int64) error {
	n, err := db.One(ctx, s.db, db.Scalar[int64],
		"SELECT count(*) FROM item WHERE kind = 'snippet' AND name = ?1 AND id <> ?2", name, except)
	if err != nil {
		return fault.Wrap(err, "find name")
	}
	if n > 0 {
		return taken()
	}
	return nil
}

// with reads the text of a snippet.
func (s *Service) with(ctx context.Context, item content.Item) (Snippet, error) {
	text, err := db.One(ctx, s.db, db.Scalar[string], "SELECT content FROM snippet WHERE id = ?1", item.ID)
	return Snippet{item, text}, fault.Wrap(err, "read snippet")
}

func (s *Service) known(ctx context.Context, where string, arg any) (Snippet, error) {
	list, err := s.texts(ctx, where, arg)
	if err != nil {
		return Snippet{}, err
	}
	if len(list) == 0 {
		return Snippet{}, fault.New(fault.NotFound, "Not found.")
	}
	items, err := s.content.ByIDs(ctx, content.Snippet, []int64{list[0].ID})
	if err != nil {
		return Snippet{}, err
	}
	item, ok := items[list[0].ID]
	if !ok {
		return Snippet{}, fault.Wrap(errors.New("its item is gone"), "read snippet")
	}
	list[0].Item = item
	return list[0], nil
}

// texts reads ids and texts of snippets.
func (s *Service) texts(ctx context.Context, where string, args ...any) ([]Snippet, error) {
	list, err := db.All(ctx, s.db, func(r db.Row) (v Snippet, err error) { return v, r.Scan(&v.ID, &v.Content) },
		"SELECT s.id, s.content FROM snippet s JOIN item i ON i.no = s.item "+where, args...)
	return list, fault.Wrap(err, "read snippets")
}
