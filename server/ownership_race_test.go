package server_test

import (
	"testing"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/roster"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/internal/testkit/rounds"
)

// throne is a team whose ownership several people try to change at once.
type throne struct {
	t      *testing.T
	w      *testkit.World
	owner  string
	people map[string]*testkit.Person // by address; not the admin
	admin  *testkit.Person
}

// members returns the team's members by address, past GraphQL, and fails unless
// exactly one of them is the owner.
func (r *throne) members() map[string]*ent.Member {
	r.t.Helper()
	rows, err := r.w.Server.Store.Read().Member.Query().Where(member.TeamID(r.admin.TeamID)).WithUser().
		All(access.System(r.t.Context(), "look who owns the team"))
	if err != nil {
		r.t.Fatal(err)
	}
	found, owners := map[string]*ent.Member{}, 0
	for _, m := range rows {
		found[m.Edges.User.Email] = m
		if m.IsOwner {
			owners++
			r.owner = m.Edges.User.Email
		}
	}
	if owners != 1 {
		r.t.Fatalf("%d owners, want one", owners)
	}
	return found
}

// readmit gives removed and deactivated members their membership back.
func (r *throne) readmit(now map[string]*ent.Member, before map[string]*ent.Member) {
	r.t.Helper()
	for email, m := range before {
		switch at := now[email]; {
		case at == nil:
			err := r.w.Server.Store.InAccount(access.System(r.t.Context(), "admit again"), m.AccountID, func(tx *store.Tx) error {
				ctx := access.System(r.t.Context(), "admit again")
				acc, err := tx.Account.Get(ctx, m.AccountID)
				if err != nil {
					return err
				}
				_, err = r.w.Server.Roster.Admit(ctx, tx, acc, roster.Admission{AccountID: acc.ID, TeamID: m.TeamID, UserID: m.UserID})
				return err
			})
			if err != nil {
				r.t.Fatal(err)
			}
		case at.Status == member.StatusDeactivated:
			onMember(r.admin, "reactivateMember", at.ID).OK()
		}
	}
}

func TestOneOwner(t *testing.T) {
	t.Parallel()
	rounds := rounds.Of(t, 1000)
	each(t, func(t *testing.T, w *testkit.World) {
		// Olivia hands the team over, and stays as its admin. The others have teams
		// of their own, so that being removed does not sign them out.
		olivia := w.SignUp("olivia@acme.test")
		r := &throne{t: t, w: w, admin: olivia, people: map[string]*testkit.Person{}}
		for _, email := range []string{"ann@acme.test", "bob@acme.test", "cora@acme.test"} {
			r.people[email] = olivia.Join(email, "member")
		}
		offer := olivia.Mutate("requestOwnershipTransfer", "transfer { id }", "memberId", olivia.MemberID("ann@acme.test")).OK()
		r.people["ann@acme.test"].Mutate("acceptOwnershipTransfer", "transfer { status }", "transferId", offer.Text("requestOwnershipTransfer.transfer.id")).OK()
		t.Run("BEY-8 SSL-16 exactly one owner, whatever happens at once", func(t *testing.T) {
			r.t = t
			for round := range rounds {
				before := r.members()
				owner := r.people[r.owner]
				var targets []string
				for email := range r.people {
					if email != r.owner {
						targets = append(targets, email)
					}
				}
				r.round(round, owner, targets, before)
				r.readmit(r.members(), before)
			}
			equal(t, "the owner", r.admin.Ask(`owner { user { email } }`).OK().Text("team.owner.user.email"), r.owner)
		})
	})
}

