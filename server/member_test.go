package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
)

const memberFields = `member { id status version roles { key } groups { name } directPermissions
	effectivePermissions divisions { name } allowedDomains }`

func TestWhatAMemberHoldsIsChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann := owner.Join("ann@x.org", "billing")
		id := owner.MemberID(ann.Email)
		t.Run("SSL-20 the owner gives a member other roles after they joined, several at once", func(t *testing.T) {
			a := onMember(owner, "setRoles", id, "roleIds", []string{owner.Role("validation"), owner.Role("installer")}).OK()
			equalList(t, "roles", inOrder(a.List("setRoles.member.roles", "key")), "installer", "validation")
			equal(t, "validates", may(ann, "validation.perform"), true)
			equal(t, "refunds", may(ann, "billing.refund"), false)
		})
		t.Run("SEC-13 permissions are given and taken later, and count in the open session", func(t *testing.T) {
			onMember(owner, "setRoles", id, "permissions", []string{"members.read"}).OK()
			equalList(t, "members as Ann sees them", ann.Members(), "olivia@acme.test", "ann@x.org")
			equal(t, "validates", may(ann, "validation.perform"), false)
			a := onMember(owner, "setRoles", id, "permissions", []string{"billing.read"}).OK()
			equalList(t, "permissions", a.List("setRoles.member.effectivePermissions", ""), "billing.read")
			ann.Ask(`members { totalCount }`).Refused("FORBIDDEN")
		})
		t.Run("SEC-13 nothing said is nothing changed", func(t *testing.T) {
			onMember(owner, "setRoles", id).Refused("INVALID_GRANT roleIds")
			onMember(owner, "setRoles", id, "roleIds", []string{"role_none"}).Refused("ROLE_NOT_FOUND roleIds")
			onMember(owner, "setRoles", id, "permissions", []string{"no.such"}).Refused("PERMISSION_UNKNOWN permissions")
			equal(t, "sees bills", may(ann, "billing.read"), true)
		})
		t.Run("BEY-23 of two who edit a member the second is told", func(t *testing.T) {
			seen := onMember(owner, "setRoles", id, "permissions", []string{"orders.read"}).OK().At("setRoles.member.version")
			onMember(owner, "setRoles", id, "permissions", []string{"team.read"}, "expectedVersion", seen).OK()
			onMember(owner, "setRoles", id, "permissions", []string{"billing.refund"}, "expectedVersion", seen).Refused("CONFLICT expectedVersion")
			onMember(owner, "setRestrictions", id, "allowedDomains", []string{"x.org"}, "expectedVersion", seen).Refused("CONFLICT expectedVersion")
			equal(t, "refunds", may(ann, "billing.refund"), false)
		})
		t.Run("nobody acts on their own membership, and only those with the right on others", func(*testing.T) {
			adam := owner.Join("adam@x.org", "account_admin")
			for _, mutation := range []string{"setRoles", "deactivateMember", "removeMember"} {
				more := []any{}
				if mutation == "setRoles" {
					more = []any{"roleIds", []string{}}
				}
				onMember(adam, mutation, owner.MemberID(adam.Email), more...).Refused("CANNOT_ACT_ON_SELF memberId")
				onMember(ann, mutation, owner.MemberID(adam.Email), more...).Refused("NOT_FOUND") // Ann may not know that Adam exists
				onMember(w.SignUp(mutation+"@evil.test"), mutation, id, more...).Refused("NOT_FOUND")
			}
			victor := owner.Join("victor@x.org", "viewer")
			for mutation, field := range map[string]string{"setRoles": "roleIds", "setRestrictions": "allowedDomains"} {
				onMember(victor, mutation, id, field, []string{}).Refused("FORBIDDEN")
			}
		})
	})
}

