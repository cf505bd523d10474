package access

import (
	"context"
	"slices"
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/ent/member"
)

func TestAKeyIsNotHeldTwice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ held, want []string }{
		{nil, nil},
		{[]string{"a.b"}, []string{"a.b"}},
		{[]string{"a.b:own"}, []string{"a.b:own"}},
		{[]string{"a.b", "a.b:own"}, []string{"a.b"}},
		{[]string{"a.b", "a.c:own", "a.c.d"}, []string{"a.b", "a.c.d", "a.c:own"}},
	} {
		s := NewSet(tt.held...)
		s.tidy()
		if got := s.Keys(); !slices.Equal(got, tt.want) {
			t.Errorf("of %v: got %v, want %v", tt.held, got, tt.want)
		}
	}
}

func TestIDSets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ ids, want []string }{
		{nil, nil},
		{[]string{"b"}, []string{"b"}},
		{[]string{"b", "a", "b", "c", "a"}, []string{"a", "b", "c"}},
	} {
		s := newIDSet(slices.Clone(tt.ids))
		if !slices.Equal(s, tt.want) {
			t.Errorf("of %v: got %v, want %v", tt.ids, s, tt.want)
		}
		for _, id := range []string{"", "a", "aa", "b", "c", "d"} {
			if got, want := s.has(id), slices.Contains(tt.ids, id); got != want {
				t.Errorf("%v has %q = %t, want %t", s, id, got, want)
			}
		}
	}
}

func TestWhereAMemberReaches(t *testing.T) {
	t.Parallel()
	tree := map[string]string{"north": "", "city": "north", "shop": "city", "south": "", "left": "right", "right": "left"}
	for _, tt := range []struct {
		divisions []string
		reached   []string
	}{
		{nil, []string{"", "city", "left", "moon", "north", "right", "shop", "south"}},
		{[]string{"north"}, []string{"city", "north", "shop"}},
		{[]string{"city"}, []string{"city", "shop"}},
		{[]string{"shop", "south"}, []string{"shop", "south"}},
		{[]string{"left"}, []string{"left", "right"}}, // a cycle ends
		{[]string{"moon"}, []string{"moon"}},          // a division that is gone
	} {
		m := &Membership{divisions: tt.divisions, parents: tree}
		var got []string
		for _, id := range []string{"", "city", "left", "moon", "north", "right", "shop", "south"} {
			if m.Reaches(id) {
				got = append(got, id)
			}
		}
		if !slices.Equal(got, tt.reached) || m.Restricted() != (tt.divisions != nil) {
			t.Errorf("restricted to %v: reaches %v, want %v", tt.divisions, got, tt.reached)
		}
	}
}

func TestHomeIsTheChosenTeamOrTheOldest(t *testing.T) {
	t.Parallel()
	v := &Viewer{memberships: map[string]*Membership{
		"team_1": {ID: "mem_2", TeamID: "team_1"}, "team_2": {ID: "mem_1", TeamID: "team_2"},
	}}
	for chosen, want := range map[string]string{"team_1": "team_1", "team_2": "team_2", "team_3": "team_2", "": "team_2"} {
		if got := v.HomeTeam(chosen); got != want {
			t.Errorf("chosen %q: got %q, want %q", chosen, got, want)
		}
	}
	if got := (&Viewer{}).HomeTeam("team_1"); got != "" {
		t.Errorf("in no team: got %q, want none", got)
	}
	var visitor *Viewer
	if visitor.Membership("team_1") != nil || visitor.Can("team_1", AuditRead) || visitor.In("acc_1") || visitor.CanInAccount("acc_1", AuditRead) || visitor.Teams() != nil {
		t.Error("a visitor is in a team")
	}
}

func TestWhatIsHeldAccountWide(t *testing.T) {
	t.Parallel()
	v := &Viewer{memberships: map[string]*Membership{
		"team_1": {TeamID: "team_1", AccountID: "acc_1", DefaultTeam: true, Permissions: NewSet(AuditRead)},
		"team_2": {TeamID: "team_2", AccountID: "acc_1", Permissions: NewSet(MembersRead)},
		"team_3": {TeamID: "team_3", AccountID: "acc_2", Permissions: NewSet(AuditRead)},
	}}
	for _, tt := range []struct {
		account, permission string
		in, can             bool
	}{
		{"acc_1", AuditRead, true, true},
		{"acc_1", MembersRead, true, false}, // in another team only
		{"acc_2", AuditRead, true, false},   // not in its default team
		{"acc_3", AuditRead, false, false},
		{"", AuditRead, false, false},
	} {
		if in, can := v.In(tt.account), v.CanInAccount(tt.account, tt.permission); in != tt.in || can != tt.can {
			t.Errorf("%s in %q: in = %t, can = %t, want %t, %t", tt.permission, tt.account, in, can, tt.in, tt.can)
		}
		if got := v.accountsWith(tt.permission).has(tt.account); got != tt.can {
			t.Errorf("accounts with %s have %q = %t, want %t", tt.permission, tt.account, got, tt.can)
		}
	}
}

func TestWritesThatChangeWhatAnybodyMayDo(t *testing.T) {
	t.Parallel()
	c := ent.NewClient()
	var last ent.Mutation // of a delete, which does not show it otherwise
	c.Use(func(ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(_ context.Context, m ent.Mutation) (ent.Value, error) {
			last = m
			return 0, nil
		})
	})
	deletes := func(exec func(context.Context) (int, error)) ent.Mutation {
		t.Helper()
		if _, err := exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		return last
	}
	for _, tt := range []struct {
		what string
		m    ent.Mutation
		want bool
	}{
		{"a new member", c.Member.Create().Mutation(), true},
		{"a member's permissions", c.Member.Update().SetPermissions([]string{"team.read"}).Mutation(), true},
		{"a member's status", c.Member.Update().SetStatus(member.StatusDeactivated).Mutation(), true},
		{"a member's roles", c.Member.Update().AddRoleIDs("rol_1").Mutation(), true},
		{"a member's roles, with bookkeeping", c.Member.Update().SetSeenUnix(1).AddRoleIDs("rol_1").Mutation(), true},
		{"a member's last use", c.Member.Update().SetSeenUnix(1).Mutation(), false},
		{"a member's name", c.Member.Update().SetSortName("ann").SetSearch("ann").Mutation(), false},
		{"a member less", deletes(c.Member.Delete().Exec), true},
		{"a role", c.Role.Update().SetName("Clerk").Mutation(), true},
		{"a group", c.Group.Create().Mutation(), true},
		{"a division", deletes(c.Division.Delete().Exec), true},
		{"an account's name", c.Account.Update().SetName("Acme").Mutation(), false},
		{"an account's status", c.Account.Update().SetStatus(account.StatusSuspended).Mutation(), true},
		{"a new session", c.Session.Create().Mutation(), false},
		{"a use of a session", c.Session.Update().Mutation(), false},
		{"a session less", deletes(c.Session.Delete().Exec), true},
		{"a user", c.User.Update().SetFirstName("Ann").Mutation(), false},
		{"an invitation", c.Invitation.Create().Mutation(), false},
	} {
		if got := changesAccess(tt.m); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.what, got, tt.want)
		}
	}
}
