package script_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"latchkey/internal/apptest"
)

// TestScripts runs testdata/*.txtar, each in a directory of its own with the
// built binary as "latchkey" and without any configuration.
func TestScripts(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(apptest.Binary(t), filepath.Join(bin, "latchkey")); err != nil {
		t.Fatal(err)
	}
	// The scripts run in parallel subtests, which end before the directory goes.
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                commands(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Values[stateKey{}] = &state{}
			return nil
		},
	})
}
