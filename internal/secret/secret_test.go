package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"latchkey/internal/secret"
)

func TestNothingPrintsASecret(t *testing.T) {
	const word = "hunter2hunter2"
	s := secret.New(word)
	type holder struct {
		Public string
		Secret secret.Text
		Ptr    *secret.Text
	}
	h := holder{"open", s, &s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", s, h, &h)
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "s", s, "h", h, "p", &h)
	}
	out.WriteString(fmt.Errorf("wrapped: %w %v", fmt.Errorf("%v", h), s).Error())
	if strings.Contains(out.String(), word) || strings.Contains(out.String(), fmt.Sprintf("%x", word)) {
		t.Errorf("the secret is in:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "open") || !strings.Contains(out.String(), secret.Hidden) {
		t.Errorf("nothing is shown at all:\n%s", out.String())
	}
}

func TestReadsAndCompares(t *testing.T) {
	var v struct{ Password secret.Text }
	if err := json.NewDecoder(bytes.NewBufferString(`{"password":"pä55"}`)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	if v.Password.Reveal() != "pä55" || v.Password.Len() != 5 || v.Password.Empty() {
		t.Errorf("read %q", v.Password.Reveal())
	}
	if !v.Password.Equal(secret.New("pä55")) || v.Password.Equal(secret.New("pä56")) || v.Password.Equal(secret.Text{}) {
		t.Error("comparison is wrong")
	}
}
