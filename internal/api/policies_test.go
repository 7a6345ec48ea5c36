package api_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/access"
	"latchkey/internal/apptest/dbtest"
	"latchkey/internal/clock"
)

var update = flag.Bool("update", false, "write testdata/policies.golden anew")

const policiesFile = "testdata/policies.golden"

// TestPolicies shows, for review, what is declared about every route: who may
// call it, which scopes it needs, whose ids a call names, what else it shows or
// changes, and which fields it writes.
func TestPolicies(t *testing.T) {
	dbtest.EachPlace(t, func(t *testing.T, p dbtest.Place) {
		in := newInstance(t, p.Open(t), clock.NewFake(theStart(t)), false)
		var b strings.Builder
		for _, rt := range in.api.Table().Routes() {
			writePolicy(&b, rt.Declared())
		}
		if *update {
			if err := os.WriteFile(policiesFile, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(policiesFile)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("the declarations are no longer those of %s; look at the difference, then run with -update:\n%s", policiesFile, b.String())
		}
	})
}

func writePolicy(b *strings.Builder, d access.DeclaredRoute) {
	fmt.Fprintf(b, "%s\n\t%s, %s\n", d.Route, d.Policy.Who, d.Policy.Scope)
	line := func(word string, items []string) {
		if len(items) > 0 {
			fmt.Fprintf(b, "\t%s %s\n", word, strings.Join(items, " "))
		}
	}
	var scoped []string
	for field, s := range d.FieldScopes {
		scoped = append(scoped, field+"="+s.String())
	}
	slices.Sort(scoped)
	names := slices.Clone(d.Names)
	if d.LooksUp {
		names = append(names, "(also looked up)")
	}
	touched := slices.Clone(d.Policy.Touches)
	for _, k := range access.Kinds() {
		if k.Name == d.Policy.Scope.Resource {
			touched = append(touched, k.Touches...)
		}
	}
	line("names", names)
	line("touches", touched)
	line("scope by field", scoped)
	line("or about", d.Instead)
	if d.Policy.Scope.Verb == access.Write {
		line("writes", d.Fields)
	}
	if d.AllKeys {
		b.WriteString("\twrites every key of the body\n")
	}
}

func theStart(t *testing.T) time.Time {
	t.Helper()
	start, err := time.Parse(time.RFC3339, testStart)
	if err != nil {
		t.Fatal(err)
	}
	return start
}
