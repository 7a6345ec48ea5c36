package people_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/db"
	"latchkey/internal/fault"
	"latchkey/internal/opt"
	"latchkey/internal/people"
	"latchkey/internal/secret"
)

func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		g, err := w.groups.Create(ctx, ada, "Analysts")
		if err != nil {
			t.Fatal(err)
		}
		u, err := w.Create(ctx, ada, people.NewUser{
			Email: "Bo@Example.com", FirstName: ptr("Bo"), Groups: []int64{g.ID, access.AllUsers},
			LoginAttributes: map[string]any{"n": 5.0, "b": true, "s": "x", "o": map[string]any{"a": 1.0}, "z": nil},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := people.User{
			ID: u.ID, Kind: people.KindPerson, Email: "bo@example.com", FirstName: ptr("Bo"), CommonName: "Bo", Active: true,
			Groups: []int64{access.AllUsers, g.ID}, QBNewb: true, DatasetNewb: true, DateJoined: start(), UpdatedAt: start(),
			LoginAttributes: map[string]any{"n": "5", "b": "true", "s": "x", "o": `{"a":1}`, "z": nil},
		}
		if !reflect.DeepEqual(u, want) {
			t.Errorf("got  %+v\nwant %+v", u, want)
		}
		root, err := w.Create(ctx, ada, people.NewUser{Email: "root@example.com", Groups: []int64{access.AllUsers, access.Administrators}})
		if err != nil || !root.IsAdmin || root.CommonName != "root@example.com" || root.FirstName != nil {
			t.Errorf("administrator = %+v, %v", root, err)
		}
		if got := w.actions("user.create"); !slices.Equal(got, []string{"user.create bo@example.com", "user.create root@example.com"}) {
			t.Errorf("audit = %v", got)
		}
		if g, _ := w.groups.Get(ctx, ada, g.ID); g.MemberCount != 1 {
			t.Errorf("members = %d, want 1", g.MemberCount)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		off := w.person(names("Off", ""))
		if err := w.Deactivate(ctx, ada, off.UserID); err != nil {
			t.Fatal(err)
		}
		with := func(change func(*people.NewUser)) people.NewUser {
			n := names("Eve", "")
			change(&n)
			return n
		}
		tests := []struct {
			n    people.NewUser
			want string
		}{
			{with(func(n *people.NewUser) { n.Email = "ADA@example.com" }), "email: Email address already in use."},
			{with(func(n *people.NewUser) { n.Email = "off@example.com" }), "email: Email address already in use."},
			{with(func(n *people.NewUser) { n.Email = "" }), "email: value must be a valid email address."},
			{with(func(n *people.NewUser) { n.FirstName = ptr("") }), "first_name: nullable value must be a non-blank string."},
			{with(func(n *people.NewUser) { n.LastName = ptr(" ") }), "last_name: nullable value must be a non-blank string."},
			{with(func(n *people.NewUser) { n.LastName = ptr("a\x00") }), "last_name: value must not contain control characters."},
			{with(func(n *people.NewUser) { n.LastName = ptr("a\xff") }), "last_name: value must not contain control characters."},
			{with(func(n *people.NewUser) { n.FirstName = ptr(strings.Repeat("ä", 255)) }), "first_name: value must be at most 254 characters long."},
			{with(func(n *people.NewUser) { n.Groups = []int64{access.Administrators} }), textAllUsers},
			{with(func(n *people.NewUser) { n.Groups = []int64{} }), textAllUsers},
			{with(func(n *people.NewUser) { n.Groups = []int64{1, 999} }), "Cannot add non-tenant user to tenant-group or vice versa"},
			{with(func(n *people.NewUser) { n.LoginAttributes = map[string]any{"@a": 1} }), "login_attributes: login attribute keys must not begin with `@`"},
			{with(func(n *people.NewUser) { n.LoginAttributes = map[string]any{"a": strings.Repeat("x", 40_000)} }), "login_attributes: value must be at most 32768 bytes of JSON."},
			{with(func(n *people.NewUser) { n.Password = secret.New("abc") }), textCommon},
		}
		for _, tt := range tests {
			_, err := w.Create(ctx, ada, tt.n)
			wantFault(t, err, fault.Invalid, tt.want)
		}
		_, err := w.Create(ctx, off, names("Eve", ""))
		wantFault(t, err, fault.Forbidden, textForbidden)
		_, err = w.Create(ctx, nil, names("Eve", ""))
		wantFault(t, err, fault.Unauthenticated, "Unauthenticated")
		if _, total, _ := w.List(ctx, ada, people.Filter{Status: people.All}); total != 2 {
			t.Errorf("persons = %d, want 2: nothing was created", total)
		}
		longest := with(func(n *people.NewUser) {
			n.FirstName, n.LastName = ptr(strings.Repeat("😀", 254)), ptr(strings.Repeat("😀", 254))
		})
		if _, err := w.Create(ctx, ada, longest); err != nil {
			t.Error(err)
		}
	})
}

