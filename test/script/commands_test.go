package script_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver "sqlite", to damage databases with
)

type stateKey struct{}

// state is what the commands of one script keep.
type state struct {
	server    *server
	snapshots map[string]string
}

func stateOf(ts *testscript.TestScript) *state { return ts.Value(stateKey{}).(*state) }

type cmdFunc = func(ts *testscript.TestScript, neg bool, args []string)

func commands() map[string]cmdFunc {
	return map[string]cmdFunc{
		"refuse":    needs(2, refuse),
		"serve":     needs(0, serve),
		"stop":      needs(0, stop),
		"http":      needs(3, request),
		"within":    needs(5, within),
		"capture":   needs(1, capture),
		"link":      needs(1, link),
		"occupy":    needs(0, occupy),
		"sql":       needs(2, execSQL),
		"snapshot":  needs(1, snapshot),
		"unchanged": needs(1, unchanged),
		"bound":     needs(1, bound),
	}
}

// needs checks how a command was written.
func needs(n int, f func(ts *testscript.TestScript, args []string)) cmdFunc {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < n {
			ts.Fatalf("this command takes no ! and at least %d arguments", n)
		}
		f(ts, args)
	}
}

// refuse demands an exit code, silence on standard output, and one line on
// standard error that begins with the name of the program.
func refuse(ts *testscript.TestScript, args []string) {
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	if args[1] == "bound" {
		args = append(args[:1], unprivileged(ts, args[2:])...)
	}
	err = ts.Exec(args[1], args[2:]...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != code {
		ts.Fatalf("%s: %v, want exit code %d", strings.Join(args[1:], " "), err, code)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output is not empty: %q", out)
	}
	said := ts.ReadFile("stderr")
	if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "latchkey: ") || len(said) < len("latchkey: x\n") {
		ts.Fatalf("not one line that begins with the program's name:\n%s", said)
	}
}

// server is a running latchkey serve.
type server struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended
}

var ready = regexp.MustCompile(`Latchkey is ready.* url=http://(\S+)`)

func serve(ts *testscript.TestScript, args []string) {
	st := stateOf(ts)
	if st.server != nil {
		ts.Fatalf("the server runs already")
	}
	s := &server{done: make(chan struct{})}
	log, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	defer func() { _ = log.Close() }()
	s.cmd = exec.Command(lookup(ts, "latchkey"), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Dir, s.cmd.Env = ts.MkAbs("."), environ(ts)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	ts.Check(s.cmd.Start())
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	st.server = s
	ts.Defer(func() {
		if st.server == s {
			_ = s.cmd.Process.Kill()
			<-s.done
		}
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if m := ready.FindStringSubmatch(ts.ReadFile("server.log")); m != nil {
			ts.Setenv("LISTEN", m[1])
			ts.Setenv("URL", "http://"+m[1])
			return
		}
		select {
		case <-s.done:
			ts.Fatalf("the server ended (%v):\n%s", s.err, ts.ReadFile("server.log"))
		default:
		}
	}
	ts.Fatalf("the server is not ready after 20 seconds:\n%s", ts.ReadFile("server.log"))
}

func stop(ts *testscript.TestScript, _ []string) {
	s := stateOf(ts).server
	if s == nil {
		ts.Fatalf("the server does not run")
	}
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-s.done:
		stateOf(ts).server = nil
		if s.err != nil {
			ts.Fatalf("after SIGTERM: %v\n%s", s.err, ts.ReadFile("server.log"))
		}
	case <-time.After(20 * time.Second):
		ts.Fatalf("the server did not end within 20 seconds of SIGTERM:\n%s", ts.ReadFile("server.log"))
	}
}

// variables of the script that programs get.
func environ(ts *testscript.TestScript) []string {
	var all []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "LATCHKEY_DATA_DIR", "LATCHKEY_ADMIN_EMAIL", "LATCHKEY_ADMIN_NAME",
		"LATCHKEY_ADMIN_PASSWORD_FILE", "LATCHKEY_PEPPER_FILE", "LATCHKEY_PEPPER_PREVIOUS_FILE",
		"LATCHKEY_SEED_FILE", "LATCHKEY_BOOTSTRAP_KEY_FILE", "LATCHKEY_BOOTSTRAP_MINUTES", "EXPORT_KEY",
	} {
		if v := ts.Getenv(name); v != "" {
			all = append(all, name+"="+v)
		}
	}
	return all
}

