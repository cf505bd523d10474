package main

import (
	"strconv"
	"testing"
	"time"
)

func FuzzNetworks(f *testing.F) {
	for _, in := range []string{"10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.0/33", "10.0.0.0/08", "", "localhost", "0.0.0.0/0"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		found, err := networks([]string{in})
		if err != nil {
			if found != nil {
				t.Errorf("%q: got %v beside %v", in, found, err)
			}
			return
		}
		// A client's address has no zone and is not mapped when it is compared.
		if addr := found[0].Addr(); !found[0].Contains(addr.Unmap().WithZone("")) {
			t.Errorf("%q: got %v, which does not contain its own address", in, found)
		}
		if again, err := networks([]string{found[0].String()}); err != nil || again[0] != found[0] {
			t.Errorf("%q: got %v, and of that %v, %v", in, found, again, err)
		}
	})
}

func FuzzDays(f *testing.F) {
	for _, in := range []string{"0", "30", "29", "36500", "36501", "-1", "", "90d", "9223372036854775808"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var d, again days
		if err := d.UnmarshalText([]byte(in)); err != nil {
			if d != 0 {
				t.Errorf("%q: got %v beside %v", in, time.Duration(d), err)
			}
			return
		}
		n := int(time.Duration(d).Hours() / 24)
		if err := again.UnmarshalText([]byte(strconv.Itoa(n))); err != nil || again != d || n != 0 && n < shortestRetention {
			t.Errorf("%q: got %d days, and of that %v, %v", in, n, time.Duration(again), err)
		}
	})
}
