package sqlite

import (
	"errors"
	"strings"

	"modernc.org/sqlite"
)

// guard gives a connection an authorizer that lets the next statement read and
// nothing else.
func guard(conn any) error {
	g, ok := conn.(sqlite.AuthorizerRegisterer)
	if !ok {
		return errors.New("sqlite: the driver has no authorizer")
	}
	return g.RegisterAuthorizer((&judge{}).authorize)
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
type judge struct{ blobs, makers, searches int }

func (j *judge) authorize(action sqlite.AuthorizerActionCode, arg1, arg2, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRecursive:
		return sqlite.AuthorizerOK
	case sqlite.AuthRead:
		if hiddenTables[strings.ToLower(arg1)] {
			return sqlite.AuthorizerDeny
		}
		return sqlite.AuthorizerOK
	case sqlite.AuthFunction:
		return j.function(strings.ToLower(arg2))
	case sqlite.AuthPragma:
		if describing[strings.ToLower(arg1)] {
			return sqlite.AuthorizerOK
		}
	}
	return sqlite.AuthorizerDeny
}

func (j *judge) function(name string) sqlite.AuthorizerReturnCode {
	if hiddenFunctions[name] || strings.HasPrefix(name, "geopoly_") {
		return sqlite.AuthorizerDeny
	}
	switch {
	case name == "like" || name == "glob":
		j.searches++
	case name == "randomblob" || name == "zeroblob":
		j.blobs++
	case makers[name]:
		j.makers++
	}
	if j.blobs > maxBlobs || j.makers > maxMakers || j.searches > maxSearches {
		return sqlite.AuthorizerDeny
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
