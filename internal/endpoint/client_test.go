package endpoint_test

import (
	"net/http"
	"net/netip"
	"testing"

	"latchkey/internal/endpoint"
)

func TestClient(t *testing.T) {
	proxies, err := endpoint.ParseProxies([]string{"10.0.0.0/8", "::1", "::ffff:192.168.0.0/112", "203.0.113.9"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
		proxied    bool
	}{
		{"direct", "198.51.100.7:9000", nil, "198.51.100.7", false},
		{"direct client invents a header", "198.51.100.7:9000", []string{"1.2.3.4"}, "198.51.100.7", false},
		{"behind a proxy", "10.1.2.3:80", []string{"198.51.100.7"}, "198.51.100.7", true},
		{"the left is invented", "10.1.2.3:80", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7", true},
		{"two proxies", "10.1.2.3:80", []string{"1.2.3.4, 198.51.100.7, 10.9.9.9"}, "198.51.100.7", true},
		{"several lines", "10.1.2.3:80", []string{"1.2.3.4", "198.51.100.7", "10.9.9.9"}, "198.51.100.7", true},
		{"only proxies", "10.1.2.3:80", []string{"10.0.0.5, 10.0.0.6"}, "10.0.0.5", true},
		{"no header", "10.1.2.3:80", nil, "10.1.2.3", true},
		{"garbage stops the walk", "10.1.2.3:80", []string{"1.2.3.4, junk, 10.0.0.6"}, "10.0.0.6", true},
		{"empty item stops the walk", "10.1.2.3:80", []string{"1.2.3.4, "}, "10.1.2.3", true},
		{"mapped peer", "[::ffff:10.1.2.3]:80", []string{"198.51.100.7"}, "198.51.100.7", true},
		{"mapped network", "192.168.4.4:80", []string{"198.51.100.7"}, "198.51.100.7", true},
		{"mapped client", "10.1.2.3:80", []string{"::ffff:198.51.100.7"}, "198.51.100.7", true},
		{"mapped proxy in the list", "10.1.2.3:80", []string{"198.51.100.7, ::ffff:10.4.4.4"}, "198.51.100.7", true},
		{"IPv6 loopback", "[::1]:80", []string{"2001:db8::5"}, "2001:db8::5", true},
		{"brackets and port", "[::1]:80", []string{"[2001:db8::5]:4711"}, "2001:db8::5", true},
		{"brackets", "[::1]:80", []string{"[2001:db8::5]"}, "2001:db8::5", true},
		{"port", "[::1]:80", []string{"198.51.100.7:4711"}, "198.51.100.7", true},
		{"zone", "[fe80::1%eth0]:80", []string{"1.2.3.4"}, "fe80::1", false},
		{"single address", "203.0.113.9:1", []string{"198.51.100.7"}, "198.51.100.7", true},
		{"its neighbour", "203.0.113.8:1", []string{"198.51.100.7"}, "203.0.113.8", false},
		{"unix socket", "@", []string{"1.2.3.4"}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
			var want netip.Addr
			if tt.want != "" {
				want = netip.MustParseAddr(tt.want)
			}
			if got, proxied := proxies.Client(r); got != want || proxied != tt.proxied {
				t.Errorf("got %v %v, want %v %v", got, proxied, want, tt.proxied)
			}
		})
	}
}

func TestParseProxiesRefusesJunk(t *testing.T) {
	for _, s := range []string{"", "proxy.example", "10.0.0.0/99", "10.0.0.1:80"} {
		if _, err := endpoint.ParseProxies([]string{s}); err == nil {
			t.Errorf("%q passed", s)
		}
	}
}
