package address_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/address"
)

func TestMailbox(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"ann@x.org": "ann@x.org", "ann+tag@x.org": "ann@x.org", "ann+a+b@x.org": "ann@x.org", "+ann@x.org": "+ann@x.org",
		"a.nn@x.org": "a.nn@x.org", "a.n.n+tag@gmail.com": "ann@gmail.com", "ann@googlemail.com": "ann@gmail.com", "ann": "ann",
	} {
		if got := address.Mailbox(key); got != want {
			t.Errorf("Mailbox(%q) = %q, want %q", key, got, want)
		}
	}
	if address.Hash("ann@x.org") == address.Hash("bob@x.org") {
		t.Error("a hash does not tell addresses apart")
	}
}
