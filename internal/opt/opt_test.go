package opt_test

import (
	"encoding/json"
	"testing"

	"latchkey/internal/opt"
)

func TestThreeStates(t *testing.T) {
	type body struct {
		Name opt.Value[string] `json:"name"`
	}
	for in, want := range map[string]struct {
		set, null bool
		or, out   string
	}{
		`{}`:             {false, false, "def", `{"name":null}`},
		`{"name":null}`:  {true, true, "def", `{"name":null}`},
		`{"name":""}`:    {true, false, "", `{"name":""}`},
		`{"name":"Ada"}`: {true, false, "Ada", `{"name":"Ada"}`},
	} {
		var b body
		if err := json.Unmarshal([]byte(in), &b); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(b)
		if err != nil || string(out) != want.out || b.Name.Set != want.set || b.Name.Null != want.null || b.Name.Or("def") != want.or {
			t.Errorf("%s: %+v, %s, %v", in, b.Name, out, err)
		}
		if (b.Name.Ptr() == nil) != (want.null || !want.set) {
			t.Errorf("%s: pointer %v", in, b.Name.Ptr())
		}
	}
	if err := json.Unmarshal([]byte(`{"name":5}`), &body{}); err == nil {
		t.Error("a number was taken for text")
	}
}
