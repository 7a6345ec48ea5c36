package web

import (
	"net/url"
	"strconv"
	"strings"
)

// pageSize is how many rows a page of a list shows.
const pageSize = 50

// maxPage keeps the arithmetic of pages far from overflow.
const maxPage = 1_000_000

// list is where somebody stands in a list: what is searched, which page.
type list struct {
	Path   string
	Query  string
	Number int // of the page, from 1
	Total  int
	Extra  url.Values // further filters, kept in all addresses
}

// readList reads a list's state from the address. extra names the filters that
// the page knows besides the search.
func (p *page) readList(path string, extra ...string) list {
	q := p.r.URL.Query()
	l := list{Path: path, Query: strings.TrimSpace(q.Get("q")), Number: 1, Extra: url.Values{}}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		l.Number = min(n, maxPage)
	}
	for _, name := range extra {
		if v := q.Get(name); v != "" {
			l.Extra.Set(name, v)
		}
	}
	return l
}

// offset is how many rows are before this page.
func (l list) offset() int { return (l.Number - 1) * pageSize }

// URL returns the address of the list as it stands.
func (l list) URL() string { return l.Path + l.suffix(l.Number) }

// At returns the address of a page below the list, which finds back to the
// list as it stands.
func (l list) At(below ...any) string {
	path := l.Path
	for _, b := range below {
		switch v := b.(type) {
		case string:
			path += "/" + v
		case int64:
			path += "/" + strconv.FormatInt(v, 10)
		}
	}
	return path + l.suffix(l.Number)
}

// With returns the address of the first page with one filter changed.
func (l list) With(name, value string) string {
	extra := url.Values{}
	for k, v := range l.Extra {
		extra[k] = v
	}
	extra.Set(name, value)
	if value == "" {
		extra.Del(name)
	}
	l.Extra = extra
	return l.Path + l.suffix(1)
}

func (l list) suffix(number int) string {
	q := url.Values{}
	for k, v := range l.Extra {
		q[k] = v
	}
	if l.Query != "" {
		q.Set("q", l.Query)
	}
	if number > 1 {
		q.Set("page", strconv.Itoa(number))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Filter returns the value of a further filter.
func (l list) Filter(name string) string { return l.Extra.Get(name) }

// From and To number the rows on this page, from 1.
func (l list) From() int { return min(l.offset()+1, l.Total) }

// To numbers the last row on this page.
func (l list) To() int { return min(l.offset()+pageSize, l.Total) }

// Prev returns the address of the page before, or "".
func (l list) Prev() string {
	if l.Number <= 1 {
		return ""
	}
	return l.Path + l.suffix(l.Number-1)
}

// Next returns the address of the next page, or "".
func (l list) Next() string {
	if l.offset()+pageSize >= l.Total {
		return ""
	}
	return l.Path + l.suffix(l.Number+1)
}

// Past reports whether the page lies behind the end of the list.
func (l list) Past() bool { return l.Total > 0 && l.offset() >= l.Total }

// First returns the address of the first page.
func (l list) First() string { return l.Path + l.suffix(1) }

// Searching reports whether the list is filtered by a search.
func (l list) Searching() bool { return l.Query != "" }