func TestAManagerRaisesRights(t *testing.T) {
	t.Parallel()
	eachWith(t, testkit.Preset("departments"), func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		manager, stan := owner.Join("mia@acme.test", "manager"), owner.Join("stan@acme.test", "standard_user")
		t.Run("DC-22 a manager raises another user's rights", func(t *testing.T) {
			invitation := testkit.Input("teamId", owner.TeamID, "email", "x@x.org", "roleIds", []string{owner.Role("viewer")})
			stan.Do(testkit.InviteMutation, invitation).Refused("FORBIDDEN")
			onMember(manager, "setRoles", owner.MemberID(stan.Email), "roleIds", []string{owner.Role("manager")}).OK()
			equalList(t, "roles", roleKeys(owner, stan.Email), "manager")
			stan.Do(testkit.InviteMutation, invitation).OK()
		})
	})
}

func TestDeactivation(t *testing.T) {
	t.Parallel()
	eachWith(t, noPersonalAccounts, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		grant := []any{"roleIds", []string{owner.Role("billing"), owner.Role("viewer")}, "permissions", []string{"validation.upload"}}
		ann := owner.JoinWith("ann@x.org", grant...)
		owner.Delivered(ann.Email)
		id := owner.MemberID(ann.Email)
		t.Run("CP-15 deactivate: moves to Deactivated, cannot sign in, keeps roles", func(t *testing.T) {
			equal(t, "people before", inStates(t, owner), "2 0 0 0")
			stream := ann.Subscribe(watch, map[string]any{"team": owner.TeamID})
			testkit.Eventually(t, func() bool { return w.Server.Streams() == 1 })
			a := onMember(owner, "deactivateMember", id).OK()
			equal(t, "status", a.Text("deactivateMember.member.status"), "DEACTIVATED")
			equalList(t, "roles", inOrder(a.List("deactivateMember.member.roles", "key")), "billing", "viewer")
			equalList(t, "permissions", a.List("deactivateMember.member.directPermissions", ""), "validation.upload")
			equal(t, "people", inStates(t, owner), "1 0 0 1")
			equal(t, "Ann's open session", ann.Do(`{ viewer { user { id } } }`, nil).Code(), "UNAUTHENTICATED")
			endsWith(t, stream, "UNAUTHENTICATED")
			signIn(w, ann.Email, testkit.Password).Refused("USER_DEACTIVATED")
			signIn(w, ann.Email, "not the password").Refused("INVALID_CREDENTIALS")
			owner.Invite(ann.Email, "billing").Refused("MEMBER_DEACTIVATED email")
			onMember(owner, "deactivateMember", id).OK() // twice is once
			equal(t, "people", inStates(t, owner), "1 0 0 1")
		})
		t.Run("CP-17 reactivate: signs in and holds the same as before", func(t *testing.T) {
			a := onMember(owner, "reactivateMember", id).OK()
			equal(t, "status", a.Text("reactivateMember.member.status"), "ACTIVE")
			onMember(owner, "reactivateMember", id).OK()
			equal(t, "people", inStates(t, owner), "2 0 0 0")
			back := w.SignIn(ann.Email).In(owner.TeamID)
			equalList(t, "roles", roleKeys(back, ann.Email), "billing", "viewer")
			equal(t, "uploads", may(back, "validation.upload"), true)
			equal(t, "Ann's old session", ann.Do(`{ viewer { user { id } } }`, nil).Code(), "UNAUTHENTICATED")
		})
	})
}

