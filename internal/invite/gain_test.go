package invite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// HARD-1: over random lives of an account, nobody ever gets a permission that nobody who
// held it at that moment gave them. A permission counts with the division and the domain
// that it is held in, so a wider reach is a gain too.
func TestNobodyGetsWhatNobodyGave(t *testing.T) {
	t.Parallel()
	rounds.OfRapid(t, 100)
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.Idle(t, address)
		accounts := 0
		rapid.Check(t, func(r *rapid.T) {
			accounts++
			l := newLife(t, w, accounts)
			r.Repeat(map[string]func(*rapid.T){
				"": func(r *rapid.T) { l.judge(r) }, // after every step
				"setRoles": func(r *rapid.T) {
					m := l.someMember(r)
					actor, wish := l.actor(r, m.TeamID), l.wish(r)
					l.inTeam(actor, m.TeamID, l.server.Roster.SetRoles(l.as(actor), roster.Roles{
						MemberID: m.ID, RoleIDs: wish.RoleIDs, GroupIDs: wish.GroupIDs, Permissions: wish.Permissions,
					}))
				},
				"setRestrictions": func(r *rapid.T) {
					m := l.someMember(r)
					actor, sc := l.actor(r, m.TeamID), l.scope(r)
					l.inTeam(actor, m.TeamID, l.server.Roster.SetRestrictions(l.as(actor), roster.Restrictions{
						MemberID: m.ID, DivisionIDs: sc.DivisionIDs, Domains: sc.Domains,
					}))
				},
				"deactivate": func(r *rapid.T) {
					m := l.someMember(r)
					l.gives(nobody, l.server.Roster.Deactivate(l.as(l.actor(r, m.TeamID)), m.ID))
				},
				"reactivate": func(r *rapid.T) {
					m := l.someMember(r)
					actor := l.actor(r, m.TeamID)
					l.inTeam(actor, m.TeamID, l.server.Roster.Reactivate(l.as(actor), m.ID))
				},
				"remove": func(r *rapid.T) {
					m := l.someMember(r)
					_, err := l.server.Roster.Remove(l.as(l.actor(r, m.TeamID)), m.ID)
					l.departs(m.TeamID, m.UserID, err)
				},
				"leave": func(r *rapid.T) {
					m := l.someMember(r)
					_, err := l.server.Roster.Leave(l.as(m.UserID), m.TeamID)
					l.departs(m.TeamID, m.UserID, err)
				},
				"updateRole": func(r *rapid.T) {
					actor, id, permissions := l.actor(r, l.teams[0]), l.role(r), l.keys(r)
					l.accountWide(actor, permissions, l.server.Roster.UpdateRole(l.as(actor), roster.RoleChange{RoleID: id, Permissions: permissions}))
				},
				"updateGroup": func(r *rapid.T) {
					actor, roles := l.actor(r, l.teams[0]), l.some(r, "roles", l.roles...)
					l.accountWide(actor, l.heldBy(roles...), l.server.Roster.UpdateGroup(l.as(actor), roster.GroupChange{GroupID: l.group, RoleIDs: roles}))
				},
				"replaceRole": func(r *rapid.T) {
					actor, other := l.actor(r, l.teams[0]), l.role(r)
					spare, err := l.server.Roster.CreateRole(l.as(l.owner(l.teams[0])), roster.NewRole{
						AccountID: l.account, Key: fmt.Sprintf("r%d", l.named()), Name: "R", Permissions: l.keys(r),
					})
					l.must(err)
					old := l.roles[rapid.IntRange(0, len(l.roles)-1).Draw(r, "old")]
					err = l.server.Roster.DeleteRole(l.as(actor), old, other)
					l.accountWide(actor, l.heldBy(other), err)
					if err == nil {
						l.roles = append(slices.DeleteFunc(l.roles, func(id string) bool { return id == old }), spare)
					}
				},
				"moveDivision": func(r *rapid.T) {
					actor, id := l.actor(r, l.teams[0]), rapid.SampledFrom(l.divisions).Draw(r, "division")
					parent := rapid.SampledFrom(append([]string{""}, l.divisions...)).Draw(r, "parent")
					l.accountWide(actor, l.held[place{l.teams[0], actor}].keys(), l.server.Roster.UpdateDivision(l.as(actor), roster.DivisionChange{DivisionID: id, ParentID: &parent}))
				},
				"createKey": func(r *rapid.T) {
					actor, team := l.actor(r, l.teams[0]), rapid.SampledFrom(append([]string{""}, l.teams...)).Draw(r, "team of the key")
					issued, err := l.server.Roster.CreateKey(l.as(actor), roster.NewKey{AccountID: l.account, TeamID: team, Name: "K", Permissions: l.keys(r)})
					l.gives(func(p place, c capability) bool { return p.user == issued.ID && l.held[place{p.team, actor}].has(c) }, err)
					if err == nil {
						l.programs = append(l.programs, issued.ID)
					}
				},
				"updateKey": func(r *rapid.T) {
					actor, key := l.actor(r, l.teams[0]), l.program(r)
					l.gives(nobody, l.server.Roster.UpdateKey(l.as(actor), roster.KeyChange{KeyID: key, Permissions: l.keys(r)}))
				},
				"revokeKey": func(r *rapid.T) {
					key := l.program(r)
					err := l.server.Roster.RevokeKey(l.as(l.actor(r, l.teams[0])), key)
					for _, team := range l.teams {
						l.departs(team, key, err)
					}
				},
				"keep": func(r *rapid.T) {
					keep := rapid.Bool().Draw(r, "keep")
					l.gives(nobody, l.server.Roster.UpdateAccount(l.as(l.owner(l.teams[0])), roster.AccountChange{AccountID: l.account, KeepInvitationsOfRemovedMembers: &keep}))
				},
				"transfer": func(r *rapid.T) {
					m := l.someMember(r)
					former := l.owner(m.TeamID)
					id, err := l.server.Roster.RequestTransfer(l.as(former), m.ID)
					if err == nil {
						err = l.server.Roster.AcceptTransfer(l.as(m.UserID), id)
					}
					l.inTeam(former, m.TeamID, err)
				},
				"invite": func(r *rapid.T) {
					team, to := l.team(r), l.someone(r)
					actor := l.actor(r, team)
					l.invite(actor, team, to, l.wish(r), l.scope(r))
				},
				"resend": func(r *rapid.T) {
					id := l.offer(r)
					actor := l.actor(r, l.offers[id].team)
					l.w.Clock.Advance(time.Minute)
					_, err := l.server.Invites.Resend(l.as(actor), invite.Renewal{InvitationID: id})
					l.gives(nobody, err)
					l.confirms(id, actor, err)
				},
				"update": func(r *rapid.T) {
					id, note := l.offer(r), "Hi"
					actor := l.actor(r, l.offers[id].team)
					am := invite.Amendment{InvitationID: id, Note: &note}
					if rapid.Bool().Draw(r, "grant") {
						wish, sc := l.wish(r), l.scope(r)
						am.Grant, am.DivisionIDs, am.Domains = &wish, sc.DivisionIDs, sc.Domains
					}
					err := l.server.Invites.Update(l.as(actor), am)
					l.gives(nobody, err)
					if am.Grant != nil {
						l.confirms(id, actor, err)
					}
				},
				"accept": func(r *rapid.T) {
					id := l.offer(r)
					o := l.offers[id]
					_, err := l.server.Invites.Accept(l.as(o.to), invite.Acceptance{Reference: invite.Reference{InvitationID: id}})
					l.gives(func(p place, c capability) bool {
						return p == place{o.team, o.to} && l.held[place{o.team, o.granter}].has(c) && (!o.handedOver || o.ceiling.has(c))
					}, err)
				},
			})
		})
	})
}

