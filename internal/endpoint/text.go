package endpoint

import (
	"strings"
	"unicode/utf8"
)

// cleanText reports whether a text can be stored everywhere: PostgreSQL takes
// neither U+0000 nor bytes that are not UTF-8.
func cleanText(s string) bool {
	return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s)
}

// cleanValue reports the same of every text and key in a decoded JSON value.
func cleanValue(v any) bool {
	switch v := v.(type) {
	case string:
		return cleanText(v)
	case []any:
		for _, item := range v {
			if !cleanValue(item) {
				return false
			}
		}
	case map[string]any:
		for key, item := range v {
			if !cleanText(key) || !cleanValue(item) {
				return false
			}
		}
	}
	return true
}

// maxEmail is the longest address that mail servers carry (RFC 5321).
const maxEmail = 254

// isEmail reports whether s looks like an address that can be mailed to:
// name@host.domain, in ASCII, without quoting.
func isEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	if !ok || len(s) > maxEmail || !dotted(name, emailNameByte) || !strings.Contains(host, ".") {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return dotted(host, hostByte)
}

// dotted reports whether s is one or more non-empty runs of good bytes, with a
// dot between them.
func dotted(s string, good func(byte) bool) bool {
	for run := range strings.SplitSeq(s, ".") {
		if run == "" {
			return false
		}
		for i := range len(run) {
			if !good(run[i]) {
				return false
			}
		}
	}
	return true
}

func hostByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-'
}

func emailNameByte(b byte) bool {
	return hostByte(b) || strings.IndexByte("!#$%&'*+/=?^_`{|}~", b) >= 0
}
