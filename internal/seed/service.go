package seed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/group"
	"latchkey/internal/people"
)

// Service applies seed files.
type Service struct {
	db     *db.DB
	groups *group.Service
	people *people.Service
	keys   *apikey.Service
}

// Deps is what the service stands on.
type Deps struct {
	DB     *db.DB
	Groups *group.Service
	People *people.Service
	Keys   *apikey.Service
}

// New returns the service.
func New(d Deps) *Service {
	return &Service{db: d.DB, groups: d.Groups, people: d.People, keys: d.Keys}
}

// Options say what applying a file may do beyond making what is missing and
// changing what a file made before.
type Options struct {
	Prune bool // remove what an earlier file made and this one lacks; people are deactivated
	Adopt bool // take over what the file names and hands have made
}

// actor is who acts for a file: the command line, named so in the audit log.
func actor() *access.Principal {
	p := access.CommandLine()
	p.Name = "seed"
	return p
}

// errDry ends the transaction of a plan without a change.
var errDry = errors.New("seed: nothing is to be changed")

// Plan returns what Apply would do. It does all of it and takes it back, so
// that the two cannot differ, and returns the errors of Apply.
func (s *Service) Plan(ctx context.Context, f *File, o Options) ([]Step, error) {
	steps, err := s.run(ctx, f, o, errDry)
	if errors.Is(err, errDry) {
		err = nil
	}
	return steps, err
}

// Apply brings the instance to what the file says, in one transaction, and
// returns a step for everything the file names or lacks. A file that was
// applied before and has not changed changes nothing. After an error nothing
// is changed; it names the line of the file.
func (s *Service) Apply(ctx context.Context, f *File, o Options) ([]Step, error) {
	return s.run(ctx, f, o, nil)
}

// catchUpLimit bounds the wait for what other nodes have changed.
const catchUpLimit = 10 * time.Second

// run applies a file in a transaction that ends with an error, or with none.
func (s *Service) run(ctx context.Context, f *File, o Options, end error) ([]Step, error) {
	r := &run{Service: s, file: f, opts: o, who: actor()}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		// No other node can commit now. What they have done, groups above all,
		// must be in memory before it is compared; outside of the transaction,
		// because memory holds only what is committed.
		outside, cancel := context.WithTimeout(context.Background(), catchUpLimit)
		defer cancel()
		if err := s.db.CatchUp(outside); err != nil {
			return fault.Wrap(err, "read what other nodes have changed")
		}
		if err := r.all(ctx); err != nil {
			return err
		}
		return end
	})
	return r.steps, err
}

// run is one application of a file.
type run struct {
	*Service
	file  *File
	opts  Options
	who   *access.Principal
	items map[itemKey]int64 // what files have made
	seen  map[itemKey]bool  // what this one names
	group map[string]int64  // ids by lower-case name
	names map[int64]string  // names of groups by id
	steps []Step
}

func (r *run) all(ctx context.Context) error {
	var err error
	if r.items, err = r.readItems(ctx); err != nil {
		return err
	}
	r.seen, r.group, r.names = map[itemKey]bool{}, map[string]int64{}, map[int64]string{}
	for _, g := range r.groups.Snapshot().ByName {
		r.know(g.ID, g.Name)
	}
	for _, g := range r.file.Groups {
		if err := r.step(ctx, g.Line, kindGroup, g.Name, func(ctx context.Context) (Step, error) { return r.applyGroup(ctx, g) }); err != nil {
			return err
		}
	}
	if err := r.allPeople(ctx); err != nil {
		return err
	}
	for _, p := range r.file.Policies {
		if err := r.step(ctx, p.Line, kindPolicy, p.title(), func(ctx context.Context) (Step, error) { return r.applyPolicy(ctx, p) }); err != nil {
			return err
		}
	}
	for _, k := range r.file.Keys {
		if err := r.step(ctx, k.Line, kindKey, k.Name, func(ctx context.Context) (Step, error) { return r.applyKey(ctx, k) }); err != nil {
			return err
		}
	}
	return r.gone(ctx)
}

// step runs one step and says where the file is wrong when it fails.
func (r *run) step(ctx context.Context, line int, kind, name string, f func(ctx context.Context) (Step, error)) error {
	s, err := f(ctx)
	if err != nil {
		return fmt.Errorf("%s:%d: %s %q: %w", r.file.Name, line, kind, name, err)
	}
	s.Line, s.Kind, s.Name = line, kind, name
	r.steps = append(r.steps, s)
	r.seen[named(kind, name)] = true
	return nil
}

// know remembers a group and its name.
func (r *run) know(id int64, name string) {
	r.group[strings.ToLower(name)], r.names[id] = id, name
}

// groupIDs returns the ids of groups by name. All Users needs no name.
func (r *run) groupIDs(list []string) ([]int64, error) {
	ids := []int64{access.AllUsers}
	for _, name := range list {
		id, ok := r.group[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("there is no group %q; name it under groups in this file", name)
		}
		ids = append(ids, id)
	}
	return sorted(ids), nil
}

// groupNames is a list of groups for people.
func (r *run) groupNames(ids []int64) string {
	var out []string
	for _, id := range ids {
		if id != access.AllUsers {
			out = append(out, r.names[id])
		}
	}
	if len(out) == 0 {
		return "All Users"
	}
	return strings.Join(out, ", ")
}

// mine reports whether the file may change a thing that differs.
func (r *run) mine(seeded bool) bool { return seeded || r.opts.Adopt }

// left is the step of a thing that differs and was made by hand.
func left(detail []string) Step {
	return Step{Action: Left, Detail: append([]string{"made by hand and left as it is (--adopt takes it over)"}, detail...)}
}

// arrow writes a change for people.
func arrow(what, before, after string) string {
	return fmt.Sprintf("%s: %s → %s", what, quoted(before), quoted(after))
}

func quoted(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
