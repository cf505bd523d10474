package invite

import (
	"net/url"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

func TestTheTokenOfALinkReachesNoServer(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://convoke.example":         "https://convoke.example/accept#token",
		"https://convoke.example/people/": "https://convoke.example/people/accept#token",
	} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Service{PublicURL: u}).link("token"); got != want {
			t.Errorf("%s: got %s, want %s", base, got, want)
		}
	}
}

func TestRoleNames(t *testing.T) {
	t.Parallel()
	roles := &ent.Invitation{}
	roles.Edges.Roles = []*ent.Role{{Name: "Billing"}, {Name: "Viewer"}}
	all := &ent.Invitation{AllPermissions: true}
	for _, c := range []struct {
		i    *ent.Invitation
		want []string
	}{
		{&ent.Invitation{Permissions: []string{"members.read"}}, []string{}},
		{roles, []string{"Billing", "Viewer"}},
		{all, []string{"All permissions"}},
	} {
		if got := roleNames(c.i); !slices.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

func TestAMismatchNamesTheViewerAndMasksTheAddressee(t *testing.T) {
	t.Parallel()
	err := mismatch(&ent.Invitation{Email: "olivia@acme.test"}, &access.Viewer{Email: "mallory@evil.test"})
	want := "EMAIL_MISMATCH: This invitation is for o•••@a•••.test; you are signed in as mallory@evil.test."
	if !fault.Is(err, fault.EmailMismatch) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEveryEndSaysWhyNoMailWentOut(t *testing.T) {
	t.Parallel()
	for _, s := range []lifecycle.Status{lifecycle.Accepted, lifecycle.Declined, lifecycle.Revoked, lifecycle.Expired} {
		if notNeeded[s] == "" {
			t.Errorf("%s has no reason", s)
		}
	}
}
