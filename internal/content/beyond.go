package content

import (
	"context"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/naming"
)

// KindNamed returns the kind of item that a kind of resource (access.Kind…)
// stands for, and whether it stands for one.
func KindNamed(resource string) (Kind, bool) {
	switch resource {
	case access.KindCollections:
		return Collection, true
	case access.KindCards:
		return Card, true
	case access.KindDashboards:
		return Dashboard, true
	case access.KindSnippets:
		return Snippet, true
	case access.KindTimelines:
		return Timeline, true
	}
	return "", false
}

// Beyond returns why a call would be refused to a key that is bound to
// collections: one of the things that it names lies in none of them. nil is
// nothing. It is for those who explain; calls are decided where they run. What
// does not exist refuses nothing.
func (s *Service) Beyond(ctx context.Context, who *access.Principal, req *access.Request) (*access.Refusal, error) {
	if !req.Policy.InCollections || !access.BoundToCollections(who) {
		return nil, nil
	}
	need := access.View
	if req.Policy.Scope.Verb == access.Write {
		need = access.Curate
	}
	for _, ref := range req.Refs {
		f, err := s.whereLies(ctx, ref)
		if err != nil {
			return nil, err
		}
		if f == nil {
			continue
		}
		if r := access.BeyondCollection(who, f, need, ref); r != nil {
			return r, nil
		}
	}
	return nil, nil
}

// whereLies returns the collection that decides about a resource, nil for none.
func (s *Service) whereLies(ctx context.Context, ref access.Ref) (*access.Folder, error) {
	kind, ok := KindNamed(ref.Kind)
	if !ok {
		return nil, nil
	}
	id, err := strconv.ParseInt(ref.ID, 10, 64)
	switch {
	case kind == Collection && ref.ID == access.RootName:
		return s.cols.Root(Default), nil
	case err != nil && !naming.IsEntityID(ref.ID):
		return nil, nil
	case err != nil:
		if id, err = s.ByEntity(ctx, kind, ref.ID); err != nil {
			return nil, notThere(err)
		}
	}
	if kind == Collection {
		return s.cols.Folder(ctx, id)
	}
	i, err := s.one(ctx, Ref{kind, id})
	if err != nil {
		return nil, notThere(err)
	}
	return s.home(ctx, i)
}

// home returns the collection that decides about an item: the item itself, or
// where it lies. nil is none.
func (s *Service) home(ctx context.Context, i Item) (*access.Folder, error) {
	if i.Kind == Collection {
		return s.cols.Folder(ctx, i.ID)
	}
	if i.CollectionID == access.RootCollection && i.Namespace != Default {
		return s.cols.Root(i.Namespace), nil
	}
	return s.cols.Folder(ctx, i.CollectionID)
}

// notThere takes what does not exist for nothing.
func notThere(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