func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, bo := w.admin(), w.person(names("Bo", "K"))
		g, err := w.groups.Create(ctx, ada, "Analysts")
		if err != nil {
			t.Fatal(err)
		}
		key := w.keyUser("a key")
		all, withG, withAdmin := []int64{1}, []int64{1, g.ID}, []int64{1, 2}
		steps := []struct {
			name   string
			as     *access.Principal
			id     int64
			change people.Change
			want   func(u people.User) bool
		}{
			{"nothing", bo, bo.UserID, people.Change{}, func(u people.User) bool { return u.UpdatedAt.Equal(start()) }},
			{"own names", bo, bo.UserID, people.Change{FirstName: opt.Of("Bob"), LastName: opt.Null[string]()},
				func(u people.User) bool { return *u.FirstName == "Bob" && u.LastName == nil && u.CommonName == "Bob" }},
			{"own locale", bo, bo.UserID, people.Change{Locale: opt.Of("pt-br")}, func(u people.User) bool { return *u.Locale == "pt_BR" }},
			{"no locale", bo, bo.UserID, people.Change{Locale: opt.Null[string]()}, func(u people.User) bool { return u.Locale == nil }},
			{"own address", bo, bo.UserID, people.Change{Email: opt.Of("BOB@example.com")}, func(u people.User) bool { return u.Email == "bob@example.com" }},
			{"nulls are ignored", ada, bo.UserID, people.Change{Email: opt.Null[string](), IsAdmin: opt.Null[bool](), Groups: opt.Null[[]int64]()},
				func(u people.User) bool { return u.Email == "bob@example.com" && !u.IsAdmin }},
			{"own flag is ignored", bo, bo.UserID, people.Change{IsAdmin: opt.Of(true), LoginAttributes: opt.Of(map[string]any{"a": 1})},
				func(u people.User) bool { return !u.IsAdmin && len(u.LoginAttributes) == 0 }},
			{"own flag is ignored beside the same groups", bo, bo.UserID, people.Change{IsAdmin: opt.Of(true), Groups: opt.Of(all)},
				func(u people.User) bool { return !u.IsAdmin }},
			{"attributes", ada, bo.UserID, people.Change{LoginAttributes: opt.Of(map[string]any{"a": 1})},
				func(u people.User) bool { return u.LoginAttributes["a"] == "1" }},
			{"no attributes", ada, bo.UserID, people.Change{LoginAttributes: opt.Null[map[string]any]()},
				func(u people.User) bool { return len(u.LoginAttributes) == 0 }},
			{"groups", ada, bo.UserID, people.Change{Groups: opt.Of(withG)}, func(u people.User) bool { return slices.Equal(u.Groups, withG) }},
			{"flag keeps groups", ada, bo.UserID, people.Change{IsAdmin: opt.Of(true)},
				func(u people.User) bool { return u.IsAdmin && slices.Equal(u.Groups, []int64{1, 2, g.ID}) }},
			{"flag twice", ada, bo.UserID, people.Change{IsAdmin: opt.Of(true)}, func(u people.User) bool { return u.IsAdmin }},
			{"flag off", ada, bo.UserID, people.Change{IsAdmin: opt.Of(false)},
				func(u people.User) bool { return !u.IsAdmin && slices.Equal(u.Groups, withG) }},
			{"group makes an administrator", ada, bo.UserID, people.Change{Groups: opt.Of(withAdmin)}, func(u people.User) bool { return u.IsAdmin }},
			{"both agree", ada, bo.UserID, people.Change{Groups: opt.Of(all), IsAdmin: opt.Of(false)},
				func(u people.User) bool { return !u.IsAdmin && slices.Equal(u.Groups, all) }},
			{"user of a key", ada, key, people.Change{FirstName: opt.Of("renamed"), IsAdmin: opt.Of(true)},
				func(u people.User) bool { return u.CommonName == "renamed" && u.IsAdmin && u.Kind == people.KindKey }},
			{"by the command line", w.root, key, people.Change{IsAdmin: opt.Of(false)}, func(u people.User) bool { return !u.IsAdmin }},
		}
		for _, s := range steps {
			u, err := w.Update(ctx, s.as, s.id, s.change)
			if err != nil || !s.want(u) {
				t.Errorf("%s: %+v, %v", s.name, u, err)
			}
			if again, _ := w.Get(ctx, ada, s.id); !reflect.DeepEqual(again, u) {
				t.Errorf("%s: stored %+v, answered %+v", s.name, again, u)
			}
		}
		if users, _, _ := w.List(ctx, ada, people.Filter{Query: "BOB@"}); len(users) != 1 {
			t.Error("the new address is not found")
		}
	})
}

func TestUpdateRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, bo, off := w.admin(), w.person(names("Bo", "K")), w.person(names("Off", ""))
		if err := w.Deactivate(ctx, ada, off.UserID); err != nil {
			t.Fatal(err)
		}
		name := people.Change{FirstName: opt.Of("X")}
		const disagree = "is_superuser: Value of is_superuser must correspond to presence of Admin group ID in group_ids."
		tests := []struct {
			as     *access.Principal
			id     int64
			change people.Change
			kind   fault.Kind
			want   string
		}{
			{nil, bo.UserID, name, fault.Unauthenticated, "Unauthenticated"},
			{bo, ada.UserID, name, fault.Forbidden, textForbidden},
			{bo, 999, name, fault.Forbidden, textForbidden},
			{ada, 999, name, fault.NotFound, textNotFound},
			{ada, off.UserID, name, fault.NotFound, textNotFound},
			{bo, bo.UserID, people.Change{FirstName: opt.Of("")}, fault.Invalid, "first_name: nullable value must be a non-blank string."},
			{bo, bo.UserID, people.Change{Email: opt.Of("x")}, fault.Invalid, "email: value must be a valid email address."},
			{bo, bo.UserID, people.Change{Email: opt.Of("ADA@example.com")}, fault.Invalid, "email: Email address already associated to another user."},
			{bo, bo.UserID, people.Change{Locale: opt.Of("eng-USA")}, fault.Invalid,
				"locale: nullable String must be a valid two-letter ISO language or language-country code e.g. 'en' or 'en_US'."},
			{bo, bo.UserID, people.Change{FirstName: opt.Of("X"), Groups: opt.Of([]int64{1, 2})}, fault.Forbidden, textForbidden},
			{bo, bo.UserID, people.Change{Groups: opt.Of([]int64{})}, fault.Forbidden, textForbidden},
			{ada, bo.UserID, people.Change{FirstName: opt.Of("X"), Groups: opt.Of([]int64{2})}, fault.Invalid, textAllUsers},
			{ada, bo.UserID, people.Change{IsAdmin: opt.Of(true), Groups: opt.Of([]int64{1})}, fault.Invalid, disagree},
			{ada, bo.UserID, people.Change{IsAdmin: opt.Of(false), Groups: opt.Of([]int64{1, 2})}, fault.Invalid, disagree},
			{ada, ada.UserID, people.Change{IsAdmin: opt.Of(false)}, fault.Invalid, textLastAdmin},
			{ada, ada.UserID, people.Change{Groups: opt.Of([]int64{1})}, fault.Invalid, textLastAdmin},
			{ada, bo.UserID, people.Change{LoginAttributes: opt.Of(map[string]any{"@x": 1})}, fault.Invalid, "login_attributes: login attribute keys must not begin with `@`"},
		}
		for _, tt := range tests {
			_, err := w.Update(ctx, tt.as, tt.id, tt.change)
			wantFault(t, err, tt.kind, tt.want)
		}
		if u, _ := w.Get(ctx, ada, bo.UserID); *u.FirstName != "Bo" || !slices.Equal(u.Groups, []int64{1}) {
			t.Errorf("a refused change left something: %+v", u)
		}
	})
}

