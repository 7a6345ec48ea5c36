package people

import (
	"context"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/mail"
	"latchkey/internal/secret"
)

// draft is a checked user about to be written.
type draft struct {
	kind        string
	email       string
	first, last *string
	attributes  *string // JSON
	hash        *string // of the password
	groups      []int64
}

// Create makes a person and, when mail is configured and no password is given,
// sends an invitation with a link to choose one (contract/identity.md 2.7). It
// returns Invalid with Fields for wrong input and an address that is taken by
// anybody, also an inactive user; Invalid when the groups lack All Users or
// one is unknown; and Forbidden unless who is an administrator.
func (s *Service) Create(ctx context.Context, who *access.Principal, n NewUser) (User, error) {
	if err := access.RequireAdmin(who); err != nil {
		return User{}, err
	}
	d, err := s.draft(ctx, n)
	if err != nil {
		return User{}, err
	}
	var u User
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		id, err := s.insert(ctx, who, d)
		if err != nil {
			return err
		}
		if u, err = s.userByID(ctx, id); err != nil {
			return err
		}
		invited := !u.HasPassword && !n.Quiet && s.canMail()
		err = s.changed(ctx, who.Actor(), "user.create", u, map[string]any{"groups": u.Groups, "invited": invited})
		if err != nil || !invited {
			return err
		}
		return s.invite(ctx, who, u)
	})
	return u, err
}

func (s *Service) draft(ctx context.Context, n NewUser) (draft, error) {
	d := draft{kind: KindPerson, first: n.FirstName, last: n.LastName, groups: n.Groups}
	var err error
	if d.email, err = cleanEmail(n.Email); err != nil {
		return d, err
	}
	if err := checkNames(n.FirstName, n.LastName); err != nil {
		return d, err
	}
	if d.attributes, err = cleanAttributes(n.LoginAttributes); err != nil {
		return d, err
	}
	if d.groups == nil {
		d.groups = []int64{access.AllUsers}
	}
	if n.Password.Empty() {
		return d, nil
	}
	hash, err := s.newHash(ctx, n.Password)
	d.hash = &hash
	return d, err
}

// newHash checks a new password and returns its hash. It returns Invalid at
// the field "password", and Unavailable.
func (s *Service) newHash(ctx context.Context, password secret.Text) (string, error) {
	if !s.policy.Valid(password) {
		return "", weakPassword()
	}
	return s.hasher.hash(ctx, password)
}

// insert writes the row and the memberships of a user, in a transaction.
func (s *Service) insert(ctx context.Context, who *access.Principal, d draft) (int64, error) {
	name, byLast, search := sortKeys(d.first, d.last, d.email)
	id, err := s.db.Insert(ctx, `INSERT INTO users (kind, email, first_name, last_name, sort_name, sort_last, search_text,
		password_hash, login_attributes, date_joined, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) RETURNING id`,
		d.kind, d.email, d.first, d.last, name, byLast, search, d.hash, d.attributes, s.db.Now(ctx))
	if db.IsUnique(err) {
		return 0, fault.Field("email", "Email address already in use.")
	}
	if err != nil {
		return 0, fault.Wrap(err, "write user")
	}
	if _, err := s.groups.SetForUser(ctx, who, id, d.groups); err != nil {
		return 0, err
	}
	return id, s.db.Record(ctx, db.ChangedUser, id)
}

// invite sends a link to choose a password, once the transaction has
// committed. Without mail, or a public address to link to, nobody is invited;
// ResetLink then makes a link to pass on by hand.
func (s *Service) invite(ctx context.Context, who *access.Principal, u User) error {
	link, err := s.newResetLink(ctx, u.ID)
	if err != nil {
		return err
	}
	s.post(ctx, mail.Invitation(mail.Invite{
		To: u.Email, SiteName: s.settings.String("site-name"), InvitedBy: inviter(who), Link: link, ValidFor: resetAge,
	}))
	return nil
}

func inviter(who *access.Principal) string {
	if who == nil || who.Kind == access.Local {
		return ""
	}
	return who.Name
}
