package graph

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

// people reads a page of one list of members and of open or expired invitations. Each
// person is in it once: an expired invitation that a newer one supersedes is left out.
func (r *Resolver) people(ctx context.Context, t *ent.Team, args relay.Args, f *model.PersonFilter, o *model.PersonOrder) (*relay.Connection[model.Person], error) {
	if f == nil {
		f = &model.PersonFilter{}
	}
	wants := func(s model.PersonStatus) bool { return len(f.Status) == 0 || slices.Contains(f.Status, s) }
	scans := isScan(f.Search, f.RoleID, f.GroupID, f.DivisionID)
	if err := chargePeople(ctx, t, scans); err != nil {
		return nil, err
	}
	byMember, byInvitation := peopleBy(o)
	members, err := r.membersAmong(ctx, t, f, wants)
	if err != nil {
		return nil, err
	}
	invitations, err := r.invitationsAmong(ctx, t, f, wants)
	if err != nil {
		return nil, err
	}
	var sources []relay.Source[model.Person]
	if members != nil {
		sources = append(sources, relay.From(members, byMember, func(m *ent.Member) model.Person { return m }))
	}
	if invitations != nil {
		sources = append(sources, relay.From(invitations, byInvitation, func(i *ent.Invitation) model.Person { return i }))
	}
	page, err := relay.Union(ctx, args, sources...)
	if err != nil || scans {
		return page, err
	}
	return page.CountedBy(func(ctx context.Context) (int, error) {
		c, err := r.teamCounts(ctx, t)
		if err != nil {
			return 0, err
		}
		n := 0
		for s, count := range map[model.PersonStatus]int{
			model.PersonStatusActive: c.Active, model.PersonStatusDeactivated: c.Deactivated,
			model.PersonStatusInvited: c.Invited, model.PersonStatusExpired: c.Expired,
		} {
			if wants(s) {
				n += count
			}
		}
		return n, nil
	}), nil
}

// isScan reports whether one of the filters is set for which there is no index: a list with
// it may read all rows of a team, and its total is counted.
func isScan(filters ...*string) bool {
	return slices.ContainsFunc(filters, func(f *string) bool { return f != nil })
}

func scansMembers(f *model.MemberFilter) bool {
	return f != nil && (f.LastSeenBefore != nil || isScan(f.Search, f.RoleID, f.GroupID, f.DivisionID))
}

func scansInvitations(f *model.InvitationFilter) bool {
	return f != nil && isScan(f.Search, f.RoleID, f.GroupID, f.DivisionID)
}

// chargePeople charges a list of a team's people that scans. QUERY_TOO_COMPLEX.
func chargePeople(ctx context.Context, t *ent.Team, scans bool) error {
	if !scans {
		return nil
	}
	return chargeScan(ctx, t.ActiveMembers+t.DeactivatedMembers+t.AllInvitations)
}

// membersAmong returns the query of the members in a list of people; nil when the filter
// selects no state of members.
func (r *Resolver) membersAmong(ctx context.Context, t *ent.Team, f *model.PersonFilter, wants func(model.PersonStatus) bool) (*ent.MemberQuery, error) {
	var states []member.Status
	for _, s := range []member.Status{member.StatusActive, member.StatusDeactivated} {
		if wants(model.PersonStatus(s)) {
			states = append(states, s)
		}
	}
	conditions, err := memberFilter(&model.MemberFilter{Status: states, Search: f.Search, RoleID: f.RoleID, GroupID: f.GroupID, DivisionID: f.DivisionID})
	if err != nil || len(states) == 0 {
		return nil, err
	}
	q := r.read(ctx).Member.Query().Where(member.TeamID(t.ID)).Where(conditions...)
	r.withMember(ctx, selected(ctx).nodes("Member", "Person"))(q)
	return q, nil
}

