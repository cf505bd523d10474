package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/uid"
)

func TestBadInputOfSignUpAndSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		for name, c := range map[string]struct {
			email, password string
			want            string
		}{
			"no address":        {"", testkit.Password, "BLANK email"},
			"no such address":   {"olivia", testkit.Password, "INVALID_EMAIL email"},
			"header injection":  {"a@x.org\r\nBcc: b@x.org", testkit.Password, "INVALID_EMAIL email"},
			"no password":       {"a@x.org", "", "BLANK password"},
			"a short password":  {"a@x.org", "q8#vT2z", "WEAK_PASSWORD password"},
			"a common password": {"a@x.org", "iloveyou", "WEAK_PASSWORD password"},
		} {
			t.Run(name, func(*testing.T) { signUp(w, c.email, c.password).Refused(c.want) })
		}
		a := w.Anonymous().Do(`mutation($input: SignUpInput!) { signUp(input: $input) { userErrors { code field } } }`,
			testkit.Input("email", "x", "password", "x", "firstName", strings.Repeat("x", 101), "accountName", strings.Repeat("x", 101)))
		equalList(t, "all at once", a.UserErrors(),
			"INVALID_EMAIL email", "WEAK_PASSWORD password", "TOO_LONG firstName", "TOO_LONG accountName")
		verify(w, "").Refused("INVALID_TOKEN token")
		verify(w, "nonsense").Refused("INVALID_TOKEN token")
		signIn(w, "", "").Refused("INVALID_CREDENTIALS")
		signIn(w, "nobody@x.org", strings.Repeat("x", 5000)).Refused("INVALID_CREDENTIALS")
	})
}

func TestBadInputOfInviteUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner, stranger := w.SignUp("olivia@acme.test"), w.SignUp("mallory@evil.test")
		role := []string{owner.Role("billing")}
		owner.Invite("known@x.org", "billing").OK()
		for name, c := range map[string]struct {
			change []any
			want   string
		}{
			"no address":                     {[]any{"email", " "}, "BLANK email"},
			"no such address":                {[]any{"email", "ann@"}, "INVALID_EMAIL email"},
			"two addresses":                  {[]any{"email", "a@x.org,b@x.org"}, "INVALID_EMAIL email"},
			"a member":                       {[]any{"email", "Olivia@ACME.test"}, "ALREADY_MEMBER email"},
			"invited already":                {[]any{"email", "KNOWN@x.org"}, "ALREADY_INVITED email"},
			"a long name":                    {[]any{"firstName", strings.Repeat("ä", 101)}, "TOO_LONG firstName"},
			"a long note":                    {[]any{"note", strings.Repeat("ä", 501)}, "TOO_LONG note"},
			"no grant":                       {[]any{"roleIds", nil}, "INVALID_GRANT grant"},
			"an empty grant":                 {[]any{"roleIds", []string{}}, "INVALID_GRANT grant"},
			"both grants":                    {[]any{"allPermissions", true}, "GRAPHQL_VALIDATION_FAILED"},
			"a random role":                  {[]any{"roleIds", []string{uid.New(uid.Role)}}, "ROLE_NOT_FOUND grant.chosen.roleIds"},
			"a stranger's role":              {[]any{"roleIds", []string{stranger.Role("billing")}}, "ROLE_NOT_FOUND grant.chosen.roleIds"},
			"one good and one bad role":      {[]any{"roleIds", append([]string{"nonsense"}, role...)}, "ROLE_NOT_FOUND grant.chosen.roleIds"},
			"a permission nobody knows":      {[]any{"permissions", []string{"members.invite", "no.such"}}, "PERMISSION_UNKNOWN grant.chosen.permissions"},
			"no time":                        {[]any{"expiresInHours", 0}, "INVALID_VALUE expiresInHours"},
			"too much time":                  {[]any{"expiresInHours", 721}, "INVALID_VALUE expiresInHours"},
			"a random team":                  {[]any{"teamId", uid.New(uid.Team)}, "NOT_FOUND"},
			"a stranger's team":              {[]any{"teamId", stranger.TeamID}, "NOT_FOUND"},
			"a team that is no id":           {[]any{"teamId", "' OR 1=1 --"}, "NOT_FOUND"},
			"a role that is no text":         {[]any{"roleIds", []string{"\x00"}}, "ROLE_NOT_FOUND grant.chosen.roleIds"},
			"a value of the wrong type":      {[]any{"expiresInHours", "soon"}, "GRAPHQL_VALIDATION_FAILED"},
			"a field that may not be set":    {[]any{"status", "ACCEPTED"}, "GRAPHQL_VALIDATION_FAILED"},
			"a field that must not be there": {[]any{"accountId", "acc_x"}, "GRAPHQL_VALIDATION_FAILED"},
		} {
			t.Run(name, func(*testing.T) {
				pairs := append([]any{"teamId", owner.TeamID, "email", "ann@x.org", "roleIds", role}, c.change...)
				owner.Do(testkit.InviteMutation, testkit.Input(pairs...)).Refused(c.want)
			})
		}
		// Nothing of all this has left a trace.
		equal(t, "invitations", len(owner.Invitations()), 1)
		equal(t, "mails", len(w.Mail.To("ann@x.org")), 0)
	})
}

