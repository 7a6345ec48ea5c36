package web

import "latchkey/internal/access"

// RouteInfo is a route as tests see it.
type RouteInfo struct {
	Method, Path string
	Who          access.Who
}

// RouteTable returns all routes.
func RouteTable() []RouteInfo {
	var out []RouteInfo
	for _, r := range (&site{}).routes() {
		out = append(out, RouteInfo{r.method, r.path, r.policy.Who})
	}
	return out
}

// ThroughForm shows a restriction in a form and reads it from there.
func ThroughForm(r access.Restriction) (access.Restriction, error) {
	f := newForm()
	fillRestriction(f, r)
	return readRestriction(f)
}