// invitationsAmong returns the query of the invitations in a list of people; nil when the
// filter selects members only. Nobody in a list is in the state CLOSED.
func (r *Resolver) invitationsAmong(ctx context.Context, t *ent.Team, f *model.PersonFilter, wants func(model.PersonStatus) bool) (*ent.InvitationQuery, error) {
	var states []predicate.Invitation
	if wants(model.PersonStatusInvited) {
		states = append(states, lifecycle.Open(r.Now()))
	}
	if wants(model.PersonStatusExpired) {
		states = append(states, lifecycle.InState(lifecycle.Expired, r.Now()))
	}
	if wants(model.PersonStatusClosed) {
		states = append(states, invitation.IDIn())
	}
	conditions, err := invitationFilter(&model.InvitationFilter{Search: f.Search, RoleID: f.RoleID, GroupID: f.GroupID, DivisionID: f.DivisionID}, r.Now())
	if err != nil || len(states) == 0 {
		return nil, err
	}
	q := r.read(ctx).Invitation.Query().Where(invitation.TeamID(t.ID), lifecycle.Listed(), invitation.Or(states...)).Where(conditions...)
	r.withInvitation(ctx, selected(ctx).nodes("Invitation", "Person"))(q)
	return q, nil
}

// countedMembers takes the total of a list from the team's counters, unless the list is
// filtered by more than the status.
func countedMembers(page *relay.Connection[*ent.Member], t *ent.Team, f *model.MemberFilter) *relay.Connection[*ent.Member] {
	if page == nil || scansMembers(f) {
		return page
	}
	n := 0
	for s, count := range map[member.Status]int{member.StatusActive: t.ActiveMembers, member.StatusDeactivated: t.DeactivatedMembers} {
		if f == nil || len(f.Status) == 0 || slices.Contains(f.Status, s) {
			n += count
		}
	}
	return page.CountedBy(func(context.Context) (int, error) { return n, nil })
}

// personStatus returns the status of an invitation in the words of a list of people.
func personStatus(s invitation.Status) model.PersonStatus {
	switch s {
	case lifecycle.Pending:
		return model.PersonStatusInvited
	case lifecycle.Expired:
		return model.PersonStatusExpired
	default:
		return model.PersonStatusClosed
	}
}

// displayName returns the name that a list shows: the address of people without a name.
func displayName(email, first, last string) string {
	return cmp.Or(strings.TrimSpace(first+" "+last), email)
}

// countedInvitations takes the total of a list from the team's counter, unless the list is
// filtered.
func countedInvitations(page *relay.Connection[*ent.Invitation], t *ent.Team, f *model.InvitationFilter) *relay.Connection[*ent.Invitation] {
	if page == nil || f != nil && len(f.Status) > 0 || scansInvitations(f) {
		return page
	}
	return page.CountedBy(func(context.Context) (int, error) { return t.AllInvitations, nil })
}

// teamCounts returns how many people the team has now, by status.
func (r *Resolver) teamCounts(ctx context.Context, t *ent.Team) (*model.PeopleCounts, error) {
	late, err := t.Edges.InvitationsOrErr()
	late, err = loaded(late, err, func() ([]*ent.Invitation, error) {
		return r.read(ctx).Invitation.Query().Where(invitation.TeamID(t.ID), lifecycle.Overdue(r.Now())).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	acc, err := r.accountOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return counts(acc, t, len(late)), nil
}

func counts(acc *ent.Account, t *ent.Team, late int) *model.PeopleCounts {
	c := &model.PeopleCounts{
		Active: t.ActiveMembers, Deactivated: t.DeactivatedMembers,
		Invited: t.PendingInvitations - late, Expired: t.ExpiredInvitations + late,
		SeatsUsed: t.ActiveMembers, SeatLimit: acc.MaxMembersPerTeam,
	}
	if acc.CountPendingAsSeats {
		c.SeatsUsed += c.Invited
	}
	return c
}

// accountCounts adds up the counters of all teams of the account.
func (r *Resolver) accountCounts(ctx context.Context, acc *ent.Account) (*model.PeopleCounts, error) {
	var sums []ent.Team
	err := r.read(ctx).Team.Query().Where(team.AccountID(acc.ID)).Aggregate(
		sum(team.FieldActiveMembers), sum(team.FieldDeactivatedMembers),
		sum(team.FieldPendingInvitations), sum(team.FieldExpiredInvitations),
	).Scan(ctx, &sums)
	if err != nil {
		return nil, err
	}
	late, err := r.read(ctx).Invitation.Query().Where(invitation.AccountID(acc.ID), lifecycle.Overdue(r.Now())).Count(ctx)
	if err != nil {
		return nil, err
	}
	return counts(acc, &sums[0], late), nil
}

func sum(column string) ent.AggregateFunc { return ent.As(ent.Sum(column), column) }
