// Package web is the pages: what a person sees in a browser.
//
// Owns: the table of pages with their policies, forms and their errors at the
// field, templates, static assets, the security headers of pages. Does not
// own: any rule of the domain (handlers parse, call, render), who is signed in
// and the session cookie (package server passes both in), the API.
//
// A page is a plain form and a full load. JavaScript only adds to that:
// searching while one types (htmx), native dialogs, copying a key. A dialog is
// a page with an address of its own, shown over the list it belongs to.
package web
