package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/internal/engine"
	"latchkey/internal/fault"
)

// Name is the stable name of this kind of database.
const Name = "sqlite"

// Driver opens SQLite files.
type Driver struct {
	// Files and the files in Dirs may be opened, and none else, whatever links
	// lead there: the data directory holds our own database too.
	Files []string
	Dirs  []string
}

// Name implements engine.Driver.
func (Driver) Name() string { return Name }

// optionFile names the file.
const optionFile = "db"

// Options implements engine.Driver.
func (Driver) Options() []engine.Option {
	return []engine.Option{{Name: optionFile, Required: true, Doc: "Path of the SQLite file on the server."}}
}

// Features implements engine.Driver.
func (Driver) Features() []string {
	return []string{"native-parameters", "native-parameter-card-reference", "parameterized-sql", "describe-fks", "metadata/key-constraints"}
}

// Open implements engine.Driver.
func (d Driver) Open(details engine.Details) (engine.Database, error) {
	for name := range details {
		if name != optionFile {
			return nil, fault.Field(name, "is not an option of %s.", Name)
		}
	}
	path, err := d.allowed(details.Get(optionFile))
	if err != nil {
		return nil, err
	}
	return newDatabase(path)
}

// allowed resolves a path, with all its links, and refuses it outside of Dirs.
func (d Driver) allowed(path string) (string, error) {
	if path == "" {
		return "", fault.Field(optionFile, "value must be the path of a SQLite file.")
	}
	refused := fault.Field(optionFile, "value must be a SQLite file in a directory that this server may read.")
	if strings.ContainsAny(path, "\x00") {
		return "", refused
	}
	real, err := realPath(path)
	if err != nil {
		return "", refused
	}
	if slices.ContainsFunc(d.Files, func(file string) bool { f, err := realPath(file); return err == nil && f == real }) {
		return real, nil
	}
	inside := slices.ContainsFunc(d.Dirs, func(dir string) bool {
		root, err := realPath(dir)
		if err != nil {
			return false
		}
		rel, err := filepath.Rel(root, real)
		return err == nil && filepath.IsLocal(rel) && rel != "."
	})
	if !inside {
		return "", refused
	}
	return real, nil
}

// realPath returns an absolute path without links. The file itself need not be
// there yet, but its directory must.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	if _, err := os.Lstat(abs); err == nil {
		return "", fs.ErrInvalid // a link that leads nowhere, for now
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	return filepath.Join(dir, filepath.Base(abs)), err
}
