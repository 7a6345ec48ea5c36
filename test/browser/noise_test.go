package browser_test

import (
	"strings"
	"testing"
)

// TestNoise makes sure that the tests would hear a page that breaks its content
// security policy, fails in a script or lacks a file.
func TestNoise(t *testing.T) {
	together(t)
	_, w := signedIn(t)
	ask[bool](w, `document.body.insertAdjacentHTML("beforeend", "<img src=/nothing.png onerror='x()'><p style='color: red'>"),
		setTimeout(() => { throw new Error("on purpose") }), true`)
	for _, want := range []string{`policy violation:" "script-src-attr"`, `policy violation:" "style-src-attr"`, "on purpose", "404"} {
		w.eventually("the complaint "+want, func() bool {
			return strings.Contains(strings.Join(w.noise.unexpected(), "\n"), want)
		})
	}
	w.expects("") // all of it
}