// capability is a permission where it is held; empty = everywhere.
type capability struct{ key, division, domain string }

type capabilities map[capability]bool

func (c capabilities) has(one capability) bool { return c[one] }

// keys returns the permissions, wherever they are held.
func (c capabilities) keys() (keys []string) {
	for one := range c {
		keys = append(keys, one.key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// place is a user or an API key in a team.
type place struct{ team, user string }

// offer is an open invitation, and who answers for it.
type offer struct {
	team, to, granter string
	// ceiling is all that those who answered for it before held when they left.
	handedOver bool
	ceiling    capabilities
}

// life is an account in which things happen.
type life struct {
	t      *testing.T
	w      *testkit.World
	server *serverOf
	number int
	names  int

	account   string
	teams     []string // the default team first
	users     []string
	programs  []string // API keys
	roles     []string
	group     string
	divisions []string
	offers    map[string]*offer

	held map[place]capabilities // before the step
	// given says whether the step may have given the capability.
	given func(place, capability) bool
	last  error
}

// serverOf is the domain services.
type serverOf struct {
	Roster  *roster.Service
	Invites *invite.Service
	Store   *store.Store
}

var (
	keysOfLife = []string{
		"members.read", "members.invite", "members.update", "members.deactivate", "members.remove",
		"roles.assign", "roles.manage", "account.update", "apikeys.read", "apikeys.manage", "team.read", "billing.refund", "orders.read",
	}
	domainsOfLife = []string{"", "a.org", "b.org"}
)

// newLife opens an account with an owner, an admin, a clerk, and three people whom the admin
// has invited.
func newLife(t *testing.T, w *testkit.World, number int) *life {
	t.Helper()
	l := &life{
		t: t, w: w, number: number, offers: map[string]*offer{},
		server: &serverOf{Roster: w.Server.Roster, Invites: w.Server.Invites, Store: w.Server.Store},
	}
	l.system(func(ctx context.Context, tx *store.Tx) error {
		for n := range 6 {
			id := fmt.Sprintf("usr_%d_%d", number, n)
			l.users = append(l.users, id)
			err := tx.User.Create().SetID(id).SetCreatedAt(w.Clock.Now()).SetUpdatedAt(w.Clock.Now()).
				SetEmail(id + "@x.org").SetEmailKey(id + "@x.org").SetEmailVerifiedAt(w.Clock.Now()).Exec(ctx)
			if err != nil {
				return err
			}
		}
		owner, err := tx.User.Get(ctx, l.users[0])
		if err != nil {
			return err
		}
		o, err := l.server.Roster.OpenAccount(ctx, tx, owner, "A", "T")
		if err != nil {
			return err
		}
		l.account, l.teams = o.Account.ID, []string{o.Team.ID}
		return nil
	})
	owner := l.as(l.users[0])
	second, err := l.server.Roster.CreateTeam(owner, roster.NewTeam{AccountID: l.account, Name: "S"})
	l.must(err)
	l.teams = append(l.teams, second)
	for n, keys := range [][]string{{"members.read", "billing.refund"}, {"members.invite", "members.read"}, keysOfLife} {
		id, err := l.server.Roster.CreateRole(owner, roster.NewRole{AccountID: l.account, Key: fmt.Sprintf("role%d", n), Name: "R", Permissions: keys})
		l.must(err)
		l.roles = append(l.roles, id)
	}
	l.group, err = l.server.Roster.CreateGroup(owner, roster.NewGroup{AccountID: l.account, Name: "G", RoleIDs: l.roles[:1]})
	l.must(err)
	for range 3 {
		id, err := l.server.Roster.CreateDivision(owner, roster.NewDivision{AccountID: l.account, Name: "D"})
		l.must(err)
		l.divisions = append(l.divisions, id)
	}
	l.system(func(ctx context.Context, tx *store.Tx) error {
		acc, err := tx.Account.Get(ctx, l.account)
		if err != nil {
			return err
		}
		for _, m := range []struct {
			team, user string
			grant      access.Grant
		}{
			{l.teams[0], l.users[1], access.Grant{AllPermissions: true}},
			{l.teams[1], l.users[1], access.Grant{AllPermissions: true}},
			{l.teams[0], l.users[2], access.Grant{Permissions: []string{"members.read", "members.invite", "members.update", "members.deactivate", "members.remove"}}},
			{l.teams[1], l.users[2], access.Grant{Permissions: []string{"members.read", "roles.assign", "members.deactivate"}}},
		} {
			_, err := l.server.Roster.Admit(ctx, tx, acc, roster.Admission{AccountID: acc.ID, TeamID: m.team, UserID: m.user, Grant: m.grant})
			if err != nil {
				return err
			}
		}
		return tx.Account.UpdateOneID(l.account).SetKeepInvitationsOfRemovedMembers(true).Exec(ctx)
	})
	for n, team := range []string{l.teams[0], l.teams[0], l.teams[1]} {
		l.invite(l.users[1], team, l.users[3+n], roster.Wish{AllPermissions: true}, roster.Scope{})
	}
	l.held, l.given = l.look(), nil
	return l
}

func (l *life) invite(actor, team, to string, w roster.Wish, sc roster.Scope) {
	l.t.Helper()
	issued, err := l.server.Invites.Send(l.as(actor), invite.Draft{TeamID: team, Grant: w, Scope: sc}, to+"@x.org")
	l.gives(nobody, err)
	if err == nil {
		l.offers[issued.ID] = &offer{team: team, to: to, granter: actor}
	}
}

func (l *life) system(f func(ctx context.Context, tx *store.Tx) error) {
	l.t.Helper()
	ctx := access.System(l.t.Context(), "test")
	l.must(l.server.Store.InTx(ctx, func(tx *store.Tx) error { return f(ctx, tx) }))
}

func (l *life) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// named returns a number that was not used yet.
func (l *life) named() int { l.names++; return l.names }

// as returns a context in which the user or the API key asks.
func (l *life) as(id string) context.Context {
	l.t.Helper()
	if access.IsKey(id) {
		k, err := l.server.Store.Read().APIKey.Get(access.System(l.t.Context(), "test"), id)
		l.must(err)
		viewers, err := l.server.Roster.Access.LoadKeys(l.t.Context(), l.server.Store.Read(), []*ent.APIKey{k})
		l.must(err)
		return access.WithViewer(l.t.Context(), viewers[0])
	}
	v, err := l.server.Roster.Access.Load(l.t.Context(), l.server.Store.Read(), id)
	l.must(err)
	return access.WithViewer(l.t.Context(), v)
}

func (l *life) members() []*ent.Member {
	l.t.Helper()
	all, err := l.server.Store.Read().Member.Query().Where(member.AccountID(l.account)).Order(member.ByCreatedAt(), member.ByID()).
		All(access.System(l.t.Context(), "test"))
	l.must(err)
	return all
}

func (l *life) owner(team string) string {
	l.t.Helper()
	all := l.members()
	return all[slices.IndexFunc(all, func(m *ent.Member) bool { return m.TeamID == team && m.IsOwner })].UserID
}

// The draws.

func (l *life) someone(r *rapid.T) string { return rapid.SampledFrom(l.users).Draw(r, "user") }
func (l *life) team(r *rapid.T) string    { return rapid.SampledFrom(l.often()).Draw(r, "team") }
func (l *life) role(r *rapid.T) string    { return rapid.SampledFrom(l.roles).Draw(r, "role") }
func (l *life) keys(r *rapid.T) []string  { return l.some(r, "keys", keysOfLife...) }

func (l *life) program(r *rapid.T) string {
	if len(l.programs) == 0 {
		r.Skip("there is no API key yet")
	}
	return rapid.SampledFrom(l.programs).Draw(r, "key")
}

// actor is one of the active members of the team, or of the API keys that hold something there.
func (l *life) actor(r *rapid.T, team string) string {
	active := slices.DeleteFunc(slices.Clone(l.programs), func(key string) bool { return len(l.held[place{team, key}]) == 0 })
	for _, m := range l.members() {
		if m.TeamID == team && m.Status == member.StatusActive {
			active = append(active, m.UserID)
		}
	}
	return rapid.SampledFrom(active).Draw(r, "actor")
}

func (l *life) someMember(r *rapid.T) *ent.Member {
	team := l.team(r)
	all := slices.DeleteFunc(l.members(), func(m *ent.Member) bool { return m.TeamID != team || m.IsOwner && rapid.Bool().Draw(r, "spared") })
	if len(all) == 0 {
		r.Skip("nobody is in the team")
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(r, "member")]
}

// often are the teams, with the default team most often, where more can happen.
func (l *life) often() []string { return append(slices.Repeat(l.teams[:1], 3), l.teams[1:]...) }

func (l *life) some(r *rapid.T, label string, of ...string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, min(len(of), 4), rapid.ID[string]).Draw(r, label)
}

func (l *life) wish(r *rapid.T) roster.Wish {
	if rapid.IntRange(0, 4).Draw(r, "all") == 0 {
		return roster.Wish{AllPermissions: true}
	}
	w := roster.Wish{RoleIDs: l.some(r, "roles", l.roles...), Permissions: l.keys(r)}
	if rapid.Bool().Draw(r, "group") {
		w.GroupIDs = []string{l.group}
	}
	return w
}

func (l *life) scope(r *rapid.T) roster.Scope {
	sc := roster.Scope{DivisionIDs: []string{}, Domains: []string{}}
	if rapid.Bool().Draw(r, "restricted") {
		sc.DivisionIDs = l.some(r, "divisions", l.divisions...)
	}
	if rapid.IntRange(0, 3).Draw(r, "domains") == 0 {
		sc.Domains = []string{"a.org"}
	}
	return sc
}

func (l *life) offer(r *rapid.T) string {
	if len(l.offers) == 0 {
		r.Skip("nobody is invited yet")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(l.offers))).Draw(r, "invitation")
}

// heldBy returns the permissions of roles.
func (l *life) heldBy(roles ...string) (keys []string) {
	l.t.Helper()
	for _, id := range roles {
		role, err := l.server.Store.Read().Role.Get(access.System(l.t.Context(), "test"), id)
		l.must(err)
		keys = append(keys, role.Permissions...)
	}
	return keys
}

// What a step may have given.

func nobody(place, capability) bool { return false }

// gives notes what the step may have given, and that it was no failure of the program.
func (l *life) gives(given func(place, capability) bool, err error) {
	l.t.Helper()
	var refused *fault.Error
	var several fault.Errors
	if err != nil && !errors.As(err, &refused) && !errors.As(err, &several) {
		l.t.Fatal(err)
	}
	l.given, l.last = given, err
}

// inTeam is a step by which the actor may have given what they held in the team.
func (l *life) inTeam(actor, team string, err error) {
	l.t.Helper()
	by := l.held[place{team, actor}]
	l.gives(func(p place, c capability) bool { return p.team == team && by.has(c) }, err)
}

// accountWide is a step by which the actor may have given what they held in the default
// team, to members and to the addressees of invitations alike.
func (l *life) accountWide(actor string, keys []string, err error) {
	l.t.Helper()
	by := l.held[place{l.teams[0], actor}]
	l.gives(func(_ place, c capability) bool { return by.has(c) }, err)
	if err != nil {
		return
	}
	for _, o := range l.offers {
		for c := range by {
			if o.handedOver && slices.Contains(keys, c.key) {
				o.ceiling[c] = true
			}
		}
	}
}

// departs is a step that ends what a user or an API key is in a team: the owner answers for
// the invitations.
func (l *life) departs(team, who string, err error) {
	l.t.Helper()
	l.gives(nobody, err)
	if err != nil {
		return
	}
	kept := l.held[place{team, who}]
	for _, o := range l.offers {
		if o.team != team || o.granter != who {
			continue
		}
		ceiling := capabilities{}
		for c := range kept {
			ceiling[c] = !o.handedOver || o.ceiling[c]
		}
		o.granter, o.handedOver, o.ceiling = l.owner(team), true, ceiling
	}
}

// confirms notes who answers for the invitation from now on.
func (l *life) confirms(id, actor string, err error) {
	if o := l.offers[id]; err == nil {
		o.granter, o.handedOver, o.ceiling = actor, false, nil
	}
}

// look returns what everybody holds at the moment.
func (l *life) look() map[place]capabilities {
	l.t.Helper()
	all := map[place]capabilities{}
	for _, id := range slices.Concat(l.users, l.programs) {
		held, err := l.server.Roster.Access.InAccount(l.t.Context(), l.server.Store.Read(), l.account, id)
		l.must(err)
		for _, team := range l.teams {
			m, holds := held[team], capabilities{}
			all[place{team, id}] = holds
			if m == nil || !m.Active() {
				continue
			}
			for _, division := range append([]string{""}, l.divisions...) {
				for _, domain := range domainsOfLife {
					if !m.Reaches(division) || !m.ReachesDomain(domain) {
						continue
					}
					for key := range m.Permissions {
						holds[capability{key, division, domain}] = true
					}
				}
			}
		}
	}
	return all
}

// judge compares what everybody holds with what they held before the step.
func (l *life) judge(r *rapid.T) {
	if l.given == nil {
		return
	}
	now := l.look()
	for p, holds := range now {
		var gained []string
		for c := range holds {
			if !l.held[p].has(c) && !l.given(p, c) {
				gained = append(gained, fmt.Sprint(c))
			}
		}
		if len(gained) > 0 {
			slices.Sort(gained)
			r.Fatalf("%s gained %s in %s, and nobody gave it; the step ended with %v", p.user, strings.Join(gained, ", "), p.team, l.last)
		}
	}
	l.held, l.given = now, nil
}
