package endpoint

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are
// believed. The zero value believes nobody.
type Proxies struct{ nets []netip.Prefix }

// ParseProxies reads addresses and networks, such as 10.0.0.0/8 and ::1.
func ParseProxies(list []string) (Proxies, error) {
	var p Proxies
	for _, s := range list {
		n, err := parseNet(s)
		if err != nil {
			return Proxies{}, fmt.Errorf("trusted proxy %q is neither an address nor a network", s)
		}
		p.nets = append(p.nets, n)
	}
	return p, nil
}

func parseNet(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = plain(addr)
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return n, err
	}
	if n.Addr().Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n.Masked(), nil
}

// plain writes an address in the one way that compares: IPv4 as IPv4, no zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func (p Proxies) trusts(a netip.Addr) bool {
	for _, n := range p.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Client returns the address of the client and whether the peer is a trusted
// proxy. Behind one, the client is the last address of X-Forwarded-For that is
// not itself a trusted proxy: everything left of it may be invented. The
// address is invalid when the listener is no network.
func (p Proxies) Client(r *http.Request) (client netip.Addr, proxied bool) {
	peer, ok := parseHop(r.RemoteAddr)
	if !ok || !p.trusts(peer) {
		return peer, false
	}
	client = peer
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for rest != "" {
			var hop string
			rest, hop = cutLast(rest)
			addr, ok := parseHop(hop)
			if !ok {
				return client, true
			}
			if client = addr; !p.trusts(addr) {
				return client, true
			}
		}
	}
	return client, true
}

// Secure reports whether the client speaks TLS: to us, to a trusted proxy that
// says so, or, when the proxy is unknown, to the host of an https site URL.
func (p Proxies) Secure(r *http.Request, siteURL string) bool {
	if r.TLS != nil {
		return true
	}
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		if peer, ok := parseHop(r.RemoteAddr); ok && p.trusts(peer) {
			return strings.EqualFold(proto, "https")
		}
	}
	host, ok := strings.CutPrefix(siteURL, "https://")
	if !ok {
		return false
	}
	host, _, _ = strings.Cut(host, "/")
	return strings.EqualFold(host, r.Host)
}

// cutLast takes the last item from a list with commas.
func cutLast(s string) (rest, last string) {
	i := strings.LastIndexByte(s, ',')
	if i < 0 {
		return "", strings.TrimSpace(s)
	}
	return s[:i], strings.TrimSpace(s[i+1:])
}

// parseHop reads an address with or without port and brackets.
func parseHop(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr()), true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	addr, err := netip.ParseAddr(s)
	return plain(addr), err == nil
}