func TestDeactivateAndReactivate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, bo := w.admin(), w.person(names("Bo", "K"))
		key := w.keyUser("a key")
		wantFault(t, w.Deactivate(ctx, bo, bo.UserID), fault.Forbidden, textForbidden)
		wantFault(t, w.Deactivate(ctx, bo, 999), fault.Forbidden, textForbidden)
		wantFault(t, w.Deactivate(ctx, ada, 999), fault.NotFound, textNotFound)
		wantFault(t, w.Deactivate(ctx, ada, ada.UserID), fault.Invalid, textLastAdmin)
		if u, _ := w.Get(ctx, ada, ada.UserID); !u.Active {
			t.Fatal("the last administrator is inactive")
		}
		if err := w.Deactivate(ctx, ada, key); err != nil {
			t.Error(err)
		}
		if u, _ := w.Get(ctx, ada, key); !u.Active {
			t.Error("the user of a key was deactivated")
		}
		if _, err := w.Update(ctx, ada, bo.UserID, people.Change{IsAdmin: opt.Of(true)}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time changes nothing
			if err := w.Deactivate(ctx, ada, bo.UserID); err != nil {
				t.Fatal(err)
			}
		}
		u, err := w.Get(ctx, ada, bo.UserID)
		if err != nil || u.Active || u.DeactivatedAt == nil || !slices.Equal(u.Groups, []int64{1, 2}) {
			t.Errorf("inactive = %+v, %v", u, err)
		}
		count := func(id, want int64) {
			t.Helper()
			if g, _ := w.groups.Get(ctx, ada, id); g.MemberCount != want {
				t.Errorf("group %d has %d members, want %d", id, g.MemberCount, want)
			}
		}
		count(access.AllUsers, 2)
		count(access.Administrators, 1)

		_, err = w.Reactivate(ctx, bo, bo.UserID)
		wantFault(t, err, fault.Forbidden, textForbidden)
		for _, id := range []int64{999, key} {
			_, err = w.Reactivate(ctx, ada, id)
			wantFault(t, err, fault.NotFound, textNotFound)
		}
		u, err = w.Reactivate(ctx, ada, bo.UserID)
		if err != nil || !u.Active || u.IsAdmin || u.DeactivatedAt != nil || !slices.Equal(u.Groups, []int64{1}) {
			t.Errorf("reactivated = %+v, %v", u, err)
		}
		count(access.AllUsers, 3)
		count(access.Administrators, 1)
		_, err = w.Reactivate(ctx, ada, bo.UserID)
		wantFault(t, err, fault.Invalid, "Not able to reactivate an active user")
		w.signIn("bo@example.com") // the password is that of before
		want := []string{"user.deactivate bo@example.com", "user.reactivate bo@example.com"}
		if got := slices.DeleteFunc(w.actions("user."), func(a string) bool { return !strings.Contains(a, "activate") }); !slices.Equal(got, want) {
			t.Errorf("audit = %v, want %v", got, want)
		}
	})
}

func TestKeyUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.admin()
		id := w.keyUser("nightly export", access.Administrators)
		s, err := w.Subjects().Get(ctx, id)
		if err != nil || s.Kind != access.ServiceKey || s.Name != "nightly export" || !slices.Equal(s.Groups, []int64{1, 2}) {
			t.Errorf("subject = %+v, %v", s, err)
		}
		if u, _ := w.Get(ctx, ada, id); !strings.HasSuffix(u.Email, "@api-key.invalid") || *u.LastName != "" || u.HasPassword {
			t.Errorf("user = %+v", u)
		}
		if err := w.d.InTx(ctx, func(ctx context.Context) error { return w.RenameKeyUser(ctx, id, "weekly export") }); err != nil {
			t.Fatal(err)
		}
		if s, _ = w.Subjects().Get(ctx, id); s.Name != "weekly export" {
			t.Errorf("renamed = %q", s.Name)
		}
		for range 2 {
			if err := w.d.InTx(ctx, func(ctx context.Context) error { return w.DeactivateKeyUser(ctx, id) }); err != nil {
				t.Fatal(err)
			}
		}
		if s, _ = w.Subjects().Get(ctx, id); s.Active {
			t.Error("the user of a deleted key is active")
		}
		if g, _ := w.groups.Get(ctx, ada, access.Administrators); g.MemberCount != 1 {
			t.Errorf("administrators = %d, want 1", g.MemberCount)
		}
		for _, other := range []int64{ada.UserID, 999} {
			err := w.d.InTx(ctx, func(ctx context.Context) error { return w.RenameKeyUser(ctx, other, "x") })
			wantFault(t, err, fault.NotFound, textNotFound)
			err = w.d.InTx(ctx, func(ctx context.Context) error { return w.DeactivateKeyUser(ctx, other) })
			wantFault(t, err, fault.NotFound, textNotFound)
		}
		if s, err := w.Subjects().Get(ctx, 999); s != nil || err != nil {
			t.Errorf("unknown subject = %+v, %v", s, err)
		}
	})
}

