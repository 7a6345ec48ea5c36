package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// guard gives a connection an authorizer that lets the next statement read and
// nothing else, as j decides.
func guard(conn any, j *judge) error {
	g, ok := conn.(sqlite.AuthorizerRegisterer)
	if !ok {
		return errors.New("sqlite: the driver has no authorizer")
	}
	return g.RegisterAuthorizer(j.authorize)
}

// How many functions a statement may call that make large values of nothing,
// that make them of others, and that search them, each as often as it stands
// there.
const (
	maxBlobs    = 4
	maxMakers   = 50
	maxSearches = 500
)

// judge is what is known of a statement while it is compiled.
type judge struct {
	blobs, makers, searches int
	refusal                 string // what to tell whoever wrote the statement, once it is refused
}

// authorize notes why it refuses: SQLite itself says "not authorized".
func (j *judge) authorize(action sqlite.AuthorizerActionCode, arg1, arg2, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRecursive:
		return sqlite.AuthorizerOK
	case sqlite.AuthRead:
		if hiddenTables[strings.ToLower(arg1)] {
			return j.refuse("The table %s cannot be read here.", arg1)
		}
		return sqlite.AuthorizerOK
	case sqlite.AuthFunction:
		return j.function(strings.ToLower(arg2))
	case sqlite.AuthPragma:
		if describing[strings.ToLower(arg1)] {
			return sqlite.AuthorizerOK
		}
		return j.refuse("The pragma %s cannot be used here.", arg1)
	}
	return j.refuse("This database is read-only here: write a SELECT.")
}

func (j *judge) refuse(format string, args ...any) sqlite.AuthorizerReturnCode {
	j.refusal = fmt.Sprintf(format, args...)
	return sqlite.AuthorizerDeny
}

func (j *judge) function(name string) sqlite.AuthorizerReturnCode {
	if hiddenFunctions[name] || strings.HasPrefix(name, "geopoly_") {
		return j.refuse("The function %s cannot be used here.", name)
	}
	switch {
	case name == "like" || name == "glob":
		j.searches++
	case name == "randomblob" || name == "zeroblob":
		j.blobs++
	case makers[name]:
		j.makers++
	}
	switch {
	case j.blobs > maxBlobs:
		return j.refuse("One statement may call randomblob and zeroblob %d times.", maxBlobs)
	case j.makers > maxMakers:
		return j.refuse("One statement may call hex, quote, printf and format %d times: use fewer, or several statements.", maxMakers)
	case j.searches > maxSearches:
		return j.refuse("One statement may use LIKE and GLOB %d times: use fewer, or several statements.", maxSearches)
	}
	return sqlite.AuthorizerOK
}

// makers make large values of small ones.
var makers = map[string]bool{"hex": true, "quote": true, "printf": true, "format": true}

// hiddenTables show more than what the tables of the file hold.
var hiddenTables = map[string]bool{"sqlite_dbpage": true, "sqlite_stmt": true, "sqlite_memstat": true, "dbstat": true, "fts3tokenize": true}

// hiddenFunctions reach beyond the file, tell about the process, or take a time
// that nothing bounds; so do those that begin with geopoly_.
var hiddenFunctions = map[string]bool{
	"load_extension": true, "fts3_tokenizer": true, "readfile": true, "writefile": true, "edit": true, "sqlite_log": true,
	"rtreecheck": true, "rtreenode": true,
}

// describing are the pragmas that describe tables. None of them takes a value
// that changes anything.
var describing = map[string]bool{
	"table_info": true, "table_xinfo": true, "table_list": true,
	"index_list": true, "index_info": true, "index_xinfo": true, "foreign_key_list": true,
}

// plain strips what the driver adds to a message of SQLite.
func plain(s string) string {
	s = strings.TrimPrefix(s, "SQL logic error: ")
	if i := strings.LastIndex(s, " ("); i > 0 && strings.HasSuffix(s, ")") {
		s = s[:i]
	}
	return s
}
