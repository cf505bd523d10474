package graph

import (
	"context"
	"slices"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/ent/group"
	"github.com/convoke-dev/convoke/ent/invitation"
	"github.com/convoke-dev/convoke/ent/member"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/role"
	"github.com/convoke-dev/convoke/ent/team"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
)

// complete completes the payload of a verb that returned err; list is the payload's
// userErrors, which is never null. When err is nil, fill sets the payload's other
// fields. When it is about the input, list has it, and fill is not called. Any other
// error is returned: it belongs to the top level of the response.
func complete[P any](p *P, list *[]*model.UserError, err error, fill func() error) (*P, error) {
	*list = []*model.UserError{}
	if faults, ok := fault.UserErrors(err); ok {
		*list = userErrors(faults)
		return p, nil
	}
	if err == nil {
		err = fill()
	}
	return p, err
}

// current is complete for a verb on an object that exists. When err says that the object
// is not as the client has read it, fill sets the object as it is now, beside the errors.
func current[P any](p *P, list *[]*model.UserError, err error, fill func() error) (*P, error) {
	faults, ok := fault.UserErrors(err)
	if !ok || !slices.ContainsFunc(faults, outdated) {
		return complete(p, list, err, fill)
	}
	*list = userErrors(faults)
	if err := fill(); err != nil && !ent.IsNotFound(err) {
		return p, err
	}
	return p, nil
}

// outdated reports whether the error means that the client has read an older state.
func outdated(f *fault.Error) bool {
	switch f.Code {
	case fault.Conflict, fault.TransferNotPending, fault.InvitationExpired, fault.InvitationRevoked,
		fault.InvitationDeclined, fault.InvitationAlreadyAccepted:
		return true
	default:
		return false
	}
}

// at returns err with the paths of its user errors as the input has them. Domain packages
// name a field alone; paths has the place of those that are nested in the input.
func at(paths map[string][]string, err error) error {
	faults, ok := fault.UserErrors(err)
	if !ok {
		return err
	}
	moved := make(fault.Errors, len(faults))
	for i, f := range faults {
		copied := *f
		if len(f.Field) > 0 && paths[f.Field[0]] != nil {
			copied.Field = append(slices.Clone(paths[f.Field[0]]), f.Field[1:]...)
		}
		moved[i] = &copied
	}
	return moved
}

func userErrors(faults []*fault.Error) []*model.UserError {
	list := make([]*model.UserError, len(faults))
	for i, f := range faults {
		list[i] = &model.UserError{Code: model.UserErrorCode(f.Code), Field: f.Field, Message: f.Message}
		if seconds := fault.RetrySeconds(f); seconds > 0 {
			list[i].RetryAfterSeconds = &seconds
		}
	}
	return list
}

func (r *Resolver) memberPayload(ctx context.Context, id string, err error) (*model.MemberPayload, error) {
	p := &model.MemberPayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		p.Member, err = r.member(ctx, id)
		return err
	})
}

func (r *Resolver) teamPayload(ctx context.Context, id string, err error) (*model.TeamPayload, error) {
	p := &model.TeamPayload{}
	return complete(p, &p.UserErrors, err, func() error {
		if err := r.reloadViewer(ctx); err != nil {
			return err
		}
		q := r.read(ctx).Team.Query().Where(team.ID(id))
		r.withTeam(ctx, selected(ctx).under("team"))(q)
		p.Team, err = q.Only(ctx)
		return err
	})
}

func (r *Resolver) transferPayload(ctx context.Context, id string, err error) (*model.OwnershipTransferPayload, error) {
	p := &model.OwnershipTransferPayload{}
	return current(p, &p.UserErrors, err, func() error {
		if err := r.reloadViewer(ctx); err != nil {
			return err
		}
		q := r.read(ctx).OwnershipTransfer.Query().Where(ownershiptransfer.ID(id))
		r.withTransfer(ctx, selected(ctx).under("transfer"))(q)
		p.Transfer, err = q.Only(ctx)
		return err
	})
}

