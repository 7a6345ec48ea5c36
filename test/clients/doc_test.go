// Package clients_test runs programs that other people wrote for Metabase,
// unchanged, against the built binary: they must not notice the difference.
//
// The clients are pinned in package-lock.json and installed from there into
// the user's cache directory; none of them is part of this repository.
package clients_test
