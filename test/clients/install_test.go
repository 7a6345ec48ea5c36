package clients_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// installOnce installs the clients of package-lock.json and returns the
// directory that holds node_modules. It is found again by the lock's digest,
// so that only the first run after a change takes time.
var installOnce = sync.OnceValues(func() (string, error) {
	old, err := nodeIsOld()
	if err != nil {
		return "", err
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir() // HOME is not set
	}
	digest := sha256.New()
	files := map[string][]byte{"package.json": nil, "package-lock.json": nil}
	for _, name := range []string{"package.json", "package-lock.json"} {
		if files[name], err = os.ReadFile(name); err != nil {
			return "", err
		}
		_, _ = digest.Write(files[name])
	}
	_, _ = fmt.Fprint(digest, runtime.GOOS, runtime.GOARCH, old, nodeVersion)
	dir := filepath.Join(base, "latchkey-test", "clients-"+hex.EncodeToString(digest.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, install(dir, files, old)
})

// nodeVersion is what is installed beside the clients where the machine's own
// Node.js is too old for them, as that of Debian 12 is.
const nodeVersion = "24.21.0"

// nodePackage is the registry's package that holds the program node.
func nodePackage() string {
	return "node-" + runtime.GOOS + "-" + strings.Replace(runtime.GOARCH, "amd64", "x64", 1)
}

// nodeIsOld reports whether the machine's Node.js is older than 20.6, which
// the clients need. It says which package is missing when there is none.
func nodeIsOld() (bool, error) {
	const fix = "install Node.js and npm: apt-get install nodejs npm"
	if _, err := exec.LookPath("npm"); err != nil {
		return false, fmt.Errorf("npm is missing; %s", fix)
	}
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		return false, fmt.Errorf("node does not run (%w); %s", err, fix)
	}
	var major, minor int
	_, err = fmt.Sscanf(string(out), "v%d.%d", &major, &minor)
	return err != nil || major < 20 || major == 20 && minor < 6, nil
}

// install fills a directory beside dir and then renames it, so that dir is
// whole or not there, also when several tests install at once.
func install(dir string, files map[string][]byte, withNode bool) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".installing-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), content, 0o600); err != nil {
			return err
		}
	}
	if err := npm(tmp, "ci"); err != nil {
		return err
	}
	if withNode {
		if err := npm(tmp, "install", "--no-save", nodePackage()+"@"+nodeVersion); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, statErr := os.Stat(dir); statErr == nil {
			return nil // another test was faster
		}
		return err
	}
	return nil
}

func npm(dir string, args ...string) error {
	cmd := exec.Command("npm", append(args, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm %s in test/clients (needs the network, once): %w\n%s", args[0], err, out)
	}
	return nil
}

// searchPath returns PATH with the installed Node.js before the machine's.
func searchPath(t *testing.T) string {
	t.Helper()
	dir, err := installOnce()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "node_modules", nodePackage(), "bin") + string(os.PathListSeparator) + os.Getenv("PATH")
}

// installed returns the path of a client's program.
func installed(t *testing.T, name string) string {
	t.Helper()
	dir, err := installOnce()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "node_modules", ".bin", name)
}
