package bulk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/bulk"
	"latchkey/internal/db"
	"latchkey/internal/fault"
)

// take imports lines of a table.
func (w *world) take(who *access.Principal, in bulk.Import, table string) *bulk.Report {
	w.t.Helper()
	lines, err := bulk.ReadTable([]byte(table))
	check(w.t, err)
	if in.Mode == "" {
		in.Mode = bulk.Each
	}
	in.Route = "POST /v1/people/import"
	r, _, err := w.bulk.ImportPeople(w.t.Context(), who, lines, in)
	check(w.t, err)
	return r
}

const arrivals = "email,first_name,last_name,groups\n" +
	"Di@example.com,Di,Doe,analysts;Writers\n" +
	"bo@example.com,Bo,,Writers\n" +
	"no address,,,\n" +
	"ed@example.com,,,Nobody\n" +
	"di@example.com,Again,,\n" +
	"fay@example.com,Fay,Foe,\"%d\"\n"

func TestImportPeople(t *testing.T) {
	each(t, func(w *world) {
		table := fmt.Sprintf(arrivals, w.ids["Writers"])
		before := w.contents()
		const want = "created exists failed:invalid failed:unknown-group failed:duplicate created"
		r := w.take(admin, bulk.Import{Request: bulk.Request{DryRun: true}}, table)
		w.is("dry run", r, want)
		if r.Results[0].ID != 0 || r.Results[1].ID != w.ids["bo"] || w.contents() != before {
			w.t.Errorf("a dry run changed something, or gives ids: %+v", r)
		}
		r = w.take(admin, bulk.Import{Request: atomic()}, table)
		w.is("atomic", r, "not-run not-run failed:invalid not-run not-run not-run")
		if w.contents() != before {
			w.t.Error("a failed import changed something")
		}
		r = w.take(admin, bulk.Import{}, table)
		w.is("each", r, want)
		di, err := w.people.Get(w.t.Context(), admin, r.Results[0].ID)
		if want := []int64{1, w.ids["Analysts"], w.ids["Writers"]}; err != nil || di.CommonName != "Di Doe" || !slices.Equal(di.Groups, want) {
			w.t.Errorf("di: %+v, %v", di, err)
		}
		if w.members("Writers") != 2 {
			w.t.Errorf("Writers has %d members, want 2", w.members("Writers"))
		}
		r = w.take(admin, bulk.Import{Update: true}, table)
		w.is("update", r, "exists updated failed:invalid failed:unknown-group failed:duplicate exists")
		bo, err := w.people.Get(w.t.Context(), admin, w.ids["bo"])
		if want := []int64{1, w.ids["Analysts"], w.ids["Writers"]}; err != nil || bo.CommonName != "Bo" || !slices.Equal(bo.Groups, want) {
			w.t.Errorf("bo: %+v, %v", bo, err)
		}
		check(w.t, w.people.Deactivate(w.t.Context(), admin, w.ids["cy"]))
		w.is("inactive", w.take(admin, bulk.Import{Update: true}, "email,first_name\ncy@example.com,Cy\n"), "failed:inactive-person")
		w.is("inactive, not to be changed", w.take(admin, bulk.Import{}, "email\ncy@example.com\n"), "exists")
	})
}

func TestImportByRestrictedKeys(t *testing.T) {
	each(t, func(w *world) {
		id := fmt.Sprint(w.ids["Writers"])
		const table = "email,groups\ndi@example.com,\ned@example.com,Writers\nfay@example.com,Analysts\ngus@example.com,Administrators\nada@example.com,Writers\n"
		in := bulk.Import{Request: bulk.Request{DryRun: true}, Update: true}
		for name, tt := range map[string]struct {
			r    access.Restriction
			want string
		}{
			"people only": {access.Restriction{Scopes: []string{"people:write", "passwords:write"}}, "created failed:scope failed:scope failed:scope failed:scope"},
			"both": {
				access.Restriction{Scopes: []string{"people:write", "passwords:write", "memberships:write"}},
				"created created created failed:protected-admin failed:protected-admin",
			},
			"group": {
				access.Restriction{Resources: map[string][]string{"groups": {id}}},
				"created created failed:resource failed:resource failed:protected-admin",
			},
			"this route": {access.Restriction{Routes: []string{"POST /v1/people/import"}}, "created created created failed:protected-admin failed:protected-admin"},
			"another":    {access.Restriction{Routes: []string{"POST /api/user"}}, "failed:route failed:route failed:route failed:route failed:route"},
		} {
			w.is(name, w.take(w.key(tt.r), in, table), tt.want)
		}
		plain := &access.Principal{Kind: access.Person, UserID: w.ids["bo"], Groups: []int64{1}}
		if _, _, err := w.bulk.ImportPeople(w.t.Context(), plain, []bulk.Line{{Email: "x@example.com"}}, in); !fault.Is(err, fault.Forbidden) {
			w.t.Errorf("a plain person: %v", err)
		}
	})
}

