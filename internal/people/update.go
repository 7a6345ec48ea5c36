package people

import (
	"context"
	"slices"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// Update changes a user (contract/identity.md 2.7). Persons may change their
// own names, locale and address, administrators everything of everybody; what
// else a person sends is ignored, except a change of groups, which is
// Forbidden. It returns Forbidden before NotFound; NotFound also for an
// inactive user; Invalid with Fields for wrong input, a taken address, an
// address for the user behind an API key (it could take that of a colleague)
// and groups that contradict IsAdmin; Invalid when All Users is missing or the
// last administrator would go.
func (s *Service) Update(ctx context.Context, who *access.Principal, id int64, c Change) (User, error) {
	if err := access.RequireSelfOrAdmin(who, id); err != nil {
		return User{}, err
	}
	if !who.IsAdmin() {
		c.IsAdmin.Set, c.LoginAttributes.Set = false, false
	}
	if err := c.check(); err != nil {
		return User{}, err
	}
	var u User
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		old, err := s.userByID(ctx, id)
		if err != nil {
			return err
		}
		if !old.Active {
			return notFound()
		}
		if email, ok := c.Email.Get(); ok && old.Kind == KindKey && email != old.Email {
			return fault.Field("email", "The address of the user behind an API key cannot be changed.")
		}
		if email, ok := c.Email.Get(); ok && email != old.Email {
			if err := credentialsByKey(who, id); err != nil {
				return err
			}
		}
		if err := s.protectAdmin(ctx, who, id); err != nil {
			return err
		}
		if err := s.updateGroups(ctx, who, old, c); err != nil {
			return err
		}
		if err := s.updateRow(ctx, who, old, c); err != nil {
			return err
		}
		u, err = s.userByID(ctx, id)
		return err
	})
	return u, err
}

// check refuses wrong input, before anything is read.
func (c *Change) check() error {
	if email, ok := c.Email.Get(); ok {
		clean, err := cleanEmail(email)
		if err != nil {
			return err
		}
		c.Email.V = clean
	}
	if err := checkNames(c.FirstName.Ptr(), c.LastName.Ptr()); err != nil {
		return err
	}
	locale, err := cleanLocale("locale", c.Locale.Ptr())
	if err != nil {
		return err
	}
	if locale != nil {
		c.Locale.V = *locale
	}
	groups, both := c.Groups.Get()
	if admin, ok := c.IsAdmin.Get(); ok && both && admin != slices.Contains(groups, access.Administrators) {
		return fault.Field("is_superuser", "Value of is_superuser must correspond to presence of Admin group ID in group_ids.")
	}
	return nil
}

// updateGroups brings the memberships to what the change asks for. The flag
// of administrators and their group are one thing (contract/identity.md 3.0).
func (s *Service) updateGroups(ctx context.Context, who *access.Principal, old User, c Change) error {
	want, given := c.Groups.Get()
	if admin, ok := c.IsAdmin.Get(); ok && !given {
		want = slices.DeleteFunc(slices.Clone(old.Groups), func(g int64) bool { return g == access.Administrators })
		if admin {
			want = append(want, access.Administrators)
		}
		given = true
	}
	if !given {
		return nil
	}
	if !who.IsAdmin() {
		if !slices.Equal(slices.Compact(slices.Sorted(slices.Values(want))), old.Groups) {
			return access.Forbidden()
		}
		return nil
	}
	_, err := s.groups.SetForUser(ctx, who, old.ID, want)
	return err
}