func TestRemoval(t *testing.T) {
	t.Parallel()
	eachWith(t, noPersonalAccounts, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann := owner.Join("ann@x.org", "viewer")
		owner.Delivered(ann.Email)
		id, secret := owner.MemberID(ann.Email), testkit.Token(t, w.Mail.Wait(t, ann.Email, 1))
		invitation := owner.Ask(`invitations { nodes { id } }`).OK().Text("team.invitations.nodes.0.id")
		t.Run("GR-12 removing takes effect at once, on sessions and streams", func(t *testing.T) {
			elsewhere := w.SignIn(ann.Email)
			from := map[string]any{"team": owner.TeamID, "after": eventCursor(owner)}
			streams := []*testkit.Stream{ann.Subscribe(watch, from), elsewhere.SubscribeSSE(watch, from)}
			owner.Invite("bob@x.org", "billing", "sendEmail", false).OK()
			for _, s := range streams {
				equal(t, "event", seen(s.Next().OK()), "CREATED bob@x.org")
			}
			equal(t, "removed", onMember(owner, "removeMember", id).OK().Text("removeMember.removedMemberId"), id)
			for _, p := range []*testkit.Person{ann, elsewhere} {
				equal(t, "session", p.Ask(`name`).Code(), "UNAUTHENTICATED")
			}
			for _, s := range streams {
				endsWith(t, s, "UNAUTHENTICATED")
			}
		})
		t.Run("CP-14 remove: gone from all three lists", func(t *testing.T) {
			equal(t, "people", inStates(t, owner), "1 1 0 0") // Olivia, and Bob invited
			a := owner.Ask(`members { nodes { id } } people { totalCount } account { user(email: "ann@x.org") { id } }`).OK()
			equal(t, "members", len(a.List("team.members.nodes", "id")), 1)
			equal(t, "people", a.Text("team.people.totalCount"), "2")
			equal(t, "found by address", a.At("team.account.user"), nil)
		})
		t.Run("GR-13 there is no way back but a new invitation", func(*testing.T) {
			onMember(owner, "reactivateMember", id).Refused("NOT_FOUND")
			onMember(owner, "setRoles", id, "roleIds", []string{owner.Role("viewer")}).Refused("NOT_FOUND")
			w.Anonymous().Accept(secret, "password", testkit.Password).Refused("INVITATION_ALREADY_ACCEPTED")
			resend(owner, invitation).Refused("INVITATION_ALREADY_ACCEPTED")
		})
		t.Run("GR-14 a removed member who signs in is told so, after the right password only", func(t *testing.T) {
			a := signIn(w, ann.Email, testkit.Password).Refused("ACCESS_REVOKED")
			equal(t, "session", a.At("signIn.sessionToken"), nil)
			signIn(w, ann.Email, "not the password").Refused("INVALID_CREDENTIALS")
			signIn(w, "nobody@x.org", testkit.Password).Refused("INVALID_CREDENTIALS")
		})
		t.Run("CP-16 Ann is invited again, can sign in because of it, and accepts", func(t *testing.T) {
			again := owner.Invite(ann.Email, "billing").OK().Text("inviteUser.invitation.id")
			second := testkit.Token(t, w.Mail.Wait(t, ann.Email, 2))
			w.Anonymous().Accept(second, "password", "a password of somebody else").Refused("AUTHENTICATION_REQUIRED")
			back := w.SignIn(ann.Email).In(owner.TeamID)
			equal(t, "the team before accepting", back.Ask(`name`).OK().At("team"), nil)
			back.Accept(secret).Refused("INVITATION_ALREADY_ACCEPTED")
			back.Accept(second).OK()
			equalList(t, "roles", roleKeys(owner, ann.Email), "billing")
			equal(t, "active team", back.Do(`{ viewer { activeTeam { id } } }`, nil).OK().Text("viewer.activeTeam.id"), owner.TeamID)
			if now := owner.MemberID(ann.Email); now == id || again == invitation {
				t.Errorf("member %s and invitation %s are the old ones, want new ones", now, again)
			}
			signIn(w, ann.Email, testkit.Password).OK()
		})
		t.Run("GR-15 the address can be checked, and a wrong one revoked and replaced", func(t *testing.T) {
			wrong := owner.Invite("Carl@exmaple.org", "billing").OK()
			equal(t, "address", wrong.Text("inviteUser.invitation.email"), "Carl@exmaple.org")
			lost := testkit.Token(t, w.Mail.Wait(t, "carl@exmaple.org", 1))
			revoke(owner, wrong.Text("inviteUser.invitation.id")).OK()
			carl := owner.Join("Carl@example.org", "billing")
			w.Anonymous().Accept(lost, "password", testkit.Password).Refused("INVITATION_REVOKED")
			equalList(t, "members", owner.Members(), "olivia@acme.test", "ann@x.org", carl.Email)
		})
		t.Run("leaving is removing oneself", func(t *testing.T) {
			leave := func(p *testkit.Person) *testkit.Answer {
				return p.Mutate("leaveTeam", "removedMemberId", "teamId", owner.TeamID)
			}
			leave(w.SignUp("mallory@evil.test")).Refused("NOT_FOUND")
			carl := w.SignIn("carl@example.org").In(owner.TeamID)
			id := owner.MemberID("Carl@example.org")
			equal(t, "left", leave(carl).OK().Text("leaveTeam.removedMemberId"), id)
			equal(t, "the session of the one who left", leave(carl).Code(), "UNAUTHENTICATED")
			signIn(w, carl.Email, testkit.Password).Refused("ACCESS_REVOKED")
			equalList(t, "members", owner.Members(), "olivia@acme.test", "ann@x.org")
		})
	})
}