// teamOfPayload reads the team whose people have changed, for the payload's field, when
// the client selects it; null when the viewer may not see it.
func (r *Resolver) teamOfPayload(ctx context.Context, id string) (*ent.Team, error) {
	if !selected(ctx).has("team") {
		return nil, nil //nolint:nilnil // nobody asks for it
	}
	q := r.read(ctx).Team.Query().Where(team.ID(id), access.OwnTeams(ctx))
	r.withTeam(ctx, selected(ctx).under("team"))(q)
	return orNull(q.Only(ctx))
}

// reloadViewer makes the viewer's present permissions those of the operation, after a
// verb that may have changed them.
func (r *Resolver) reloadViewer(ctx context.Context) error {
	v, err := r.Auth.Refresh(ctx, access.ViewerFrom(ctx).SessionID)
	if err != nil {
		return err
	}
	access.Become(ctx, v)
	return nil
}

// reloadLeaver is reloadViewer after a verb that may have ended the viewer's session:
// then nobody is signed in any more.
func (r *Resolver) reloadLeaver(ctx context.Context) error {
	err := r.reloadViewer(ctx)
	if fault.Is(err, fault.Unauthenticated) {
		access.Become(ctx, nil)
		return nil
	}
	return err
}

func (r *Resolver) rolePayload(ctx context.Context, id string, err error) (*model.RolePayload, error) {
	p := &model.RolePayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		p.Role, err = r.read(ctx).Role.Query().Where(role.ID(id)).Only(ctx)
		return err
	})
}

func (r *Resolver) groupPayload(ctx context.Context, id string, err error) (*model.GroupPayload, error) {
	p := &model.GroupPayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		q := r.read(ctx).Group.Query().Where(group.ID(id))
		withGroup(selected(ctx).under("group"))(q)
		p.Group, err = q.Only(ctx)
		return err
	})
}

func (r *Resolver) divisionPayload(ctx context.Context, id string, err error) (*model.DivisionPayload, error) {
	p := &model.DivisionPayload{}
	return current(p, &p.UserErrors, err, func() (err error) {
		p.Division, err = r.division(ctx, id)
		return err
	})
}

// division reads a division, for the payload's field.
func (r *Resolver) division(ctx context.Context, id string) (*ent.Division, error) {
	q := r.read(ctx).Division.Query().Where(division.ID(id))
	withDivision(selected(ctx).under("division"))(q)
	return q.Only(ctx)
}

// signInPayload is the payload of every mutation that signs somebody in.
func (r *Resolver) signInPayload(ctx context.Context, in *auth.SignedIn, err error, t *model.SessionTransport) (*model.SignInPayload, error) {
	p := &model.SignInPayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.Viewer, p.SessionToken, err = r.signedIn(ctx, in, t)
		p.ExpiresAt = &in.ExpiresAt
		return err
	})
}

// invitePayload has the new invitation, or beside ALREADY_INVITED the open one, or beside
// ALREADY_MEMBER and MEMBER_DEACTIVATED the member.
func (r *Resolver) invitePayload(ctx context.Context, in model.InviteUserInput, issued *invite.Issued, err error) (*model.InviteUserPayload, error) {
	p := &model.InviteUserPayload{}
	if _, err := complete(p, &p.UserErrors, err, func() error { return nil }); err != nil {
		return p, err
	}
	if inTheWay(p.UserErrors) {
		key := keyOf(in.Email)
		found, err := r.membersAt(ctx, selected(ctx), in.TeamID, key)
		p.Member = found[key]
		return p, err
	}
	if issued == nil {
		return p, nil
	}
	found, err := r.invitations(ctx, selected(ctx).under("invitation"), issued.ID)
	p.Invitation, p.InviteURL = found[issued.ID], orNil(issued.URL)
	return p, err
}

