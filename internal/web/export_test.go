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
