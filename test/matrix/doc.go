// Package matrix tests who may call what: every declared route, of the API and
// of the pages, by every kind of caller, as one golden table
// (testdata/routes.golden) that people review line by line.
//
// The routes of the API are those that a running server declares in
// /api/docs/openapi.json; those of the pages are web.Routes. Each cell makes a
// valid call on an object that exists, belongs to somebody else and was made
// for this cell, so that what is tested is the right to call and nothing else.
// A route without a recipe for such a call fails the test.
//
// After a deliberate change: go test ./test/matrix -update, and review the
// difference.
package matrix