// waysToLose are ways to lose members.read: each admits a member who has it, and
// returns how the member loses it.
var waysToLose = map[string]func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer){
	"removed":     onMemberOf("removeMember"),
	"deactivated": onMemberOf("deactivateMember"),
	"demoted":     onMemberOf("setRoles", "permissions", []string{"team.read", "billing.read"}),
	"leaves": func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
		p := owner.Join(email, "member")
		return p, func() *testkit.Answer { return p.Mutate("leaveTeam", "removedMemberId", "teamId", p.TeamID) }
	},
	"role changed": func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
		role := newRole(owner, keyFrom(email), "members.read")
		return owner.JoinWith(email, "roleIds", []string{role}), func() *testkit.Answer {
			return owner.Mutate("updateRole", "role { id }", "roleId", role, "permissions", []string{"team.read"})
		}
	},
	"role replaced": func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
		role, billing := newRole(owner, keyFrom(email), "members.read"), owner.Role("billing")
		return owner.JoinWith(email, "roleIds", []string{role}), func() *testkit.Answer {
			return owner.Mutate("deleteRole", "deletedRoleId", "roleId", role, "reassignTo", billing)
		}
	},
	"group changed": func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
		group := newGroup(owner, email, owner.Role("viewer"))
		return owner.JoinWith(email, "groupIds", []string{group}), func() *testkit.Answer {
			return owner.Mutate("updateGroup", "group { id }", "groupId", group, "roleIds", []string{})
		}
	},
	"group deleted": func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
		group := newGroup(owner, email, owner.Role("viewer"))
		return owner.JoinWith(email, "groupIds", []string{group}), func() *testkit.Answer {
			return owner.Mutate("deleteGroup", "deletedGroupId", "groupId", group)
		}
	},
}

// keyFrom makes a role's key of an address.
func keyFrom(email string) string { return strings.NewReplacer(".", "_", "@", "_").Replace(email) }

func onMemberOf(mutation string, more ...any) func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
	return func(owner *testkit.Person, email string) (*testkit.Person, func() *testkit.Answer) {
		p := owner.Join(email, "member")
		id := owner.MemberID(email)
		return p, func() *testkit.Answer { return onMember(owner, mutation, id, more...) }
	}
}

func TestAStreamEndsWithTheRight(t *testing.T) {
	t.Parallel()
	onBothTransports(t, func(t *testing.T, w *testkit.World, subscribe func(*testkit.Person, map[string]any) *testkit.Stream) {
		owner := w.SignUp("olivia@acme.test")
		role := []string{owner.Role("billing")}
		for way, begin := range waysToLose {
			t.Run("BEY-4 no event from the commit on, and an end with its reason: "+way, func(t *testing.T) {
				// The end is promised within 2 s. A busy machine may hold up one stream, but
				// not one after the other.
				const within, tries = 2 * time.Second, 3
				for try := 1; ; try++ {
					p, lose := begin(owner, strings.ReplaceAll(way, " ", ".")+itoa(try)+"@x.org")
					late := endsWithTheRight(t, owner, p, role, lose, subscribe)
					if late <= within {
						break
					}
					if try == tries {
						t.Fatalf("the stream ended after %s, and %d times later than %s", late, tries, within)
					}
				}
			})
		}
	})
}