// updateRow writes the columns that change. A new address ends the reset link
// that was sent to the old one.
func (s *Service) updateRow(ctx context.Context, who *access.Principal, old User, c Change) error {
	next := old
	if email, ok := c.Email.Get(); ok {
		next.Email = email
	}
	if c.FirstName.Set {
		next.FirstName = c.FirstName.Ptr()
	}
	if c.LastName.Set {
		next.LastName = c.LastName.Ptr()
	}
	if c.Locale.Set {
		next.Locale = c.Locale.Ptr()
	}
	details := differences(old, next)
	if c.LoginAttributes.Set {
		attributes, err := cleanAttributes(c.LoginAttributes.Or(nil))
		if err != nil {
			return err
		}
		if err := s.setAttributes(ctx, old.ID, attributes, details); err != nil {
			return err
		}
	}
	if len(details) == 0 {
		return nil
	}
	if err := s.writeNames(ctx, next, next.Email != old.Email); err != nil {
		return err
	}
	if err := s.changed(ctx, who.Actor(), "user.update", old, details); err != nil {
		return err
	}
	if old.Kind != KindPerson || commonName(next.FirstName, next.LastName, next.Email) == old.CommonName {
		return nil
	}
	return run(ctx, s.onRename, who, old.ID)
}

func (s *Service) setAttributes(ctx context.Context, id int64, attributes *string, details map[string]any) error {
	n, err := s.db.Exec(ctx, "UPDATE users SET login_attributes = ?2 WHERE id = ?1 AND coalesce(login_attributes, '') <> coalesce(?2, '')",
		id, attributes)
	if n > 0 {
		details["login_attributes"] = "changed"
	}
	return fault.Wrap(err, "write login attributes")
}

// writeNames writes the names, address and locale of a user, and all that
// follows from them.
func (s *Service) writeNames(ctx context.Context, u User, endResetLink bool) error {
	name, byLast, search := sortKeys(u.FirstName, u.LastName, u.Email)
	_, err := s.db.Exec(ctx, `UPDATE users SET email = ?2, first_name = ?3, last_name = ?4, locale = ?5,
		sort_name = ?6, sort_last = ?7, search_text = ?8, updated_at = ?9 WHERE id = ?1`,
		u.ID, u.Email, u.FirstName, u.LastName, u.Locale, name, byLast, search, s.db.Now(ctx))
	if db.IsUnique(err) {
		return fault.Field("email", "Email address already associated to another user.")
	}
	if err == nil && endResetLink {
		_, err = s.db.Exec(ctx, "UPDATE users SET reset_hash = NULL, reset_at = NULL WHERE id = ?1", u.ID)
	}
	return fault.Wrap(err, "write user")
}

// differences returns what changes, as the audit log keeps it.
func differences(old, next User) map[string]any {
	out := map[string]any{}
	add := func(field string, was, is *string) {
		if (was == nil) != (is == nil) || text(was) != text(is) {
			out[field] = map[string]any{"previous": was, "new": is}
		}
	}
	add("email", &old.Email, &next.Email)
	add("first_name", old.FirstName, next.FirstName)
	add("last_name", old.LastName, next.LastName)
	add("locale", old.Locale, next.Locale)
	return out
}

// SetNewb puts away the tips of a modal, ModalQuestions or ModalDatasets, for
// a person. It returns Forbidden unless who is that person or an
// administrator; Invalid at the field "modal" for another one; and NotFound,
// also for the user behind an API key, where Metabase fails with a 500
// (contract/identity.md 1.2).
func (s *Service) SetNewb(ctx context.Context, who *access.Principal, id int64, modal string) error {
	if err := access.RequireSelfOrAdmin(who, id); err != nil {
		return err
	}
	q := "UPDATE users SET qbnewb = FALSE WHERE id = ?1 AND kind = '" + KindPerson + "' AND active = TRUE"
	switch modal {
	case ModalQuestions:
	case ModalDatasets:
		q = "UPDATE users SET datasetnewb = FALSE WHERE id = ?1 AND kind = '" + KindPerson + "' AND active = TRUE"
	default:
		return fault.Field("modal", "enum of qbnewb, datasetnewb")
	}
	n, err := s.db.Exec(ctx, q, id)
	if err != nil {
		return fault.Wrap(err, "write user")
	}
	if n == 0 {
		return notFound()
	}
	return nil
}