func TestWhoMayNotInvite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		viewer, admin := owner.Join("victor@acme.test", "viewer"), owner.Join("adam@acme.test", "account_admin")
		id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
		role := []string{owner.Role("billing")}
		input := testkit.Input("teamId", owner.TeamID, "email", "bob@x.org", "roleIds", role)
		viewer.Do(testkit.InviteMutation, input).Refused("FORBIDDEN")
		w.Anonymous().Do(testkit.InviteMutation, input).Refused("UNAUTHENTICATED")
		resend(viewer, id).Refused("FORBIDDEN")
		revoke(viewer, id).Refused("FORBIDDEN")
		equal(t, "the viewer's flags", viewer.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { viewerCanRevoke } } }`,
			map[string]any{"id": id}).OK().Text("node.viewerCanRevoke"), "false")

		stranger := w.SignUp("mallory@evil.test")
		for _, unknown := range []string{id, uid.New(uid.Invitation), "nonsense"} {
			resend(stranger, unknown).Refused("NOT_FOUND")
			revoke(stranger, unknown).Refused("NOT_FOUND")
			stranger.Do(testkit.AcceptMutation, testkit.Input("id", unknown)).Refused("NOT_FOUND")
		}
		admin.Do(testkit.InviteMutation, input).OK()
	})
}

func TestNobodyGrantsWhatHeLacks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		// A member who may invite, see people, and do the tasks of billing.
		owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "hr@acme.test",
			"roleIds", []string{owner.Role("billing")}, "permissions", []string{"members.invite", "members.read"})).OK()
		accepted := w.Anonymous().Accept(testkit.Token(t, w.Mail.Wait(t, "hr@acme.test", 1)), "password", testkit.Password).OK()
		clerk := w.WithToken(accepted.Text("acceptInvite.sessionToken"))
		for name, c := range map[string]struct {
			grant []any
			want  string
		}{
			"a role above":       {[]any{"roleIds", []string{owner.Role("validation")}}, "NOT_GRANTABLE grant.chosen.roleIds"},
			"a permission above": {[]any{"permissions", []string{"account.delete"}}, "NOT_GRANTABLE grant.chosen.permissions"},
			"everything":         {[]any{"allPermissions", true}, "NOT_GRANTABLE grant.allPermissions"},
		} {
			t.Run(name, func(*testing.T) {
				clerk.Do(testkit.InviteMutation, testkit.Input(append([]any{"teamId", owner.TeamID, "email", "x@x.org"}, c.grant...)...)).Refused(c.want)
			})
		}
		clerk.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "x@x.org", "roleIds", []string{owner.Role("billing")})).OK()
		above := owner.Invite("above@x.org", "account_admin").OK()
		clerk.Do(`mutation($input: ResendInviteInput!) { resendInvite(input: $input) { userErrors { code field } } }`,
			testkit.Input("invitationId", above.Text("inviteUser.invitation.id"))).Refused("NOT_GRANTABLE invitationId")
	})
}

func TestBadAnswersToAnInvitation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		id := owner.Invite("ann@x.org", "billing").OK().Text("inviteUser.invitation.id")
		secret := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1))
		nobody := w.Anonymous()
		nobody.Do(testkit.AcceptMutation, testkit.Input()).Refused("GRAPHQL_VALIDATION_FAILED")
		nobody.Do(testkit.AcceptMutation, testkit.Input("token", secret, "id", id)).Refused("GRAPHQL_VALIDATION_FAILED")
		nobody.Do(testkit.AcceptMutation, testkit.Input("id", id)).Refused("UNAUTHENTICATED")
		nobody.Accept("nonsense").Refused("INVALID_TOKEN invitation.token")
		decline(nobody, "nonsense").Refused("INVALID_TOKEN invitation.token")
		nobody.Accept(secret, "password", testkit.Password, "firstName", strings.Repeat("x", 101)).Refused("TOO_LONG firstName")

		other := w.SignUp("carl@x.org")
		t.Run("BEY-10 another user is told their own address, and not the addressee's", func(t *testing.T) {
			asItIs := func() string {
				return owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { status acceptedBy { id } timeline { nodes { type } } } } }`,
					map[string]any{"id": id}).OK().Raw
			}
			owner.Delivered("ann@x.org")
			before := asItIs()
			mismatch := other.Accept(secret).Refused("EMAIL_MISMATCH")
			message := mismatch.Text("acceptInvite.userErrors.0.message")
			if !strings.Contains(message, "a•••@x•••.org") || !strings.Contains(message, "carl@x.org") || strings.Contains(message, "ann@x.org") {
				t.Errorf("message: %q, want the invited address masked and the viewer's own", message)
			}
			decline(other.Client, secret).Refused("EMAIL_MISMATCH")
			equal(t, "invitation", asItIs(), before)
			equal(t, "next step", other.Do(preview, token(secret)).OK().Text("invitationByToken.nextStep"), "SWITCH_ACCOUNT")
		})

		ann := w.SignUp("ann@x.org")
		nobody.Accept(secret, "password", testkit.Password).Refused("AUTHENTICATION_REQUIRED")
		ann.Do(testkit.AcceptMutation, testkit.Input("id", id)).OK()
		equal(t, "again", ann.Accept(secret).OK().Text("acceptInvite.alreadyAccepted"), "true")
		other.Accept(secret).Refused("INVITATION_ALREADY_ACCEPTED")
		nobody.Accept(secret, "password", testkit.Password).Refused("INVITATION_ALREADY_ACCEPTED")
		decline(ann.Client, secret).Refused("INVITATION_ALREADY_ACCEPTED")
		revoke(owner, id).Refused("INVITATION_ALREADY_ACCEPTED")
	})
}

func TestALinkHandedOverProvesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		a := owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
		equal(t, "mails", a.Text("inviteUser.invitation.sendCount"), "0")
		secret := tokenOf(t, a.Text("inviteUser.inviteUrl"))
		nobody := w.Anonymous()
		equal(t, "next step", nobody.Do(preview, token(secret)).Text("invitationByToken.nextStep"), "SIGN_IN_OR_SIGN_UP")
		nobody.Accept(secret, "password", testkit.Password).Refused("AUTHENTICATION_REQUIRED")
		w.SignUp("ann@x.org").Accept(secret).OK()
	})
}

func TestAfterARefusalInvitingWorksAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		a := owner.Invite("ann@x.org", "billing").OK()
		first := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1))
		revoke(owner, a.Text("inviteUser.invitation.id")).OK()
		equal(t, "twice", revoke(owner, a.Text("inviteUser.invitation.id")).OK().Text("revokeInvite.invitation.status"), "REVOKED")
		w.Anonymous().Accept(first, "password", testkit.Password).Refused("INVITATION_REVOKED")
		owner.Invite("ann@x.org", "viewer").OK()
		second := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 2))
		declined := decline(w.Anonymous(), second).OK()
		equal(t, "status", declined.Text("declineInvite.invitation.status"), "DECLINED")
		decline(w.Anonymous(), second).OK()
		owner.Invite("ann@x.org", "viewer").Refused("INVITE_COOL_OFF email")
		w.Anonymous().Mutate("unblockInvitations", "", "token", second).OK() // who declined by mistake
		owner.Invite("ann@x.org", "viewer").OK()
	})
}

