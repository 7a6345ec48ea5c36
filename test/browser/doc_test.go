// Package browser_test uses the pages as a person does: in a real browser,
// against the built binary, by the roles and labels that a person (or a screen
// reader) reads. Only window_test.go knows chromedp; the tests know labels.
//
// Owns: the walk through the guide, the other pages, and the pictures of
// docs/images (see picture_test.go). Does not own: pages by their HTML
// (internal/web) and the wire (test/matrix, internal/api).
package browser_test
