package server_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// HARD-18: an inviter of a deactivated member is told so, and whom to reactivate.
func TestInvitingADeactivatedMember(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		old := owner.Invite("ann@bücher.example", "viewer", "sendEmail", false).OK().Text("inviteUser.invitation.id")
		w.Clock.Advance(100 * 24 * time.Hour)
		owner = w.SignIn(owner.Email)
		ann := owner.Join("Ann@bücher.example", "viewer")
		id := owner.MemberID("Ann@bücher.example")
		clerk := owner.JoinWith("clerk@acme.test", "allPermissions", true)
		blind := owner.JoinWith("blind@acme.test", "permissions", []string{"members.invite", "team.read"})
		onMember(owner, "deactivateMember", id).OK()
		spellings := []string{ann.Email, "ANN@BÜCHER.example", "ann@xn--bcher-kva.example", " ann@bücher.example "}
		const who = `member { id status viewerCanReactivate }`
		t.Run("HARD-18 one by one, in every spelling", func(t *testing.T) {
			for _, email := range spellings {
				a := clerk.Mutate("inviteUser", who, "teamId", owner.TeamID, "email", email, "permissions", []string{"team.read"}).Refused("MEMBER_DEACTIVATED email")
				equal(t, "member", a.Text("inviteUser.member.id"), id)
				equal(t, "status", a.Text("inviteUser.member.status"), "DEACTIVATED")
				equal(t, "may reactivate", a.At("inviteUser.member.viewerCanReactivate"), any(true))
			}
		})
		t.Run("HARD-18 many at once, and again with the same key", func(t *testing.T) {
			for range 2 {
				a := clerk.Mutate("inviteUsers", `results { outcome `+who+` userErrors { code field message } }`, "teamId", owner.TeamID,
					"emails", append([]string{"new@x.org", owner.Email}, spellings...), "permissions", []string{"team.read"}, "idempotencyKey", "again").OK()
				equalList(t, "outcomes", a.List("inviteUsers.results", "outcome"), "INVITED", "ALREADY_MEMBER", "ALREADY_MEMBER", "ALREADY_MEMBER", "ALREADY_MEMBER", "ALREADY_MEMBER")
				equalList(t, "codes", a.List("inviteUsers.results", "userErrors.0.code"), "", "ALREADY_MEMBER", "MEMBER_DEACTIVATED", "MEMBER_DEACTIVATED", "MEMBER_DEACTIVATED", "MEMBER_DEACTIVATED")
				equalList(t, "members", a.List("inviteUsers.results", "member.id"), "", owner.MemberID(owner.Email), id, id, id, id)
			}
		})
		t.Run("HARD-18 by a resend of an expired invitation", func(t *testing.T) {
			a := owner.Mutate("resendInvite", who, "invitationId", old).Refused("MEMBER_DEACTIVATED invitationId")
			equal(t, "member", a.Text("resendInvite.member.id"), id)
			a = owner.Mutate("resendInvites", `results { outcome `+who+` userErrors { code field message } }`, "teamId", owner.TeamID, "invitationIds", []string{old}).OK()
			equal(t, "code", a.Text("resendInvites.results.0.userErrors.0.code"), "MEMBER_DEACTIVATED")
			equal(t, "member", a.Text("resendInvites.results.0.member.id"), id)
		})
		t.Run("HARD-18 who may not see members learns no id", func(t *testing.T) {
			a := blind.Mutate("inviteUser", who, "teamId", owner.TeamID, "email", ann.Email, "permissions", []string{"team.read"}).Refused("MEMBER_DEACTIVATED email")
			equal(t, "member", a.At("inviteUser.member"), nil)
		})
		t.Run("HARD-18 reactivated, they are members like others", func(t *testing.T) {
			onMember(clerk, "reactivateMember", id).OK()
			a := clerk.Mutate("inviteUser", who, "teamId", owner.TeamID, "email", ann.Email, "permissions", []string{"team.read"}).Refused("ALREADY_MEMBER email")
			equal(t, "member", a.Text("inviteUser.member.id"), id)
		})
	})
}

// HARD-18: an invitation into a team that is deleted has one answer, before, after and
// while it is deleted: the one to a token or an id that never was.
func TestAcceptingWhileTheTeamIsDeleted(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 60)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		ann := w.SignUp("ann@x.org")
		in := 0
		for round := range rounds {
			team := owner.In(owner.Mutate("createTeam", "team { id }", "accountId", owner.AccountID(), "name", "Short").OK().Text("createTeam.team.id"))
			newcomer := "new" + itoa(round) + "@x.org"
			team.Do(testkit.InviteMutation, testkit.Input("teamId", team.TeamID, "email", newcomer, "permissions", []string{"team.read"})).OK()
			secret := testkit.Token(t, w.Mail.Wait(t, newcomer, 1))
			id := team.Do(testkit.InviteMutation, testkit.Input("teamId", team.TeamID, "email", ann.Email, "permissions", []string{"team.read"}, "sendEmail", false)).OK().Text("inviteUser.invitation.id")
			attempts := []func() *testkit.Answer{
				func() *testkit.Answer { return w.Anonymous().Accept(secret, "password", testkit.Password) },
				func() *testkit.Answer { return w.Anonymous().Mutate("declineInvite", "", "token", secret) },
				func() *testkit.Answer { return ann.Do(testkit.AcceptMutation, testkit.Input("id", id)) },
				func() *testkit.Answer {
					return w.Anonymous().Do(`query($token: String!) { invitationByToken(token: $token) { teamName accountName } }`, map[string]any{"token": secret})
				},
				func() *testkit.Answer { return team.Mutate("deleteTeam", "deletedTeamId", "teamId", team.TeamID) },
			}
			answers := make([]*testkit.Answer, len(attempts))
			together(len(attempts), func(i int) { answers[i] = attempts[i]() })
			answers[4].OK()
			answers[3].OK()
			for n, gone := range []string{"INVALID_TOKEN invitation.token", "INVALID_TOKEN invitation.token", "NOT_FOUND"} {
				switch got := outcome(answers[n]); got {
				case "in":
					in++
				case gone, "INVITATION_DECLINED", "INVITATION_ALREADY_ACCEPTED":
				default:
					t.Errorf("round %d: attempt %d got %q, want it done, %q, or overtaken by the other answer: %s", round, n, got, gone, answers[n].Raw)
				}
				attempts[n]().Refused(gone)
			}
			equal(t, "preview", attempts[3]().OK().At("invitationByToken"), nil)
		}
		t.Logf("%d of %d answers came before the deletion", in, 3*rounds)
	})
}