// endsWithTheRight has a follower lose the right while invitations are sent, and
// returns how long after the loss the stream ended.
func endsWithTheRight(t *testing.T, owner, p *testkit.Person, role []string, lose func() *testkit.Answer,
	subscribe func(*testkit.Person, map[string]any) *testkit.Stream,
) (late time.Duration) {
	t.Helper()
	stream := subscribe(p, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
	invite := func(email string) {
		owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", role, "sendEmail", false)).OK()
	}
	invite("before" + p.Email)
	for seen(stream.Next().OK()) != "CREATED before"+p.Email { // a mail may still have been on its way
	}
	var lost time.Time
	together(2, func(i int) {
		if i == 0 {
			lose().OK()
			lost = time.Now()
			return
		}
		for n := range 6 {
			invite(itoa(n) + p.Email)
		}
	})
	invite("after" + p.Email)
	rest := stream.Ended()
	late = time.Since(lost)
	if len(rest) == 0 || rest[len(rest)-1].Code() != "FORBIDDEN" {
		t.Fatalf("before the end came %d answers, want FORBIDDEN for the last", len(rest))
	}
	never := invitedSince(owner)
	for _, a := range rest[:len(rest)-1] {
		if slices.Contains(never, a.OK().Text("inviteStatusChanged.invitation.id")) {
			t.Errorf("%s was told after the right was lost", seen(a))
		}
	}
	return late
}

// invitedSince returns the ids of the invitations that were created after the
// last event of another kind.
func invitedSince(owner *testkit.Person) (ids []string) {
	a := owner.Ask(`account { auditLog(first: 20, filter: {types: [INVITATION_CREATED], kinds: [MEMBER, ROLE, GROUP]}) {
		nodes { type subjectId } } }`).OK()
	subjects := a.List("team.account.auditLog.nodes", "subjectId")
	for i, typ := range a.List("team.account.auditLog.nodes", "type") {
		if typ != "INVITATION_CREATED" {
			break
		}
		ids = append(ids, subjects[i])
	}
	return ids
}

// peopleAndRoles are the permissions to manage people and roles, and
// nothing else.
var peopleAndRoles = []string{
	"members.read", "members.invite", "members.update", "members.deactivate", "members.remove",
	"roles.read", "roles.assign", "roles.manage", "certificates.read:own",
}

func TestNobodyHandsOutWhatHeLacks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account, hrRole := owner.AccountID(), newRole(owner, "hr", peopleAndRoles...)
		hr := owner.JoinWith("hr@acme.test", "roleIds", []string{hrRole})
		bella := owner.Join("bella@acme.test", "billing")
		billing, clerk := newGroup(owner, "Billing", owner.Role("billing")), newRole(hr, "clerk", "members.read")
		clerks := newGroup(hr, "Clerks", clerk)
		open := hr.Do(testkit.InviteMutation, testkit.Input("teamId", hr.TeamID, "email", "ann@x.org", "roleIds", []string{clerk})).
			OK().Text("inviteUser.invitation.id")
		above := map[string]any{ // grants above the granter's rights, and the least of them
			"roleIds": []string{clerk, owner.Role("billing")}, "groupIds": []string{billing},
			"permissions": []string{"members.read", "certificates.read"},
		}
		for field, grant := range above {
			t.Run("BEY-12 nobody grants what they lack: "+field, func(*testing.T) {
				hr.Mutate("inviteUser", "invitation { id }", "teamId", hr.TeamID, "email", "x@x.org", field, grant).Refused("NOT_GRANTABLE grant.chosen." + field)
				hr.Mutate("updateInvite", "invitation { id }", "invitationId", open, field, grant).Refused("NOT_GRANTABLE grant.chosen." + field)
				onMember(hr, "setRoles", hr.MemberID("olivia@acme.test"), field, grant).Refused("OWNER_PROTECTED memberId")
				onMember(hr, "setRoles", hr.MemberID(hr.Email), field, grant).Refused("CANNOT_ACT_ON_SELF memberId")
			})
		}
		t.Run("BEY-12 nor everything, nor by a role, a group or another role in its place", func(t *testing.T) {
			hr.Mutate("inviteUser", "invitation { id }", "teamId", hr.TeamID, "email", "x@x.org", "allPermissions", true).Refused("NOT_GRANTABLE grant.allPermissions")
			hr.Mutate("updateInvite", "invitation { id }", "invitationId", open, "allPermissions", true).Refused("NOT_GRANTABLE grant.allPermissions")
			hr.Mutate("createRole", "role { id }", "accountId", account, "key", "more", "name", "More", "permissions", above["permissions"]).Refused("NOT_GRANTABLE permissions")
			hr.Mutate("updateRole", "role { id }", "roleId", clerk, "permissions", above["permissions"]).Refused("NOT_GRANTABLE permissions")
			hr.Mutate("updateRole", "role { id }", "roleId", hrRole, "permissions", append([]string{"billing.refund"}, peopleAndRoles...)).Refused("NOT_GRANTABLE permissions")
			hr.Mutate("createGroup", "group { id }", "accountId", account, "name", "More", "roleIds", above["roleIds"]).Refused("NOT_GRANTABLE roleIds")
			hr.Mutate("updateGroup", "group { id }", "groupId", clerks, "roleIds", above["roleIds"]).Refused("NOT_GRANTABLE roleIds")
			hr.Mutate("deleteRole", "deletedRoleId", "roleId", clerk, "reassignTo", owner.Role("billing")).Refused("NOT_GRANTABLE reassignTo")
			equalList(t, "roles to give", inOrder(hr.Ask(`assignableRoles { key }`).OK().List("team.assignableRoles", "key")), "clerk", "hr")
			equal(t, "refunds", may(hr, "billing.refund"), false)
			equal(t, "open invitations", len(owner.Invitations("PENDING")), 1)
		})
		t.Run("BEY-12 but what they hold, and what the member has already", func(t *testing.T) {
			id := owner.MemberID(bella.Email)
			onMember(hr, "setRoles", id, "roleIds", []string{owner.Role("billing"), clerk}, "permissions", []string{"certificates.read:own"}).OK()
			equalList(t, "roles", roleKeys(owner, bella.Email), "billing", "clerk")
			onMember(hr, "setRoles", id, "roleIds", []string{clerk}).OK() // taking needs no right of one's own
			onMember(hr, "setRoles", id, "roleIds", []string{owner.Role("billing")}).Refused("NOT_GRANTABLE roleIds")
			hr.Mutate("updateRole", "role { id }", "roleId", clerk, "permissions", []string{"members.read", "certificates.read:own"}).OK()
		})
		t.Run("BEY-12 nor what they lost before the invitee accepts", func(t *testing.T) {
			secret := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1))
			for _, held := range [][]string{{"team.read"}, {"members.invite", "members.read"}, {"members.read", "certificates.read:own"}} {
				onMember(owner, "setRoles", owner.MemberID(hr.Email), "permissions", held).OK()
				w.Anonymous().Accept(secret, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
			}
			onMember(owner, "setRoles", owner.MemberID(hr.Email), "roleIds", []string{hrRole}).OK()
			onMember(owner, "deactivateMember", owner.MemberID(hr.Email)).OK()
			w.Anonymous().Accept(secret, "password", testkit.Password).Refused("INVITER_LOST_GRANT")
			equal(t, "still open", len(owner.Invitations("PENDING")), 1)
			resend(owner, open).OK() // the owner answers for it from now on
			w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 2)), "password", testkit.Password).OK()
		})
	})
}

