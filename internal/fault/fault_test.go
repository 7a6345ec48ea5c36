package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"latchkey/internal/fault"
)

func TestFault(t *testing.T) {
	cause := errors.New("disk full")
	if fault.Wrap(nil, "write") != nil {
		t.Error("wrapping nil is an error")
	}
	wrapped := fmt.Errorf("outer: %w", fault.Wrap(cause, "write"))
	if f := fault.As(wrapped); f.Kind != fault.Internal || f.Message != "" || !errors.Is(wrapped, cause) {
		t.Errorf("%+v", f)
	}
	if f := fault.As(cause); f.Kind != fault.Internal || !errors.Is(f, cause) {
		t.Errorf("a plain error: %+v", f)
	}
	taken := fmt.Errorf("create: %w", fault.Field("name", "%q is taken", "ci"))
	if !fault.Is(taken, fault.Invalid) || fault.Is(taken, fault.Conflict) || fault.Is(nil, fault.Internal) {
		t.Error("kinds are mixed up")
	}
	if got := fault.As(taken).Error(); got != `invalid; name: "ci" is taken` {
		t.Error(got)
	}
	if fault.As(nil) != nil {
		t.Error("no error became a fault")
	}
}
