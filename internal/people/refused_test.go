package people_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"latchkey/internal/audit"
	"latchkey/internal/fault"
	"latchkey/internal/secret"
)

// Why a sign-in was refused is told, and never a name that nobody has.
func TestRefusedSignInsSayWhy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada, bo := w.admin(), w.person(names("Bo", "K"))
		if err := w.Deactivate(t.Context(), ada, bo.UserID); err != nil {
			t.Fatal(err)
		}
		try := func(addr, name, password string) {
			t.Helper()
			if _, err := w.SignIn(from(t, addr), name, secret.New(password), false); err == nil {
				t.Error("signed in")
			}
		}
		for range 12 {
			try("192.0.2.1:1", "ADA@example.com", "nope")
		}
		try("192.0.2.2:1", "bo@example.com", good)
		try("192.0.2.2:1", "bo@example.com", "nope")
		for range 11 {
			try("192.0.2.3:1", "my password 1", good)
		}
		for i := range 40 { // a flood from everywhere
			try(fmt.Sprintf("198.51.100.%d:1", i), "eve@example.com", good)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		records, err := w.log.List(t.Context(), audit.Filter{Action: "session.refused", ActorKind: "anonymous"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, r := range records {
			if strings.HasPrefix(r.RemoteAddr, "198.51.100.") {
				r.RemoteAddr = "…"
			}
			got[fmt.Sprint(r.ObjectName, " ", r.RemoteAddr, " ", r.Details)]++
		}
		want := map[string]int{
			"ada@example.com 192.0.2.1:1 map[attempts:12 throttled:2 wrong_password:10]":              1,
			"bo@example.com 192.0.2.2:1 map[attempts:2 inactive:1 wrong_password:1]":                  1,
			"unknown account 192.0.2.3:1 map[attempts:11 networks:one throttled:1 wrong_password:10]": 1,
			"unknown account … map[attempts:1 networks:one wrong_password:1]":                         10,
			"unknown account … map[attempts:1 networks:one throttled:1]":                              9,
			"unknown account … map[attempts:21 networks:several throttled:21]":                        1,
		}
		if !maps.Equal(got, want) {
			t.Errorf("entries %v\nwant    %v", got, want)
		}
		w.actions("") // the chain is whole
	})
}

// What cannot be written now is written later.
func TestRefusedSignInsOutliveAFailure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.admin()
		try := func() {
			if _, err := w.SignIn(t.Context(), "ada@example.com", secret.New("nope"), false); !fault.Is(err, fault.Unauthenticated) {
				t.Error(err)
			}
		}
		try()
		if _, err := w.d.Exec(t.Context(), "ALTER TABLE audit RENAME TO gone"); err != nil {
			t.Fatal(err)
		}
		if err := w.Sweep(t.Context()); err == nil {
			t.Error("written without a table")
		}
		try()
		if _, err := w.d.Exec(t.Context(), "ALTER TABLE gone RENAME TO audit"); err != nil {
			t.Fatal(err)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		records, err := w.log.List(t.Context(), audit.Filter{Action: "session.refused"})
		if err != nil || len(records) != 1 || fmt.Sprint(records[0].Details["attempts"]) != "2" {
			t.Errorf("%+v, %v, want one entry about two", records, err)
		}
	})
}