// lookup finds a program on the script's path.
func lookup(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	ts.Fatalf("%s is not on the path", name)
	return ""
}

func request(ts *testscript.TestScript, args []string) {
	status, body, err := send(ts, args)
	ts.Check(err)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("%s %s: %d %s", args[1], args[2], status, body)
	}
	_, err = io.WriteString(ts.Stdout(), body)
	ts.Check(err)
}

// send sends the request of an http command and returns the answer.
func send(ts *testscript.TestScript, args []string) (int, string, error) {
	var body io.Reader
	header := http.Header{}
	for _, a := range args[3:] {
		name, value, _ := strings.Cut(a, "=")
		switch {
		case strings.HasPrefix(a, "{"):
			body = strings.NewReader(a)
			header.Set("Content-Type", "application/json")
		case name == "key":
			header.Set("X-Api-Key", value)
		case name == "session":
			header.Set("X-Metabase-Session", value)
		default:
			ts.Fatalf("http: %q is neither JSON nor a credential", a)
		}
	}
	req, err := http.NewRequest(args[1], ts.Getenv("URL")+args[2], body)
	if err != nil {
		return 0, "", err
	}
	req.Header = header
	req.Close = true
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// within repeats an http command until its status comes true.
func within(ts *testscript.TestScript, args []string) {
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		status, body, err := send(ts, args[2:])
		ts.Check(err)
		if strconv.Itoa(status) == args[2] {
			return
		}
		if time.Since(begin) > limit {
			ts.Fatalf("after %s: %d %s", limit, status, body)
		}
	}
}

func capture(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// link keeps the last part of the address that was printed.
func link(ts *testscript.TestScript, args []string) {
	out := strings.TrimSpace(ts.ReadFile("stdout"))
	ts.Setenv(args[0], out[strings.LastIndex(out, "/")+1:])
}

func occupy(ts *testscript.TestScript, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv("PORT", port)
}

func execSQL(ts *testscript.TestScript, args []string) {
	d, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0])+"?mode=rw&_pragma=busy_timeout(5000)")
	ts.Check(err)
	defer func() { _ = d.Close() }()
	_, err = d.Exec(strings.Join(args[1:], " "))
	ts.Check(err)
}

func snapshot(ts *testscript.TestScript, args []string) {
	st := stateOf(ts)
	if st.snapshots == nil {
		st.snapshots = map[string]string{}
	}
	st.snapshots[args[0]] = tree(ts, args[0])
}

func unchanged(ts *testscript.TestScript, args []string) {
	before, ok := stateOf(ts).snapshots[args[0]]
	if now := tree(ts, args[0]); !ok || now != before {
		ts.Fatalf("before:\n%safter:\n%s", before, now)
	}
}

// tree lists what is below a directory, with the digest of each file.
func tree(ts *testscript.TestScript, dir string) string {
	var b strings.Builder
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		var sum [sha256.Size]byte
		if e.Type().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum = sha256.Sum256(content)
		}
		name, err := filepath.Rel(root, path)
		_, _ = fmt.Fprintf(&b, "%s %s %x\n", info.Mode(), name, sum[:6])
		return err
	}))
	return b.String()
}

func bound(ts *testscript.TestScript, args []string) {
	args = unprivileged(ts, args)
	ts.Check(ts.Exec(args[0], args[1:]...))
}

// unprivileged returns a command line that runs another without the right of
// root to pass over the permissions of files.
func unprivileged(ts *testscript.TestScript, args []string) []string {
	if os.Geteuid() != 0 {
		return args
	}
	const setpriv = "setpriv"
	if _, err := exec.LookPath(setpriv); err != nil {
		ts.Fatalf("setpriv is missing: apt-get install util-linux")
	}
	return append([]string{setpriv, "--bounding-set", "-dac_override,-dac_read_search", "--"}, args...)
}
