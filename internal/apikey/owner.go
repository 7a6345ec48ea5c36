package apikey

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/fault"
)

// textPersonGone is why the keys of a deactivated person are disabled. They
// stay so when the person comes back, until somebody enables them.
const textPersonGone = "The person was deactivated."

// ownerGone runs in the transaction that deactivates a person. Their personal
// keys are disabled. Each service key they own goes to its successor, or, when
// there is none who is active, to the review list.
func (s *Service) ownerGone(ctx context.Context, who *access.Principal, userID int64) error {
	own, err := s.list(ctx, Filter{Kind: KindPersonal, UserID: userID})
	if err != nil {
		return err
	}
	for _, k := range own {
		if k.DisabledAt != nil && k.DisabledUntil == nil {
			continue
		}
		if err := s.disable(ctx, who, k, textPersonGone, nil); err != nil {
			return err
		}
	}
	owned, err := s.list(ctx, Filter{OwnerID: userID})
	if err != nil {
		return err
	}
	for _, k := range owned {
		if err := s.passOn(ctx, who, k); err != nil {
			return err
		}
	}
	return nil
}

// passOn gives a key to its successor, or puts it on the review list.
func (s *Service) passOn(ctx context.Context, who *access.Principal, k Key) error {
	var active bool
	var err error
	if k.Successor.ID != 0 {
		if active, err = s.people.Active(ctx, k.Successor.ID); err != nil {
			return err
		}
	}
	if active {
		_, err = s.db.Exec(ctx, "UPDATE api_key SET owner_id = successor_id, successor_id = NULL WHERE id = ?1", k.ID)
	} else {
		_, err = s.db.Exec(ctx, "UPDATE api_key SET review_since = ?2 WHERE id = ?1", k.ID, s.db.Now(ctx))
	}
	if err != nil {
		return fault.Wrap(err, "write key")
	}
	action, facts := "api-key.review", map[string]any{"owner": k.Owner.Name, "reason": "the owner was deactivated"}
	if active {
		action, facts["new_owner"] = "api-key.pass-on", k.Successor.Name
	}
	return s.changed(ctx, who, k, action, facts)
}

// ownerBack runs in the transaction that reactivates a person: keys that
// waited for a new owner have their old one again.
func (s *Service) ownerBack(ctx context.Context, who *access.Principal, userID int64) error {
	waiting, err := s.list(ctx, Filter{OwnerID: userID, Review: true})
	if err != nil {
		return err
	}
	for _, k := range waiting {
		if _, err := s.db.Exec(ctx, "UPDATE api_key SET review_since = NULL WHERE id = ?1", k.ID); err != nil {
			return fault.Wrap(err, "write key")
		}
		if err := s.changed(ctx, who, k, "api-key.review-end", map[string]any{"owner": k.Owner.Name}); err != nil {
			return err
		}
	}
	return nil
}
