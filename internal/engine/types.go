package engine

import (
	"math/big"
	"time"
)

// BaseType is the type of a column in Metabase's hierarchy, which is also how
// results and cards store it (contract/content-data.md 6.3).
type BaseType string

// The types.
const (
	Unknown    BaseType = "type/*"
	Integer    BaseType = "type/Integer"
	BigInteger BaseType = "type/BigInteger"
	Float      BaseType = "type/Float"
	Decimal    BaseType = "type/Decimal"
	Boolean    BaseType = "type/Boolean"
	Text       BaseType = "type/Text"
	Day        BaseType = "type/Date"
	DateTime   BaseType = "type/DateTime"
	DateTimeTZ BaseType = "type/DateTimeWithLocalTZ"
	Time       BaseType = "type/Time"
	Bytes      BaseType = "type/*"
)

// Numeric reports whether values of the type are numbers.
func (t BaseType) Numeric() bool {
	return t == Integer || t == BigInteger || t == Float || t == Decimal
}

// Temporal reports whether values of the type are days or moments.
func (t BaseType) Temporal() bool { return t == Day || t == DateTime || t == DateTimeTZ }

// TypeOf returns the type of a value that comes from a column whose type the
// database does not declare, Unknown for nil.
func TypeOf(v any) BaseType {
	switch v.(type) {
	case bool:
		return Boolean
	case int64:
		return Integer
	case float64:
		return Float
	case *big.Int:
		return BigInteger
	case *big.Rat:
		return Decimal
	case string:
		return Text
	case Date:
		return Day
	case time.Time:
		return DateTime
	}
	return Unknown
}
