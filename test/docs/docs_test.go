// Package docs_test checks what the documentation names: links and pictures
// that must be there, commands, flags, variables and options that the program
// must have, and the worked example of a key's checksum.
package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apikey"
	"latchkey/internal/apptest"
	"latchkey/internal/seed"
)

// page is a page of the documentation.
type page struct {
	name string // from the root of the repository
	text string
}

func pages(t *testing.T) []page {
	t.Helper()
	t.Chdir(root(t))
	names, err := filepath.Glob("docs/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	var all []page
	for _, name := range append(names, "README.md", "CHANGELOG.md") {
		all = append(all, page{name, read(t, name)})
	}
	return all
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := apptest.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	fence   = regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```")
	inline  = regexp.MustCompile("`([^`\n]+)`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// blocks returns the code blocks of a page in one of the languages.
func (p page) blocks(languages ...string) []string {
	var out []string
	for _, m := range fence.FindAllStringSubmatch(p.text, -1) {
		if slices.Contains(languages, m[1]) {
			out = append(out, m[2])
		}
	}
	return out
}

// prose returns a page without its code blocks.
func (p page) prose() string { return fence.ReplaceAllString(p.text, "") }

// anchors returns what links may lead to within a page.
func (p page) anchors() []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(p.prose(), -1) {
		out = append(out, strings.ReplaceAll(regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

func TestLinks(t *testing.T) {
	all := pages(t)
	for _, p := range all {
		for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(p.prose(), ""), -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := p.name
			if path != "" {
				target = filepath.Join(filepath.Dir(p.name), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", p.name, m[1])
				continue
			}
			i := slices.IndexFunc(all, func(o page) bool { return o.name == target })
			if anchor != "" && (i < 0 || !slices.Contains(all[i].anchors(), anchor)) {
				t.Errorf("%s: the link %s leads to no heading", p.name, m[1])
			}
		}
	}
}

// help is what the program says of its commands, each with its help text.
func help(t *testing.T) map[string]string {
	t.Helper()
	bin, out := apptest.Binary(t), map[string]string{"help": ""}
	run := func(args ...string) string {
		b, err := exec.Command(bin, args...).Output()
		if err != nil {
			t.Fatalf("latchkey %s: %v", strings.Join(args, " "), err)
		}
		return string(b)
	}
	for _, m := range regexp.MustCompile(`(?m)^  latchkey ([a-z -]+?)  `).FindAllStringSubmatch(run("help"), -1) {
		out[m[1]] = run(append(strings.Fields(m[1]), "--help")...)
	}
	if len(out) < 5 {
		t.Fatalf("the program names few commands: %v", out)
	}
	return out
}

var (
	command = regexp.MustCompile(`(?m)(?:^|[\s(/])latchkey[ \t]+([a-z][a-z-]*)(?:[ \t]+([a-z][a-z-]*))?(?:[ \t]+([a-z][a-z-]*))?([^\n]*)`)
	comment = regexp.MustCompile(`(?m)(?:^| )# .*$`)
	flag    = regexp.MustCompile(`(?:^|\s)--([a-z][a-z0-9-]*)`)
)

func TestCommands(t *testing.T) {
	known := help(t)
	for _, p := range pages(t) {
		code := p.blocks("sh")
		for _, m := range inline.FindAllStringSubmatch(p.prose(), -1) {
			code = append(code, m[1])
		}
		typed := comment.ReplaceAllString(strings.Join(code, "\n"), "")
		for _, m := range command.FindAllStringSubmatch(strings.ReplaceAll(typed, "-u latchkey ", ""), -1) {
			text, ok := known[m[1]+" "+m[2]+" "+m[3]]
			for _, name := range []string{m[1] + " " + m[2], m[1]} {
				if !ok {
					text, ok = known[name]
				}
			}
			if !ok {
				t.Errorf("%s: there is no command latchkey %s %s", p.name, m[1], m[2])
			}
			for _, f := range flag.FindAllStringSubmatch(m[3]+m[4], -1) {
				if f[1] != "help" && !strings.Contains(text, "--"+f[1]) {
					t.Errorf("%s: latchkey %s %s has no flag --%s", p.name, m[1], m[2], f[1])
				}
			}
		}
	}
}

// otherVariables are no options: those that are left to programs of the user,
// and one that is misspelt to show what happens then.
func otherVariables() []string {
	return []string{"LATCHKEY_API_KEY", "LATCHKEY_URL", "LATCHKEY_LISTN", "LATCHKEY_"}
}

func TestOptions(t *testing.T) {
	options := help(t)["config"]
	has := func(name string) bool {
		return regexp.MustCompile(`(?m)^ +--` + regexp.QuoteMeta(name) + `\b`).MatchString(options)
	}
	for _, p := range pages(t) {
		for _, name := range regexp.MustCompile(`LATCHKEY_[A-Z0-9_]*`).FindAllString(p.text, -1) {
			option := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "LATCHKEY_"), "_", "-"))
			if !slices.Contains(otherVariables(), name) && !has(option) {
				t.Errorf("%s: there is no variable %s", p.name, name)
			}
		}
		for _, block := range p.blocks("yaml") {
			if isSeed(block) {
				continue
			}
			for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllStringSubmatch(block, -1) {
				if !has(m[1]) {
					t.Errorf("%s: there is no option %s", p.name, m[1])
				}
			}
		}
	}
}

// isSeed reports whether an example is a seed file, not a configuration.
func isSeed(block string) bool { return strings.HasPrefix(block, "version:") }

// TestSeeds reads the examples of seed files.
func TestSeeds(t *testing.T) {
	n := 0
	for _, p := range pages(t) {
		for _, block := range p.blocks("yaml") {
			if !isSeed(block) {
				continue
			}
			n++
			if _, err := seed.Parse(p.name, strings.NewReader(block), nil); err != nil {
				t.Error(err)
			}
		}
	}
	if n == 0 {
		t.Error("the pages have no seed file")
	}
}

// TestChecksumExample holds the worked example of docs/security.md and the
// forms there against the code.
func TestChecksumExample(t *testing.T) {
	p := page{"docs/security.md", read(t, filepath.Join(root(t), "docs", "security.md"))}
	m := regexp.MustCompile("\\| key \\| `([^`]+)`").FindStringSubmatch(p.text)
	if m == nil {
		t.Fatal("the page has no worked example")
	}
	if !apikey.WellFormed(m[1]) {
		t.Errorf("the example %s has a wrong checksum", m[1])
	}
	forms := 0
	for _, block := range p.blocks("") {
		if text := strings.TrimSpace(block); strings.HasPrefix(text, `\b`) {
			forms++
			if got := regexp.MustCompile(text).FindString("key=" + m[1] + ";"); got != m[1] {
				t.Errorf("the form %s finds %q", text, got)
			}
		}
	}
	if forms != 2 {
		t.Errorf("the page has %d forms", forms)
	}
}
