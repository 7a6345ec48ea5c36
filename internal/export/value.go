package export

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/engine"
)

// Text writes a value for programs. Null is an empty text.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return Float(v)
	case engine.Date:
		return v.Format(time.DateOnly)
	case time.Time:
		return v.Format("2006-01-02T15:04:05.999999")
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case *big.Int:
		return v.String()
	case *big.Rat:
		return rat(v)
	}
	return ""
}

// Float writes a number in the shortest way that reads back as the same.
func Float(f float64) string {
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// maxScale is how many digits of a fraction without an end are written.
const maxScale = 38

func rat(r *big.Rat) string {
	if n, exact := r.FloatPrec(); exact && n <= maxScale {
		return r.FloatString(n)
	}
	return strings.TrimRight(r.FloatString(maxScale), "0")
}

// Format writes a value for people.
func Format(v any) string {
	switch v := v.(type) {
	case int64:
		return grouped(strconv.FormatInt(v, 10))
	case float64:
		return grouped(strconv.FormatFloat(v, 'f', decimals(v), 64))
	case engine.Date:
		return v.Format("January 2, 2006")
	case time.Time:
		return v.Format("January 2, 2006, 3:04 PM")
	}
	return Text(v)
}

// decimals is two, or none for whole numbers.
func decimals(f float64) int {
	if f == math.Trunc(f) {
		return 0
	}
	return 2
}

// grouped puts a comma behind every three digits before the point.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, rest, point := strings.Cut(s, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	if point {
		b.WriteString("." + rest)
	}
	return b.String()
}
