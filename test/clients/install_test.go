package clients_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// installOnce installs the clients of package-lock.json and returns the
// directory that holds node_modules. It is found again by the lock's digest,
// so that only the first run after a change takes time.
var installOnce = sync.OnceValues(func() (string, error) {
	if err := checkNode(); err != nil {
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
	_, _ = fmt.Fprint(digest, runtime.GOOS, runtime.GOARCH)
	dir := filepath.Join(base, "latchkey-test", "clients-"+hex.EncodeToString(digest.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, install(dir, files)
})

// checkNode says which package is missing when Node.js is, or is too old for
// the clients.
func checkNode() error {
	const fix = "install Node.js 20.6 or newer and npm: apt-get install nodejs npm"
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("npm is missing; %s", fix)
	}
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		return fmt.Errorf("node does not run (%w); %s", err, fix)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(out), "v%d.%d", &major, &minor); err != nil || major < 20 || major == 20 && minor < 6 {
		return fmt.Errorf("node is %s; %s", bytes.TrimSpace(out), fix)
	}
	return nil
}

// install fills a directory beside dir and then renames it, so that dir is
// whole or not there, also when several tests install at once.
func install(dir string, files map[string][]byte) error {
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
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci of test/clients (needs the network, once): %w\n%s", err, out)
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, statErr := os.Stat(dir); statErr == nil {
			return nil // another test was faster
		}
		return err
	}
	return nil
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