func TestAZeroByteIsNoText(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		found := owner.Do(`query($id: ID!) { team(id: $id) { members(filter: {search: "oli\u0000via"}) { nodes { id } } } }`,
			map[string]any{"id": owner.TeamID}).OK()
		equal(t, "found by a text with a zero byte", len(found.List("team.members.nodes", "id")), 1)
		a := owner.Invite("ann@x.org", "billing", "firstName", "A\x00nn").OK()
		got := owner.Do(`query($id: ID!) { node(id: $id) { ... on Invitation { firstName } } }`, map[string]any{"id": a.Text("inviteUser.invitation.id")})
		equal(t, "name", got.Text("node.firstName"), "Ann")
	})
}

func TestNoPageIsTooMuch(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		id := map[string]any{"id": owner.TeamID, "n": 100}
		owner.Do(`query($id: ID!, $n: Int) { team(id: $id) { members(first: $n) { nodes { id user { email } roles { key } } } } }`, id).OK()
		owner.Do(`query($id: ID!, $n: Int) { team(id: $id) { members(first: $n) { nodes { team { members(first: $n) { nodes { id user { email } } } } } } } }`, id).Refused("QUERY_TOO_COMPLEX")
		owner.Do(`query($id: ID!) { team(id: $id) { members(first: 101) { nodes { id } } } }`, id).Refused("BAD_USER_INPUT")
	})
}

func TestEverybodyMayAskEverythingOfHisTeam(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		for _, role := range []string{"billing", "validation", "installer", "member", "viewer", "account_admin"} {
			p := owner.Join(role+"@acme.test", role)
			a := p.Do(`query($id: ID!) { viewer { memberships { nodes { id roles { key } effectivePermissions user { email } team { name } } } } team(id: $id) { name isDefault createdAt
				account { name teams { totalCount } divisions { totalCount } user(email: "olivia@acme.test") { id } }
				owner { user { email } roles { key } team { name } lastSeenAt } viewerMembership { version allowedDomains directPermissions }
				assignableRoles { key } pendingOwnershipTransfer { id } eventCursor viewerCanInvite viewerCanManageMembers viewerCanManageRoles viewerCanTransferOwnership } }`, map[string]any{"id": owner.TeamID}).OK()
			equal(t, "the owner, as seen by "+role, a.Text("team.owner.user.email"), "olivia@acme.test")
		}
	})
}

func TestWhatAStrangerLearnsByDeclining(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Invite("ann@x.org", "billing", "note", "between us").OK()
		secret := testkit.Token(t, w.Mail.Wait(t, "ann@x.org", 1))
		a := w.Anonymous().Do(`mutation($input: DeclineInviteInput!) { declineInvite(input: $input) {
			invitation { status email note team { name account { name } } inviter { __typename } permissions delivery { error } } userErrors { code } } }`,
			testkit.Input("token", secret)).OK()
		equal(t, "status", a.Text("declineInvite.invitation.status"), "DECLINED")
		for _, hidden := range []string{"ann@x.org", "between us", "olivia@acme.test"} {
			if strings.Contains(a.Raw, hidden) {
				t.Errorf("the answer tells %q: %s", hidden, a.Raw)
			}
		}
		handed := owner.Invite("bob@x.org", "billing", "sendEmail", false).OK()
		decline(w.Anonymous(), tokenOf(t, handed.Text("inviteUser.inviteUrl"))).Refused("AUTHENTICATION_REQUIRED")
	})
}

// A refusal about the address of an invitation names the field by which the input names the
// invitation.
func TestResendToAMemberNamesTheInvitation(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		expired := owner.Invite("ann@x.org", "billing", "expiresInHours", 1).OK().Text("inviteUser.invitation.id")
		w.Clock.Advance(2 * time.Hour)
		ann := w.SignUp("ann@x.org")
		ann.Do(testkit.AcceptMutation, testkit.Input("id", owner.Invite(ann.Email, "billing").OK().Text("inviteUser.invitation.id"))).OK()
		resend(owner, expired).Refused("ALREADY_MEMBER invitationId")
	})
}
