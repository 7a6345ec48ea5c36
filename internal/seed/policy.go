package seed

import (
	"fmt"
	"reflect"
	"strconv"

	"latchkey/internal/access"
	"latchkey/internal/apikey"
)

// policyChanges says how two policies differ.
func policyChanges(old, p apikey.Policy) []string {
	var out []string
	for _, f := range []struct {
		name     string
		old, new any
	}{
		{"default_days", old.DefaultDays, p.DefaultDays},
		{"max_days", old.MaxDays, p.MaxDays},
		{"max_overlap_days", old.MaxOverlapDays, p.MaxOverlapDays},
		{"rate_limit", old.RateLimit, p.RateLimit},
		{"allow_personal", old.AllowPersonal, p.AllowPersonal},
		{"self_rotate", old.SelfRotate, p.SelfRotate},
		{"self_revoke", old.SelfRevoke, p.SelfRevoke},
	} {
		if !reflect.DeepEqual(f.old, f.new) {
			out = append(out, arrow(f.name, rule(f.old), rule(f.new)))
		}
	}
	return out
}

// rule is one rule of a policy for people.
func rule(v any) string {
	switch v := v.(type) {
	case int:
		if v != 0 {
			return strconv.Itoa(v)
		}
	case *access.RateLimit:
		if v != nil {
			return fmt.Sprintf("%d in %d seconds", v.Requests, v.Seconds)
		}
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func violations(n int) string {
	if n == 1 {
		return "1 key does not fulfil it; latchkey key policy set --dry-run lists it"
	}
	return fmt.Sprintf("%d keys do not fulfil it; latchkey key policy set --dry-run lists them", n)
}
