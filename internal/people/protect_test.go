package people_test

import (
	"context"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

// TestRestrictedKeysChangeNoAdministrator goes through every change of an
// account: a key with less than all rights of Administrators could otherwise
// take over one who has them.
func TestRestrictedKeysChangeNoAdministrator(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.site("https://data.example.com")
		ada, bo := w.admin(), w.person(names("Bo", "K"))
		limits, err := access.Restriction{Scopes: []string{"people:write", "passwords:write", "sessions:write"}}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		key := &access.Principal{
			Kind: access.ServiceKey, KeyID: 1, Groups: []int64{access.AllUsers, access.Administrators}, Limits: limits,
			UserID: w.keyUser("robot", access.AllUsers, access.Administrators),
		}
		full := *key
		full.Limits = nil
		_, session := w.session("bo@example.com")
		changes := map[string]func(ctx context.Context, who *access.Principal, id int64) error{
			"update": func(ctx context.Context, who *access.Principal, id int64) error {
				_, err := w.Update(ctx, who, id, people.Change{FirstName: opt.Of("X")})
				return err
			},
			"password": func(ctx context.Context, who *access.Principal, id int64) error {
				_, err := w.SetPassword(ctx, who, id, secret.New("quite-new-2026"), secret.Text{})
				return err
			},
			"reset link": func(ctx context.Context, who *access.Principal, id int64) error {
				_, err := w.ResetLink(ctx, who, id)
				return err
			},
			"sessions":   w.EndAllSessions,
			"deactivate": w.Deactivate,
		}
		for name, change := range changes {
			err := change(ctx, key, ada.UserID)
			if f := fault.As(err); f == nil || f.Code != access.CodeProtectedAdmin {
				t.Errorf("%s: %v", name, err)
			}
			if name == "deactivate" || name == "sessions" {
				continue // bo is needed for the others
			}
			if err := change(ctx, key, bo.UserID); err != nil {
				t.Errorf("%s of somebody else: %v", name, err)
			}
			if err := change(ctx, &full, ada.UserID); err != nil {
				t.Errorf("%s with a key without restriction: %v", name, err)
			}
		}
		_, err = w.Update(ctx, key, bo.UserID, people.Change{IsAdmin: opt.Of(true)})
		if f := fault.As(err); f == nil || f.Code != access.CodeProtectedAdmin {
			t.Errorf("making an administrator: %v", err)
		}
		if err := w.EndSession(ctx, key, session.UserID, session.SessionID); err != nil && !fault.Is(err, fault.NotFound) {
			t.Errorf("a session of somebody else: %v", err)
		}
		if err := w.Deactivate(ctx, key, bo.UserID); err != nil {
			t.Error(err)
		}
		if _, err := w.Reactivate(ctx, key, bo.UserID); err != nil {
			t.Error(err)
		}
	})
}
