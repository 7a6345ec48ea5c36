package naming_test

import (
	"strings"
	"testing"

	"latchkey/internal/fault"
	"latchkey/internal/naming"
)

func TestCheck(t *testing.T) {
	for s, want := range map[string]string{
		"ci": "", "Zoë & 李": "", strings.Repeat("é", 10): "", " padded ": "",
		"": "non-blank", " \t": "non-blank", "\u00a0": "non-blank",
		"a\x00b": "control", "a\nb": "control", "a\x7f": "control", "\xff": "control",
		strings.Repeat("é", 11): "at most 10",
	} {
		err := naming.Check("name", s, 10)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(fault.As(err).Fields["name"], want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
}
