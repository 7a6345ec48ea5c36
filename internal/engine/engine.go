package engine

import (
	"context"
	"time"

	"latchkey/internal/secret"
)

// Driver opens databases of one kind.
type Driver interface {
	// Name is the kind's stable name, such as sqlite.
	Name() string
	// Options are all connection options there are. Open refuses others.
	Options() []Option
	// Features are the abilities that clients ask for (contract/content-data.md 6.1).
	Features() []string
	// Open prepares a database. It connects on first use, so that a database
	// that is away does not stop the server. It returns an Invalid fault for
	// options that are missing, unknown or not allowed.
	Open(d Details) (Database, error)
}

// Option is one connection option.
type Option struct {
	Name     string
	Doc      string
	Required bool
	Secret   bool // sealed when stored, and never shown
}

// Details are the connection options of one database, by name.
type Details map[string]secret.Text

// Get returns an option, "" when it is not given.
func (d Details) Get(name string) string { return d[name].Reveal() }

// Database is a customer's database, only ever read. It is safe for concurrent
// use. Its errors are *Error.
type Database interface {
	Dialect() Dialect
	// Check connects and reports what is wrong.
	Check(ctx context.Context) error
	// Version says what answers there.
	Version(ctx context.Context) (Version, error)
	// Describe returns all tables and views that a query may name.
	Describe(ctx context.Context) ([]Table, error)
	// Query runs one statement that reads. The end of ctx interrupts it at any
	// time, also between two rows. The caller closes the rows.
	Query(ctx context.Context, q Statement) (Rows, error)
	// Close ends all connections.
	Close() error
}

// Dialect is how a database writes SQL.
type Dialect interface {
	// Placeholder stands for the n-th argument, counted from 1.
	Placeholder(n int) string
	// Quote writes a name, or several that are joined by dots.
	Quote(names ...string) string
	// DateArg is the argument that stands for a day.
	DateArg(day time.Time) any
	// TimeArg is the argument that stands for a moment.
	TimeArg(at time.Time) any
}

// Statement is SQL with its arguments.
type Statement struct {
	SQL  string
	Args []any
}

// Version is the product and release of a database.
type Version struct {
	Flavor  string
	Version string
	Numbers []int
}

// Table describes a table or view.
type Table struct {
	Schema  string // "" where there are none
	Name    string
	View    bool
	Columns []Column
	Keys    []ForeignKey
}

// Column describes a column of a table, or of a result.
type Column struct {
	Name       string
	NativeType string // as the database writes it, "" when it does not say
	Type       BaseType
	Required   bool // no default, and not null
	PrimaryKey bool
	Source     *Source // of a result's column: what it is read from, when that is plain
}

// Source is a column of a table.
type Source struct{ Schema, Table, Column string }

// ForeignKey says that a column holds the keys of another table.
type ForeignKey struct{ Column, ToSchema, ToTable, ToColumn string }

// Rows are the result of a query, one row at a time.
type Rows interface {
	// Columns returns the columns. The type of one that the database does not
	// declare is Unknown.
	Columns() []Column
	// Next returns the next row, or io.EOF after the last. The slice is valid
	// until the next call. Values are nil, bool, int64, float64, string,
	// []byte, Date, time.Time or *big.Int and *big.Rat for what is larger.
	Next() ([]any, error)
	// Close frees the connection. It may be called more than once.
	Close() error
}

// Date is a calendar day without a time.
type Date struct{ time.Time }