// round offers the ownership to two members at once. The one with the offer
// accepts while another act takes the offer away.
func (r *throne) round(round int, owner *testkit.Person, targets []string, before map[string]*ent.Member) {
	r.t.Helper()
	offers := make([]*testkit.Answer, 2)
	together(2, func(i int) {
		offers[i] = owner.Mutate("requestOwnershipTransfer", "transfer { id to { user { email } } }", "memberId", before[targets[i]].ID)
	})
	if a, b := outcome(offers[0]), outcome(offers[1]); (a == "in") == (b == "in") || a+b != "inTRANSFER_PENDING memberId" && b+a != "inTRANSFER_PENDING memberId" {
		r.t.Fatalf("round %d: two offers at once: %s and %s, want one to be refused", round, a, b)
	}
	offer := offers[0]
	if outcome(offer) != "in" {
		offer = offers[1]
	}
	id := offer.Text("requestOwnershipTransfer.transfer.id")
	heir := offer.Text("requestOwnershipTransfer.transfer.to.user.email")
	var accepted, against *testkit.Answer
	together(2, func(i int) {
		if i == 0 {
			accepted = r.people[heir].Mutate("acceptOwnershipTransfer", "transfer { status }", "transferId", id)
			return
		}
		switch round % 4 {
		case 0:
			against = onMember(r.admin, "removeMember", before[heir].ID)
		case 1:
			against = onMember(r.admin, "deactivateMember", before[heir].ID)
		case 2:
			against = owner.Mutate("cancelOwnershipTransfer", "transfer { status }", "transferId", id)
		default:
			against = r.people[heir].Mutate("leaveTeam", "removedMemberId", "teamId", owner.TeamID)
		}
	})
	if (outcome(accepted) == "in") == (outcome(against) == "in") {
		r.t.Errorf("round %d: accept %s, against it %s; want exactly one to win", round, outcome(accepted), outcome(against))
	}
	r.members()
	if won := outcome(accepted) == "in"; won != (r.owner == heir) {
		r.t.Errorf("round %d: accepted is %t, and the owner %s", round, won, r.owner)
	}
}

func TestTheDatabaseRefusesASecondOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		id := owner.MemberID(owner.Join("ann@x.org", "member").Email)
		ctx := access.System(t.Context(), "try to make a second owner")
		err := w.Server.Store.InTx(ctx, func(tx *store.Tx) error { return tx.Member.UpdateOneID(id).SetIsOwner(true).Exec(ctx) })
		if !ent.IsConstraintError(err) {
			t.Errorf("got %v, want the database to refuse", err)
		}
	})
}

func setSeats(t *testing.T, w *testkit.World, accountID string, most int) {
	t.Helper()
	err := w.Server.Roster.SetLimits(t.Context(), accountID, roster.Limits{MaxMembersPerTeam: &roster.Limit{Most: &most}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheLastSeat(t *testing.T) {
	t.Parallel()
	const atOnce = 3
	rounds := rounds.Of(t, 1000)
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		account, role := owner.AccountID(), []string{owner.Role("billing")}
		setSeats(t, w, account, 2)
		invite := func(email string) string {
			return owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", email, "roleIds", role, "sendEmail", false)).
				OK().Text("inviteUser.invitation.id")
		}
		people, ids := make([]*testkit.Person, atOnce), make([]string, atOnce)
		for i := range people {
			people[i] = w.SignUp("p" + itoa(i) + "@x.org")
			ids[i] = invite(people[i].Email)
		}
		t.Run("BEY-7 the last seat goes to one, in each of many rounds", func(t *testing.T) {
			for round := range rounds {
				answers := make([]*testkit.Answer, atOnce)
				together(atOnce, func(i int) {
					answers[i] = people[i].Do(testkit.AcceptMutation, testkit.Input("id", ids[i]))
				})
				winner := -1
				for i, a := range answers {
					switch got := outcome(a); {
					case got == "in" && winner < 0:
						winner = i
					case got != "SEAT_LIMIT_REACHED":
						t.Fatalf("round %d: %s, want one in and the others to be told that there is no seat", round, got)
					}
				}
				onMember(owner, "removeMember", answers[winner].Text("acceptInvite.member.id")).OK()
				ids[winner] = invite(people[winner].Email)
			}
		})
		t.Run("BEY-7 64 newcomers at once for one seat", func(t *testing.T) {
			const crowd = 64
			setSeats(t, w, account, 100)
			secrets := make([]string, crowd)
			for i := range secrets {
				owner.Do(testkit.InviteMutation, testkit.Input("teamId", owner.TeamID, "email", "n"+itoa(i)+"@x.org", "roleIds", role)).OK()
			}
			for i := range secrets {
				secrets[i] = testkit.Token(t, w.Mail.Wait(t, "n"+itoa(i)+"@x.org", 1))
			}
			setSeats(t, w, account, 2)
			got := map[string]int{}
			answers := make([]string, crowd)
			together(crowd, func(i int) { answers[i] = outcome(w.Anonymous().Accept(secrets[i], "password", testkit.Password)) })
			for _, a := range answers {
				got[a]++
			}
			if got["in"] != 1 || got["SEAT_LIMIT_REACHED"] != crowd-1 {
				t.Errorf("got %v, want one in", got)
			}
			equal(t, "still open", owner.Ask(`counts { invited active }`).OK().Text("team.counts.invited"), itoa(crowd-1+atOnce))
			w.Clock.Advance(time.Second)
		})
	})
}
