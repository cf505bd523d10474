package server

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/limit"
)

func TestClientAddresses(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		connection string
		forwarded  []string
		want       string
	}{
		{"192.0.2.7:4711", nil, "192.0.2.7"},
		{"192.0.2.7:4711", []string{"203.0.113.9"}, "192.0.2.7"}, // nobody's proxy: a claim
		{"10.1.2.3:4711", nil, "10.1.2.3"},
		{"10.1.2.3:4711", []string{"203.0.113.9"}, "203.0.113.9"},
		{"[::1]:4711", []string{"203.0.113.9"}, "203.0.113.9"},
		{"[::ffff:10.1.2.3]:4711", []string{"203.0.113.9"}, "203.0.113.9"},
		{"10.1.2.3:4711", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"}, // what the client claims
		{"10.1.2.3:4711", []string{"1.1.1.1", "203.0.113.9, 10.9.9.9"}, "203.0.113.9"},
		{"10.1.2.3:4711", []string{"10.9.9.9"}, "10.9.9.9"},
		{"10.1.2.3:4711", []string{"nonsense"}, "10.1.2.3"},
		{"10.1.2.3:4711", []string{"203.0.113.9, nonsense"}, "10.1.2.3"},
		{"10.1.2.3:4711", []string{""}, "10.1.2.3"},
		{"10.1.2.3:4711", []string{"2001:db8::1"}, "2001:db8::1"},
		// HARD-23: with a port
		{"10.1.2.3:4711", []string{"203.0.113.9:51234"}, "203.0.113.9"},
		{"10.1.2.3:4711", []string{"1.1.1.1, 203.0.113.9:51234, 10.9.9.9:80"}, "203.0.113.9"},
		{"10.1.2.3:4711", []string{"[2001:db8::1]:51234"}, "2001:db8::1"},
		{"10.1.2.3:4711", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"10.1.2.3:4711", []string{"203.0.113.9:port"}, "10.1.2.3"},
		{"10.1.2.3:4711", []string{"[2001:db8::1"}, "10.1.2.3"},
		// HARD-7: a zone can be any text
		{"10.1.2.3:4711", []string{"fe80::1%" + strings.Repeat("\xff", 9000)}, "fe80::1"},
		{"10.1.2.3:4711", []string{"[fe80::1%\xff]:80"}, "fe80::1"},
		{"[::1%lo]:4711", []string{"203.0.113.9"}, "203.0.113.9"}, // HARD-13
		{"@", nil, "@"},
	} {
		r := &http.Request{RemoteAddr: c.connection, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := clientIP(r, trusted); got != c.want {
			t.Errorf("%s %q: got %s, want %s", c.connection, c.forwarded, got, c.want)
		}
	}
}

func TestRateLimitSettings(t *testing.T) {
	t.Parallel()
	l, err := DefaultRateLimits().With("inviter=600/1h", "client=off", "sign-in=5/90s")
	want := DefaultRateLimits()
	want.Inviter, want.Client, want.SignIn = limit.Rule{N: 600, Per: time.Hour}, limit.Rule{}, limit.Rule{N: 5, Per: 90 * time.Second}
	if err != nil || l != want {
		t.Errorf("got %+v, %v, want %+v", l, err, want)
	}
	if l, err := DefaultRateLimits().With("off"); err != nil || l != (RateLimits{}) {
		t.Errorf("off: got %+v, %v, want none", l, err)
	}
	for _, bad := range []string{"", "nobody=1/1h", "inviter", "inviter=", "inviter=0/1h", "inviter=-1/1h", "inviter=1", "inviter=1/h", "inviter=1/1ms", "inviter=x/1h", "client=9999999999/1s"} {
		if l, err := DefaultRateLimits().With(bad); err == nil || !strings.Contains(err.Error(), "rate limit") {
			t.Errorf("%q: got %+v, %v, want it refused", bad, l, err)
		}
	}
}