func show(lines []bulk.Line) string {
	var out []string
	for _, l := range lines {
		text := fmt.Sprint(l.Number, " ", l.Email)
		for _, name := range []*string{l.First, l.Last} {
			if name != nil {
				text += " " + *name
			}
		}
		for _, g := range l.Groups {
			text += fmt.Sprintf(" [%s %d]", g.Name, g.ID)
		}
		if l.Err != nil {
			text += " bad"
		}
		out = append(out, text)
	}
	return strings.Join(out, " | ")
}

func TestReadTable(t *testing.T) {
	for in, want := range map[string]string{
		"\xef\xbb\xbfemail,first_name,last_name,groups\r\na@example.com,A,\"B, \"\"C\"\"\",\"One; Two\"\r\n": `2 a@example.com A B, "C" [One 0] [Two 0]`,
		"E-Mail;First name;Groups\na@example.com;A;\"One;Two\"\n":                                            "2 a@example.com A [One 0] [Two 0]",
		"email\tgroup\na@example.com\t7\n":                                                                   "2 a@example.com [7 0]",
		"email,first_name\na@example.com\nb@example.com,B,C\n":                                               "2  bad | 3  bad",
		"email\n\n\n a@example.com \n":                                                                       "4 a@example.com",
		"email,last_name\na@example.com,\"two\nlines\"\nb@example.com,B":                                     "2 a@example.com two\nlines | 4 b@example.com B",
	} {
		lines, err := bulk.ReadTable([]byte(in))
		if got := show(lines); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"":                                "empty",
		"name\nx":                         `"name" is unknown`,
		"first_name\nx":                   "no column email",
		"email,email\nx":                  "twice",
		"email\n\"a":                      "Line 2",
		"email,first_name\na,b\nc,\"d\"e": "Line 3",
		"\xff\xfee\x00m\x00":              "UTF-16",
		"email\na\xff@example.com":        "Line 2 is not UTF-8",
	} {
		_, err := bulk.ReadTable([]byte(in))
		if f := fault.As(err); f == nil || f.Code != "malformed-table" || !strings.Contains(f.Message, want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestReadLines(t *testing.T) {
	lines, err := bulk.ReadLines([]byte(`{"email":"a@example.com","first_name":"A","last_name":null,"groups":["One",7]}

{"email":5}
{"email":"b@example.com","phone":"1"}
{"email":"c@example.com"} {}
nothing
{"email":"d@example.com","groups":[1.5]}
null
`))
	check(t, err)
	if got, want := show(lines), "1 a@example.com A [One 0] [ 7] | 3  bad | 4  bad | 5  bad | 6  bad | 7 d@example.com bad | 8 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if f := fault.As(lines[1].Err); f.Fields["email"] == "" {
		t.Errorf("%v", f)
	}
	if f := fault.As(lines[2].Err); f.Fields["phone"] == "" {
		t.Errorf("%v", f)
	}
}

// Many people take one short transaction.
func TestImportIsFast(t *testing.T) {
	w := open(t, dbtest.NewPlace(t, dbtest.SQLite))
	g, err := w.groups.Create(t.Context(), admin, "large")
	check(t, err)
	const n = bulk.MaxSteps
	var b strings.Builder
	b.WriteString("email,first_name,groups\n")
	for i := range n {
		fmt.Fprintf(&b, "p%d@example.com,P,large\n", i)
	}
	start := time.Now()
	r := w.take(admin, bulk.Import{Request: atomic()}, b.String())
	t.Logf("%d people in %v", n, time.Since(start))
	if r.Count(bulk.Created) != n {
		t.Errorf("%d made: %+v", r.Count(bulk.Created), r.Results[0])
	}
	for _, id := range []int64{g.ID, access.AllUsers} {
		if g, _ := w.groups.Snapshot().ByID(id); g.MemberCount != n {
			t.Errorf("%s has %d members", g.Name, g.MemberCount)
		}
	}
	if entries, err := db.One(t.Context(), w.db, db.Scalar[int], "SELECT count(*) FROM audit WHERE action = 'membership.add'"); err != nil || entries > n/1000 {
		t.Errorf("%d entries about memberships, %v", entries, err)
	}
}
