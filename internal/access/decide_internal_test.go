package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
)

// held spells out the grants of a decision.
func held(d *Decision) (grants []string) {
	for _, h := range d.GrantedBy() {
		text := string(h.Kind)
		if h.Group != nil {
			text += " " + h.Group.Name
		}
		if h.Role != nil {
			text += " " + h.Role.Name
		}
		grants = append(grants, text+" "+h.Permission)
	}
	return grants
}

func TestDecide(t *testing.T) {
	t.Parallel()
	catalogue, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	l := Loader{Catalogue: catalogue}
	billing, approver, crew := &ent.Role{Name: "Billing"}, &ent.Role{Name: "Approver"}, &ent.Group{Name: "Crew"}
	member := func(change func(*Membership)) *Membership {
		m := &Membership{UserID: "me", active: true, sources: []source{
			{kind: Directly, holds: NewSet("orders.read", "billing.read")},
			{kind: ByRole, role: billing, holds: NewSet("billing.read", "billing.refund")},
			{kind: ByGroup, role: approver, group: crew, holds: NewSet("certificates.approve:own")},
		}}
		if change != nil {
			change(m)
		}
		l.sum(m)
		return m
	}
	tree := map[string]string{"north": "", "city": "north", "shop": "city", "south": ""}
	restricted := func(m *Membership) { m.divisions, m.parents = []string{"city"}, tree }
	for _, tt := range []struct {
		rule   string
		change func(*Membership)
		q      Question
		want   []string // empty = no
		reason string
	}{
		{"a role", nil, Question{Permission: "billing.refund"}, []string{"ROLE Billing billing.refund"}, "by the role Billing"},
		{"a direct permission", nil, Question{Permission: "orders.read"}, []string{"DIRECT orders.read"}, "directly"},
		{"two ways", nil, Question{Permission: "billing.read"}, []string{"DIRECT billing.read", "ROLE Billing billing.read"}, "2 times"},
		{"nothing", nil, Question{Permission: "orders.manage"}, nil, "holds orders.manage"},
		{"one's own resource", nil, Question{Permission: "certificates.approve", ResourceOwnerID: "me"}, []string{"GROUP Crew Approver certificates.approve:own"}, "by the group Crew"},
		{"somebody else's resource", nil, Question{Permission: "certificates.approve", ResourceOwnerID: "you"}, nil, "of their own"},
		{"nobody's resource", nil, Question{Permission: "certificates.approve"}, nil, "of their own"},
		{"the owner", func(m *Membership) { m.Owner = true }, Question{Permission: "account.delete"}, []string{"OWNER account.delete"}, "ownership"},
		{"the owner is not restricted", func(m *Membership) { restricted(m); m.Owner = true }, Question{Permission: "orders.read", DivisionID: "south"}, []string{"OWNER orders.read"}, ""},
		{"on hold", func(m *Membership) { m.active = false }, Question{Permission: "orders.read"}, nil, "deactivated"},
		{"the account is suspended", func(m *Membership) { m.suspended = true }, Question{Permission: "orders.read"}, nil, "suspended"},
		{"in their division", restricted, Question{Permission: "orders.read", DivisionID: "city"}, []string{"DIRECT orders.read"}, ""},
		{"below their division", restricted, Question{Permission: "orders.read", DivisionID: "shop"}, []string{"DIRECT orders.read"}, ""},
		{"above their division", restricted, Question{Permission: "orders.read", DivisionID: "north"}, nil, "other divisions"},
		{"beside their division", restricted, Question{Permission: "orders.read", DivisionID: "south"}, nil, "other divisions"},
		{"a division nobody knows", restricted, Question{Permission: "orders.read", DivisionID: "moon"}, nil, "other divisions"},
		{"no division", restricted, Question{Permission: "orders.read"}, []string{"DIRECT orders.read"}, ""},
		{"a division of another account", nil, Question{Permission: "orders.read", DivisionID: "south", DivisionAccount: "other"}, nil, "no such division"},
		{"any division, without a restriction", nil, Question{Permission: "orders.read", DivisionID: "south"}, []string{"DIRECT orders.read"}, ""},
		{"their domain", func(m *Membership) { m.Domains = []string{"x.org"} }, Question{Permission: "orders.read", Domain: "X.org."}, []string{"DIRECT orders.read"}, ""},
		{"below their domain", func(m *Membership) { m.Domains = []string{"x.org"} }, Question{Permission: "orders.read", Domain: "www.x.org"}, []string{"DIRECT orders.read"}, ""},
		{"a domain that only ends alike", func(m *Membership) { m.Domains = []string{"x.org"} }, Question{Permission: "orders.read", Domain: "ax.org"}, nil, "other domains"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			d := member(tt.change).Decide(tt.q)
			if got := held(d); d.Allowed != (tt.want != nil) || !slices.Equal(got, tt.want) || !strings.Contains(d.Reason, tt.reason) {
				t.Errorf("got %t by %q, because %q; want %q", d.Allowed, got, d.Reason, tt.want)
			}
		})
	}
}

func TestNobodyIsAllowedNothing(t *testing.T) {
	t.Parallel()
	var nobody *Membership
	if d := nobody.Decide(Question{Permission: "team.read"}); d.Allowed || d.Reason == "" || d.GrantedBy() == nil {
		t.Errorf("got %+v, want a refusal with a reason and an empty list", d)
	}
}

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	changes, now := &Changes{}, time.Date(2030, 1, 7, 12, 0, 0, 0, time.UTC)
	c := NewCache[string, int](changes, func() time.Time { return now })
	expect := func(what string, want bool) {
		t.Helper()
		if _, ok := c.Get("a"); ok != want {
			t.Errorf("%s: kept = %t, want %t", what, ok, want)
		}
	}
	expect("nothing yet", false)
	c.Put(changes.Count(), "a", 1)
	expect("just put", true)
	now = now.Add(trustedFor)
	expect("as long as it is trusted", true)
	now = now.Add(time.Millisecond)
	expect("longer", false)
	c.Put(changes.Count(), "a", 1)
	changes.n.Add(1)
	expect("something has changed", false)
	before := changes.Count()
	changes.n.Add(1)
	c.Put(before, "a", 1)
	expect("something changed while it was loaded", false)
	c.Put(changes.Count(), "a", 1)
	now = now.Add(-time.Hour)
	expect("the clock went back", false)
	for i := range maxCached + 1 {
		c.Put(changes.Count(), fmt.Sprint(i), i)
	}
	if n := len(c.entries); n > maxCached {
		t.Errorf("%d are kept, want at most %d", n, maxCached)
	}
}

type heavy int

// Weight is a third of what a cache may hold.
func (heavy) Weight() int { return maxWeight / 3 }

func TestACacheIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	c := NewCache[int, heavy](&Changes{}, time.Now)
	for i := range 100 {
		c.Put(0, i, heavy(i))
		if got := len(c.entries); got == 0 || got > 3 {
			t.Fatalf("HARD-22 %d are kept, want at most three thirds", got)
		}
		if got, ok := c.Get(i); !ok || got != heavy(i) {
			t.Errorf("got %v, %v, want the newest", got, ok)
		}
	}
}
