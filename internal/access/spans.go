package access

import (
	"net/netip"
	"slices"
)

// spans are ranges of addresses, sorted and apart, so that a long list costs
// no more than a short one.
type spans []span

type span struct{ first, last netip.Addr }

// newSpans makes ranges of networks that parseNet reads.
func newSpans(nets []string) spans {
	var all spans
	for _, s := range nets {
		if n, err := parseNet(s); err == nil {
			all = append(all, span{n.Addr(), lastOf(n)})
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.first.Compare(b.first) })
	var out spans
	for _, s := range all {
		if n := len(out); n > 0 && s.first.Compare(out[n-1].last) <= 0 {
			if s.last.Compare(out[n-1].last) > 0 {
				out[n-1].last = s.last
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// lastOf returns the highest address of a network.
func lastOf(n netip.Prefix) netip.Addr {
	raw := n.Addr().AsSlice()
	for bit := n.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(raw) // as long as it came
	return last
}

// contains reports whether an address is in a range. IPv4 in IPv6 is IPv4.
func (s spans) contains(addr netip.Addr) bool {
	if !addr.IsValid() {
		return false
	}
	return s.holds(span{addr.Unmap().WithZone(""), addr.Unmap().WithZone("")})
}

// holds reports whether one of the ranges holds all of another.
func (s spans) holds(other span) bool {
	low, high := 0, len(s)
	for low < high { // the first range that begins after the other
		if mid := (low + high) / 2; s[mid].first.Compare(other.first) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low > 0 && s[low-1].last.Compare(other.last) >= 0 && s[low-1].last.BitLen() == other.last.BitLen()
}