// inviteUsersPayload has a result for each address. Their invitations are read together.
func (r *Resolver) inviteUsersPayload(ctx context.Context, teamID string, results []invite.Result, err error) (*model.InviteUsersPayload, error) {
	p := &model.InviteUsersPayload{Results: make([]*model.InviteResult, len(results))}
	return complete(p, &p.UserErrors, err, func() error {
		var ids, keys []string
		for _, to := range results {
			if to.Issued != nil {
				ids = append(ids, to.Issued.ID)
			}
		}
		found, err := r.invitations(ctx, selected(ctx).under("results").under("invitation"), ids...)
		if err != nil {
			return err
		}
		for n, to := range results {
			out := &model.InviteResult{Email: to.Email, Outcome: model.InviteOutcome(to.Outcome), UserErrors: userErrors(to.Errors)}
			if to.Issued != nil {
				out.Invitation, out.InviteURL = found[to.Issued.ID], orNil(to.Issued.URL)
			}
			if to.Outcome == invite.Invited {
				p.InvitedCount++
			}
			if inTheWay(out.UserErrors) {
				keys = append(keys, keyOf(to.Email))
			}
			p.Results[n] = out
		}
		members, err := r.membersAt(ctx, selected(ctx).under("results"), teamID, keys...)
		if err != nil {
			return err
		}
		for _, out := range p.Results {
			if inTheWay(out.UserErrors) {
				out.Member = members[keyOf(out.Email)]
			}
		}
		p.Team, err = r.teamOfPayload(ctx, teamID)
		return err
	})
}

// acceptPayload has the new member. An addressee without a session gets one.
func (r *Resolver) acceptPayload(ctx context.Context, done *invite.Joined, err error, t *model.SessionTransport) (*model.AcceptInvitePayload, error) {
	p := &model.AcceptInvitePayload{}
	return complete(p, &p.UserErrors, err, func() (err error) {
		p.AlreadyAccepted = done.Already
		if done.Session != nil {
			p.Viewer, p.SessionToken, err = r.signedIn(ctx, done.Session, t)
		} else if err = r.reloadViewer(ctx); err == nil {
			p.Viewer = access.ViewerFrom(ctx)
		}
		if err != nil {
			return err
		}
		p.Member, err = r.member(ctx, done.MemberID)
		return err
	})
}

// member reads a member that a verb has changed, for the payload's field.
func (r *Resolver) member(ctx context.Context, id string) (*ent.Member, error) {
	q := r.read(ctx).Member.Query().Where(member.ID(id))
	r.withMember(ctx, selected(ctx).under("member"))(q)
	return q.Only(ctx)
}

// invitation reads an invitation that a verb has changed, for the payload's field.
func (r *Resolver) invitation(ctx context.Context, id string) (*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.ID(id))
	r.withInvitation(ctx, selected(ctx).under("invitation"))(q)
	return q.Only(ctx)
}

// members reads those of the members that the viewer may see, by id.
func (r *Resolver) members(ctx context.Context, s selection, ids ...string) (map[string]*ent.Member, error) {
	q := r.read(ctx).Member.Query().Where(member.IDIn(ids...))
	r.withMember(ctx, s)(q)
	rows, err := q.All(ctx)
	found := make(map[string]*ent.Member, len(rows))
	for _, m := range rows {
		found[m.ID] = m
	}
	return found, err
}

// idsOf returns the ids of the objects that a call was about.
func idsOf(results []act.Result) []string {
	ids := make([]string, len(results))
	for n, r := range results {
		ids[n] = r.ID
	}
	return ids
}

// invitations reads those of the invitations that the viewer may see, by id.
func (r *Resolver) invitations(ctx context.Context, s selection, ids ...string) (map[string]*ent.Invitation, error) {
	q := r.read(ctx).Invitation.Query().Where(invitation.IDIn(ids...))
	r.withInvitation(ctx, s)(q)
	rows, err := q.All(ctx)
	found := make(map[string]*ent.Invitation, len(rows))
	for _, i := range rows {
		found[i.ID] = i
	}
	return found, err
}
