package browser_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"latchkey/internal/access"
	"latchkey/internal/apptest"
)

// update says to take the pictures of the documentation anew (make
// screenshots); otherwise none are taken.
var update = flag.Bool("update", false, "write the pictures that the documentation shows to docs/images, or all to $LATCHKEY_SCREENSHOTS")

// album is where a test puts its pictures.
type album struct {
	dir  string
	only []string // the pictures it takes; nil for all
}

// published reports whether the pictures are for people to look at.
func published() bool { return *update || os.Getenv("LATCHKEY_SCREENSHOTS") != "" }

// together lets a test run beside others. Those that copy in their own way do
// not, for there is one clipboard, and none while pictures are taken, for which
// the server has one port.
func together(t *testing.T) {
	t.Helper()
	if !published() {
		t.Parallel()
	}
}

// newAlbum returns the album of the documentation, or one that takes no
// pictures and looks only whether pages fit the screen.
func newAlbum(t *testing.T) album {
	t.Helper()
	dir := os.Getenv("LATCHKEY_SCREENSHOTS")
	var only []string
	if !published() {
		return album{}
	}
	if dir == "" {
		root, err := apptest.Root()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(root, "docs", "images")
		only = inDocs(t, root)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return album{dir, only}
}

// inDocs returns the names of the pictures that the documentation shows.
func inDocs(t *testing.T, root string) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pictureLink.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

var pictureLink = regexp.MustCompile(`images/([a-z-]+)\.png\)`)

// options starts the server of published pictures on the port that the
// documentation names.
func (album) options() apptest.Options {
	if published() {
		return apptest.Options{Listen: "127.0.0.1:3000"}
	}
	return apptest.Options{}
}

// heaviest is what a picture may weigh in the repository.
const heaviest = 60_000

// take writes a picture of what the window shows.
func (a album) take(w *window, name string) {
	w.t.Helper()
	if a.only != nil && !slices.Contains(a.only, name) {
		return
	}
	w.fits()
	if !published() {
		return
	}
	raw, err := lighter(w.picture())
	w.must(err)
	if len(raw) > heaviest {
		w.t.Errorf("the picture %s has %d bytes", name, len(raw))
	}
	w.must(os.WriteFile(filepath.Join(a.dir, name+".png"), raw, 0o644))
}

// lighter rewrites a picture with the 256 colours that it has most of. The
// others, shades at the edges of letters, become the nearest of those.
func lighter(raw []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	size := src.Bounds()
	count := map[color.RGBA]int{}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			count[color.RGBAModel.Convert(src.At(x, y)).(color.RGBA)]++
		}
	}
	var common []color.RGBA
	for c := range count {
		common = append(common, c)
	}
	slices.SortFunc(common, func(a, b color.RGBA) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return bytes.Compare([]byte{a.R, a.G, a.B}, []byte{b.R, b.G, b.B})
	})
	var palette color.Palette
	for _, c := range common[:min(256, len(common))] {
		palette = append(palette, c)
	}
	dst := image.NewPaletted(size, palette)
	draw.Draw(dst, size, src, size.Min, draw.Src)
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, dst)
	return out.Bytes(), err
}

// shop fills a server with what a small shop would have.
func shop(s *apptest.Server) (groups map[string]int64, person int64) {
	groups = map[string]int64{"Administrators": access.Administrators, "All Users": access.AllUsers}
	for _, name := range []string{"Analysts", "Data engineering", "Mobile app", "Nightly jobs"} {
		groups[name] = s.Group(name)
	}
	for _, k := range [][2]string{
		{"dbt on CI", "Data engineering"}, {"Grafana panels", "Analysts"}, {"mobile backend", "Mobile app"},
		{"nightly-export", "Nightly jobs"}, {"stock report", "Nightly jobs"}, {"terraform", "Administrators"},
	} {
		s.Key(k[0], groups[k[1]])
	}
	for _, p := range [][]string{
		{"Bo", "Karlsson", "Analysts"}, {"Chidi", "Okafor", "Data engineering", "Nightly jobs"},
		{"Dana", "Levi", "Mobile app"}, {"Fatima", "Zahra"}, {"Grace", "Hopper", "Analysts", "Data engineering"},
	} {
		members := []map[string]any{{"id": access.AllUsers}}
		for _, name := range p[2:] {
			members = append(members, map[string]any{"id": groups[name]})
		}
		var u struct{ ID int64 }
		s.Admin(200, &u, "POST", "/api/user", map[string]any{
			"first_name": p[0], "last_name": p[1], "email": fmt.Sprintf("%s@example.com", p[0]), "user_group_memberships": members,
		})
		person = u.ID
	}
	return groups, person
}

// Browsers that somebody is signed in with.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
)

// TestPictures takes the pictures of lists and of pages for which the walks
// have too little to show. It has looked at every page once when it is done.
func TestPictures(t *testing.T) {
	together(t)
	shots := newAlbum(t)
	s := started(t, shots)
	groups, person := shop(s)
	w := open(t, s, "/auth/login")
	w.fill("E-mail", apptest.AdminEmail)
	shots.take(w, "sign-in")
	w.visit("/auth/login")
	w.signIn(apptest.AdminEmail, apptest.AdminPassword)
	s.Want(204, nil, "DELETE", "/api/session", nil, "X-Metabase-Session", s.Session)
	for _, agent := range []string{firefox, iphone} {
		s.Want(200, nil, "POST", "/api/session", map[string]any{"username": apptest.AdminEmail, "password": apptest.AdminPassword}, "User-Agent", agent)
	}

	pages := []struct{ name, path string }{
		{"api-keys", addressOfKeys},
		{"people", "/admin/people"},
		{"person", fmt.Sprintf("/admin/people/user/%d", person)},
		{"groups", "/admin/people/groups"},
		{"group", fmt.Sprintf("/admin/people/groups/%d", groups["Data engineering"])},
		{"delete-group", fmt.Sprintf("/admin/people/groups/%d/delete", groups["Nightly jobs"])},
		{"settings-general", "/admin/settings/general"},
		{"account", "/account/profile"},
		{"account-sessions", "/account/sessions"},
	}
	for _, p := range pages {
		w.visit(p.path)
		shots.take(w, p.name)
	}
	w.colours("dark")
	for _, p := range []struct{ name, path string }{
		{"dark-api-keys", addressOfKeys}, {"dark-create-api-key", addressOfKeys + "/new"}, {"dark-home", "/"},
	} {
		w.visit(p.path)
		shots.take(w, p.name)
	}
	w.colours("light")
	w.size(400, 900)
	for _, p := range []struct{ name, path string }{
		{"narrow-api-keys", addressOfKeys}, {"narrow-create-api-key", addressOfKeys + "/new"},
		{"narrow-people", "/admin/people"}, {"narrow-home", "/"},
	} {
		w.visit(p.path)
		shots.take(w, p.name)
	}
}