func TestSetNewb(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, bo := w.admin(), w.person(names("Bo", ""))
		wantFault(t, w.SetNewb(ctx, bo, ada.UserID, people.ModalQuestions), fault.Forbidden, textForbidden)
		wantFault(t, w.SetNewb(ctx, bo, bo.UserID, "x"), fault.Invalid, "modal: enum of qbnewb, datasetnewb")
		wantFault(t, w.SetNewb(ctx, ada, 999, people.ModalQuestions), fault.NotFound, textNotFound)
		wantFault(t, w.SetNewb(ctx, ada, w.keyUser("k"), people.ModalDatasets), fault.NotFound, textNotFound)
		if err := w.SetNewb(ctx, bo, bo.UserID, people.ModalQuestions); err != nil {
			t.Fatal(err)
		}
		if u, _ := w.Get(ctx, bo, bo.UserID); u.QBNewb || !u.DatasetNewb {
			t.Errorf("tips = %v, %v", u.QBNewb, u.DatasetNewb)
		}
		if err := w.SetNewb(ctx, ada, bo.UserID, people.ModalDatasets); err != nil {
			t.Fatal(err)
		}
		if u, _ := w.Get(ctx, bo, bo.UserID); u.DatasetNewb {
			t.Error("the second tip is still to be shown")
		}
	})
}

func TestValidEmail(t *testing.T) {
	valid := []string{"a@b.c", "first.last+tag@sub.example.co", "O'Neil@example.com", "x_y-z@1.2.org", strings.Repeat("a", 64) + "@example.com"}
	invalid := []string{
		"", "a", "@", "a@", "@b.c", "a@b", "a@localhost", "a@@b.c", "a@b@c.d", "a b@c.d", "a@b .c", "a@b.c ", " a@b.c", "a@b.c\n", "a@b.c\x00",
		"a\r\nBcc: x@y.z", "<a@b.c>", "A <a@b.c>", "a@.b.c", "a@b..c", "a@b.c.", "a@-b.c", "a@b-.c", ".a@b.c", "a.@b.c", "a..b@c.d",
		`"a"@b.c`, "a,b@c.d", "ä@b.c", "a@ä.c", "a@[127.0.0.1]", strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b.", 130) + "com",
		"a@" + strings.Repeat("b", 64) + ".com",
	}
	for _, s := range valid {
		if !people.ValidEmail(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range invalid {
		if people.ValidEmail(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestGet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, bo := w.admin(), w.person(names("Bo", ""))
		for _, id := range []int64{ada.UserID, 999} {
			_, err := w.Get(ctx, bo, id)
			wantFault(t, err, fault.Forbidden, textForbidden)
		}
		_, err := w.Get(ctx, ada, 999)
		wantFault(t, err, fault.NotFound, textNotFound)
		_, err = w.Get(ctx, ada, 1<<40)
		wantFault(t, err, fault.NotFound, textNotFound)
		if u, err := w.ByEmail(ctx, ada, "BO@example.com"); err != nil || u.ID != bo.UserID {
			t.Errorf("by e-mail: %+v, %v", u, err)
		}
		_, err = w.ByEmail(ctx, bo, "bo@example.com")
		wantFault(t, err, fault.Forbidden, textForbidden)
		for _, email := range []string{"x", "eve@example.com", "\x00@example.com"} {
			_, err = w.ByEmail(ctx, ada, email)
			wantFault(t, err, fault.NotFound, textNotFound)
		}
	})
}

// TestNoSecretIsStoredOrPrinted looks for the password in the whole database
// of tables that people writes, and in what is printed of its values.
func TestNoSecretIsStoredOrPrinted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		token, _ := w.session("ada@example.com")
		link, err := w.ResetLink(t.Context(), w.root, 1)
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.SignIn(t.Context(), "ada@example.com", secret.New(good), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{
			"SELECT coalesce(password_hash, '') FROM users", "SELECT bucket FROM throttle", "SELECT details FROM audit",
			"SELECT object_name FROM audit", "SELECT value FROM setting",
		} {
			stored, err := db.All(t.Context(), w.d, db.Scalar[string], q)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(stored, "\n") + fmt.Sprintf("%v %+v %#v", n, n, n)
			for _, s := range []string{good, token.Reveal(), n.Token.Reveal(), tokenIn(t, link)} {
				if strings.Contains(all, s) {
					t.Errorf("%s holds a secret", q)
				}
			}
		}
	})
}