// admit makes p a member of the team past GraphQL, and past invitations that
// are open to that person.
func admit(t *testing.T, w *testkit.World, p, owner *testkit.Person, permissions ...string) {
	t.Helper()
	ctx := access.System(t.Context(), "admit somebody who is invited")
	user := p.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id")
	account := owner.AccountID()
	err := w.Server.Store.InAccount(ctx, account, func(tx *store.Tx) error {
		acc, err := tx.Account.Get(ctx, account)
		if err != nil {
			return err
		}
		_, err = w.Server.Roster.Admit(ctx, tx, acc, roster.Admission{
			AccountID: account, TeamID: owner.TeamID, UserID: user, Grant: access.Grant{Permissions: permissions},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAcceptingNeverLowers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		bea := w.SignUp("bea@x.org")
		owner.Invite(ann.Email, "member", "permissions", []string{"orders.read"}).OK()
		secret := testkit.Token(t, w.Mail.Wait(t, ann.Email, 2))
		owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", bea.Email, "permissions", []string{"orders.read"}, "allowedDomains", []string{"x.org"})).OK()
		restricted := testkit.Token(t, w.Mail.Wait(t, bea.Email, 2))
		t.Run("BEY-13 accepting restricts nobody who is not", func(t *testing.T) {
			admit(t, w, bea, owner, "billing.refund", "orders.read")
			bea.Accept(restricted).OK()
			equal(t, "refunds anywhere", may(bea.In(owner.TeamID), "billing.refund", "domain", "example.com"), true)
			onMember(owner, "removeMember", owner.MemberID(bea.Email)).OK()
		})
		t.Run("BEY-13 accepting adds to what a member has", func(t *testing.T) {
			admit(t, w, ann, owner, "billing.refund", "orders.read")
			a := ann.Accept(secret).OK()
			equalList(t, "permissions", a.List("acceptInvite.member.effectivePermissions", ""),
				"billing.refund", "members.read", "orders.read", "roles.read", "team.read")
			equal(t, "members", len(owner.Members()), 2)
			equal(t, "refunds anywhere", may(ann.In(owner.TeamID), "billing.refund", "domain", "example.com"), true)
		})
		t.Run("BEY-13 accepting once more does not undo later changes", func(t *testing.T) {
			onMember(owner, "setRoles", owner.MemberID(ann.Email), "roleIds", []string{owner.Role("account_admin")}).OK()
			equal(t, "again", ann.Accept(secret).OK().Text("acceptInvite.alreadyAccepted"), "true")
			equalList(t, "roles", roleKeys(owner, ann.Email), "account_admin")
		})
	})
}

func TestWhatBecomesOfARemovedMembersInvitations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		send := func(p *testkit.Person, email string) (secret string) {
			return tokenOf(t, p.Invite(email, "billing", "sendEmail", false).OK().Text("inviteUser.inviteUrl"))
		}
		t.Run("BEY-26 removing a member revokes the open invitations they sent, on the open page too", func(t *testing.T) {
			adam := owner.Join("adam@acme.test", "account_admin")
			owner.Delivered(adam.Email)
			bob := send(adam, "bob@x.org")
			send(adam, "carl@x.org")
			send(owner, "dora@x.org")
			stream := owner.Subscribe(watch, map[string]any{"team": owner.TeamID, "after": eventCursor(owner)})
			onMember(owner, "removeMember", owner.MemberID(adam.Email)).OK()
			for _, email := range []string{"bob@x.org", "carl@x.org"} {
				a := stream.Next().OK()
				equal(t, "event", seen(a), "REVOKED "+email)
				equal(t, "previous status", a.Text("inviteStatusChanged.previousStatus"), "PENDING")
			}
			equalList(t, "open", owner.Invitations("PENDING"), "dora@x.org PENDING NOT_REQUESTED")
			equalList(t, "revoked", owner.Invitations("REVOKED"), "carl@x.org REVOKED NOT_REQUESTED", "bob@x.org REVOKED NOT_REQUESTED")
			w.SignUp("bob@x.org").Accept(bob).Refused("INVITATION_REVOKED")
		})
		t.Run("BEY-26 leaving revokes them too; a setting keeps them, and they can be accepted", func(t *testing.T) {
			eve, gil := owner.Join("eve@acme.test", "account_admin"), owner.Join("gil@acme.test", "account_admin")
			send(eve, "fred@x.org")
			eve.Mutate("leaveTeam", "removedMemberId", "teamId", owner.TeamID).OK()
			equalList(t, "open", owner.Invitations("PENDING"), "dora@x.org PENDING NOT_REQUESTED")
			hal := send(gil, "hal@x.org")
			owner.Mutate("updateAccount", "account { settings { keepInvitationsOfRemovedMembers } }",
				"accountId", owner.AccountID(), "keepInvitationsOfRemovedMembers", true).OK()
			onMember(owner, "removeMember", owner.MemberID(gil.Email)).OK()
			equalList(t, "open", owner.Invitations("PENDING"), "hal@x.org PENDING NOT_REQUESTED", "dora@x.org PENDING NOT_REQUESTED")
			w.SignUp("hal@x.org").Accept(hal).OK()
		})
	})
}
