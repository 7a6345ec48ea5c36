package people

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"latchkey/internal/access"
	"latchkey/internal/audit"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// setupTokenKey is the internal setting that holds the token.
const setupTokenKey = "setup-token"

// Setup is what a new instance is told by its first person.
type Setup struct {
	Token      secret.Text
	Email      string
	Password   secret.Text
	FirstName  *string
	LastName   *string
	SiteName   string
	SiteLocale *string // nil leaves the instance's
}

// HasSetup reports whether the instance has a person. Users behind API keys,
// which the command line makes also before, do not count.
func (s *Service) HasSetup(ctx context.Context) (bool, error) {
	id, err := s.firstPerson(ctx)
	return id != 0, err
}

// SetupToken returns the token that set-up asks for, and "" once the instance
// is set up, so that no answer shows it any more. It is made when it is first
// asked for and is the same on all nodes.
func (s *Service) SetupToken(ctx context.Context) (string, error) {
	done, err := s.HasSetup(ctx)
	if err != nil || done {
		return "", err
	}
	if t := s.settings.String(setupTokenKey); t != "" {
		return t, nil
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fault.Wrap(err, "make setup token")
	}
	token := id.String()
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		stored, err := s.settings.Stored(ctx, setupTokenKey) // another node may have made it
		if err != nil {
			return err
		}
		if t, ok := stored.(string); ok && t != "" {
			token = t
			return nil
		}
		return s.settings.SetInternal(ctx, setupTokenKey, token)
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// CheckSetupToken refuses a wrong token, also once the instance is set up:
// validation comes before the refusal to do it again (contract/identity.md
// 2.2). It returns Invalid at the field "token".
func (s *Service) CheckSetupToken(token secret.Text) error {
	if s.isSetupToken(token) {
		return nil
	}
	if s.first.Load() == 0 { // another node may have made it just now
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.db.CatchUp(ctx); err != nil {
			return fault.Wrap(err, "read setup token")
		}
		if s.isSetupToken(token) {
			return nil
		}
	}
	return fault.Field("token", "Token does not match the setup token.")
}

func (s *Service) isSetupToken(token secret.Text) bool {
	want := secret.New(s.settings.String(setupTokenKey))
	return !want.Empty() && want.Equal(token)
}

// Setup makes the first person, an administrator, sets the name, locale and
// contact address of the instance and signs the person in, all or nothing
// (contract/identity.md 2.2). Of several at once, one wins. It returns Invalid
// at "token" for a wrong token; Forbidden when there is a person already;
// Invalid at "email", "password", "first_name", "last_name", "site_name" or
// "site_locale"; and Unavailable.
func (s *Service) Setup(ctx context.Context, in Setup) (NewSession, error) {
	if err := s.CheckSetupToken(in.Token); err != nil {
		return NewSession{}, err
	}
	if err := s.refuseSecond(ctx); err != nil {
		return NewSession{}, err
	}
	prefs, err := in.prefs()
	if err != nil {
		return NewSession{}, err
	}
	d, err := s.firstDraft(ctx, NewUser{Email: in.Email, FirstName: in.FirstName, LastName: in.LastName, Password: in.Password})
	if err != nil {
		return NewSession{}, err
	}
	var session NewSession
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.refuseSecond(ctx); err != nil {
			return err
		}
		u, err := s.insertFirst(ctx, nil, d, prefs)
		if err != nil {
			return err
		}
		session, err = s.open(ctx, u, map[string]any{"after": "setup.complete"})
		return err
	})
	return session, err
}

func (s *Service) refuseSecond(ctx context.Context) error {
	done, err := s.HasSetup(ctx)
	if err == nil && done {
		err = fault.New(fault.Forbidden, "The /api/setup route can only be used to create the first user, however a user currently exists.")
	}
	return err
}

// prefs returns the settings of the instance that set-up gives.
func (in Setup) prefs() (map[string]any, error) {
	name := strings.TrimSpace(in.SiteName)
	switch {
	case name == "":
		return nil, fault.Field("site_name", textNonBlank)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return nil, fault.Field("site_name", "value must not contain control characters.")
	case utf8.RuneCountInString(name) > maxName:
		return nil, fault.Field("site_name", "value must be at most %d characters long.", maxName)
	}
	prefs := map[string]any{"site-name": name}
	locale, err := cleanLocale("site_locale", in.SiteLocale)
	if err == nil && locale != nil {
		prefs["site-locale"] = *locale
	}
	return prefs, err
}

// firstDraft checks the first person, who needs a password.
func (s *Service) firstDraft(ctx context.Context, n NewUser) (draft, error) {
	if n.Password.Empty() {
		return draft{}, weakPassword()
	}
	n.Groups = []int64{access.AllUsers, access.Administrators}
	return s.draft(ctx, n)
}

// insertFirst writes the first person and the settings that go with it.
func (s *Service) insertFirst(ctx context.Context, who *access.Principal, d draft, prefs map[string]any) (User, error) {
	id, err := s.insert(ctx, who, d)
	if err != nil {
		return User{}, err
	}
	u, err := s.userByID(ctx, id)
	if err != nil {
		return u, err
	}
	return u, s.finish(ctx, who, u, prefs)
}

// finish ends set-up: the instance has its first administrator.
func (s *Service) finish(ctx context.Context, who *access.Principal, u User, prefs map[string]any) error {
	prefs["admin-email"] = u.Email
	for key, value := range prefs {
		if err := s.settings.SetInternal(ctx, key, value); err != nil {
			return err
		}
	}
	actor := who.Actor()
	if who == nil {
		actor = actorOf(u)
	}
	err := s.audit.Append(ctx, actor, audit.Entry{
		Action: "setup.complete", ObjectKind: "user", ObjectID: u.ID, ObjectName: u.Email,
	})
	if err != nil {
		return err
	}
	return run(ctx, s.onSetup, who, u.ID)
}

// FinishSetup ends the set-up of an instance whose first people were made with
// Create, inside the caller's transaction; one of them is its administrator.
// It returns NotFound.
func (s *Service) FinishSetup(ctx context.Context, who *access.Principal, userID int64) error {
	u, err := s.userByID(ctx, userID)
	if err != nil {
		return err
	}
	return s.finish(ctx, who, u, map[string]any{})
}

// SetupUnattended makes the first person from the configuration, as an
// administrator. It does nothing when there is a person already, so it may run
// at every start. It returns Invalid at "email", "password" or "first_name".
func (s *Service) SetupUnattended(ctx context.Context, email string, password secret.Text, name string) error {
	if done, err := s.HasSetup(ctx); err != nil || done {
		return err
	}
	n := NewUser{Email: email, Password: password}
	if first, last, found := strings.Cut(strings.TrimSpace(name), " "); first != "" {
		n.FirstName = &first
		if last = strings.TrimSpace(last); found {
			n.LastName = &last
		}
	}
	d, err := s.firstDraft(ctx, n)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if done, err := s.HasSetup(ctx); err != nil || done {
			return err
		}
		_, err := s.insertFirst(ctx, access.CommandLine(), d, map[string]any{})
		return err
	})
}
