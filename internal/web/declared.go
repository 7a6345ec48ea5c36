package web

import "latchkey/internal/access"

// Declared is a page or form as the generated matrix of test/matrix sees it.
type Declared struct {
	Method string
	Path   string // in the syntax of http.ServeMux
	Policy access.Policy
}

// Routes returns every declared page and form, in the order of declaration.
func Routes() []Declared {
	var out []Declared
	for _, rt := range (&site{}).routes() {
		out = append(out, Declared{rt.method, rt.path, rt.policy})
	}
	return out
}
