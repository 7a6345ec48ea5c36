package dbtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/db"
	"latchkey/internal/secret"
)

// server is a running PostgreSQL that belongs to this process.
type server struct {
	password string
	port     int
	held     *os.File // the pipe whose end stops the server

	mu    sync.Mutex
	count int
}

// started is the server of this process. It is the one package variable of
// the tests: a server per test would cost a second each.
//
//nolint:gochecknoglobals // see above
var started = sync.OnceValues(start)

func shared(t testing.TB) *server {
	t.Helper()
	s, err := started()
	if err != nil {
		t.Fatalf("a private PostgreSQL server for tests: %v", err)
	}
	return s
}

// template is the database that holds the migrated schema.
const template = "migrated"

func start() (*server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	as, err := account()
	if err != nil {
		return nil, err
	}
	s := &server{password: rand.Text()}
	if err := s.run(bin, as); err != nil {
		return nil, err
	}
	return s, s.makeTemplate()
}

// run makes a cluster and starts it; it tries again because somebody may take
// the port between our look and the start.
func (s *server) run(bin string, as *syscall.Credential) error {
	const tries = 3
	var err error
	for range tries {
		var dir string
		if dir, err = makeDir(as); err != nil {
			return err
		}
		if err = s.initdb(bin, dir, as); err != nil {
			return err
		}
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.launch(bin, dir, as); err == nil {
			return nil
		}
	}
	return err
}

// findBinaries returns the directory of initdb and postgres: Debian's newest,
// or what PATH names.
func findBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
		return filepath.Dir(newest), nil
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	return "", fmt.Errorf("there is no initdb in /usr/lib/postgresql/*/bin or PATH: install the Debian package postgresql")
}

func major(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// account returns the account that runs the server: PostgreSQL refuses root,
// so root lends it to the package's own account. nil means our own.
func account() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root and there is no account postgres: install the Debian package postgresql")
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("account postgres has no numeric ids: %s, %s", u.Uid, u.Gid)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// makeDir returns a directory that the server's account owns. It is not below
// t.TempDir, whose parents that account may not enter.
func makeDir(as *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("/tmp", "latchkey-pg-")
	if err != nil {
		return "", err
	}
	if as != nil {
		err = os.Chown(dir, int(as.Uid), int(as.Gid))
	}
	return dir, err
}

func (s *server) initdb(bin, dir string, as *syscall.Credential) error {
	in := exec.Command("sh", "-c", `umask 077; cat >"$1/password" && exec "$2/initdb" -D "$1/data" -U latchkey --pwfile="$1/password" -A scram-sha-256 -E UTF8 --locale=C --no-sync`, "sh", dir, bin)
	in.Dir, in.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	in.Stdin = strings.NewReader(s.password)
	if out, err := in.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// watched runs the server until standard input ends, which is when the test
// process ends, in whatever way; then it removes the directory.
const watched = `dir=$1; shift
"$@" <&- & server=$!
read -r _
kill -QUIT $server; wait $server
cd /; rm -rf "$dir"`

func (s *server) launch(bin, dir string, as *syscall.Credential) error {
	logPath := filepath.Join(dir, "log")
	c := exec.Command("sh", "-c", watched, "sh", dir, filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"),
		"-k", dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-F", "-N", "200",
		"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB",
		"-c", "autovacuum=off", "-c", "max_wal_size=256MB", "-c", "logging_collector=off")
	// A process group of its own, so that an interrupt at the terminal does not
	// stop the server before the tests have ended.
	c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as, Setpgid: true}
	log, err := os.Create(logPath)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	c.Stdout, c.Stderr = log, log
	in, held, err := os.Pipe()
	if err != nil {
		return err
	}
	c.Stdin = in
	defer func() { _ = in.Close() }()
	if err := c.Start(); err != nil {
		_ = held.Close()
		return err
	}
	s.held = held
	if err := s.wait(); err != nil {
		out, _ := os.ReadFile(logPath)
		_ = held.Close()
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// wait returns when the server answers.
func (s *server) wait() error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := s.admin(func(context.Context, *pgx.Conn) error { return nil })
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// url returns the address of a database on the server.
func (s *server) url(name string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("latchkey", s.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + name,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// admin runs f on a connection to the server's own database.
func (s *server) admin(f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(ctx) }()
	return f(ctx, c)
}

func (s *server) makeTemplate() error {
	if err := s.create(template, "template0"); err != nil {
		return err
	}
	d, err := db.Open(context.Background(), db.Options{URL: secret.New(s.url(template))})
	if err != nil {
		return err
	}
	d.Close()
	return nil
}

func (s *server) create(name, from string) error {
	err := s.admin(func(ctx context.Context, c *pgx.Conn) error {
		var version int
		if err := c.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
			return err
		}
		how := "" // before 15 files are copied without being told
		if version >= 150000 {
			how = " STRATEGY FILE_COPY" // half the work of the default
		}
		_, err := c.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from+how)
		return err
	})
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

func (s *server) migrated(t testing.TB) string { return s.fresh(t, template) }

func (s *server) empty(t testing.TB) string { return s.fresh(t, "template0") }

// fresh makes a database for one test, which is dropped when the test ends.
func (s *server) fresh(t testing.TB, from string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock() // a template can be copied by one at a time
	s.count++
	name := fmt.Sprintf("test_%d", s.count)
	if err := s.create(name, from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := s.admin(func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			return err
		})
		if err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return s.url(name)
}
