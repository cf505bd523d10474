package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/convoke-dev/convoke/ent/division"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/act"
	"github.com/convoke-dev/convoke/internal/address"
	"github.com/convoke-dev/convoke/internal/fault"
)

// decide returns a decision for each input, in their order. The viewer's own memberships
// are loaded already; those of other users are read in one statement, whatever their
// number. It fails with BAD_USER_INPUT for a permission that is not in the catalogue, and
// with FORBIDDEN for a question about another user without members.read in the team.
func (r *Resolver) decide(ctx context.Context, inputs []*model.AccessDecisionInput) ([]*access.Decision, error) {
	v, err := access.SignedIn(ctx)
	if err != nil {
		return nil, err
	}
	if len(inputs) > relay.MaxPage {
		return nil, fault.Refuse(fault.BadUserInput, "At most %d decisions can be asked for at once.", relay.MaxPage)
	}
	questions := make([]access.Question, len(inputs))
	var others []access.Place
	for i, in := range inputs {
		if questions[i], err = r.question(v, in); err != nil {
			return nil, err
		}
		if q := questions[i]; q.UserID != v.UserID && v.Membership(q.TeamID) != nil {
			others = append(others, access.Place{TeamID: q.TeamID, UserID: q.UserID})
		}
	}
	members, err := r.Access.Members(ctx, r.read(ctx), others)
	if err != nil {
		return nil, err
	}
	if err := r.placeDivisions(ctx, questions); err != nil {
		return nil, err
	}
	decisions := make([]*access.Decision, len(questions))
	for i, q := range questions {
		m := v.Membership(q.TeamID)
		if q.UserID != v.UserID {
			m = members[access.Place{TeamID: q.TeamID, UserID: q.UserID}]
		}
		decisions[i] = m.Decide(q)
	}
	return decisions, nil
}

// placeDivisions sets the account of each division in the questions, in one statement.
// Divisions that the viewer may not see have none.
func (r *Resolver) placeDivisions(ctx context.Context, questions []access.Question) error {
	var ids []string
	for _, q := range questions {
		if q.DivisionID != "" {
			ids = append(ids, q.DivisionID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := r.read(ctx).Division.Query().Where(division.IDIn(ids...)).Select(division.FieldID, division.FieldAccountID).All(ctx)
	if err != nil {
		return err
	}
	for i := range questions {
		for _, d := range found {
			if d.ID == questions[i].DivisionID {
				questions[i].DivisionAccount = d.AccountID
			}
		}
	}
	return nil
}

// question decodes an input. A question about a team without the viewer is answered with
// no, because the viewer may not know its members.
func (r *Resolver) question(v *access.Viewer, in *model.AccessDecisionInput) (access.Question, error) {
	q := access.Question{
		TeamID: in.TeamID, UserID: v.UserID, Permission: in.Permission,
		DivisionID: orEmpty(in.DivisionID), ResourceOwnerID: orEmpty(in.ResourceOwnerID),
	}
	if in.UserID != nil {
		q.UserID = *in.UserID
	}
	if d := strings.TrimSpace(orEmpty(in.Domain)); d != "" {
		var bad *fault.Error
		if q.Domain, bad = address.Domain(d); bad != nil {
			q.Domain = d // in no list
		}
	}
	if !r.Access.Catalogue.All().Has(q.Permission) {
		return q, fault.Refuse(fault.BadUserInput, "permission: %q is not in the catalogue.", q.Permission)
	}
	if m := v.Membership(q.TeamID); m != nil && q.UserID != v.UserID && !m.Permissions.Has(access.MembersRead) {
		return q, fault.Refuse(fault.Forbidden, "You need the permission %s to ask about others.", access.MembersRead)
	}
	if m := v.Membership(q.TeamID); m != nil && access.IsKey(q.UserID) && q.UserID != v.UserID && !v.CanInAccount(m.AccountID, access.APIKeysRead) {
		return q, fault.Refuse(fault.Forbidden, "You need the permission %s to ask about API keys.", access.APIKeysRead)
	}
	return q, nil
}

// ofShown turns NOT_FOUND into FORBIDDEN: the viewer has the object before them, and may not
// see the rest of it.
func ofShown(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Refuse(fault.Forbidden, "This is not for you to see.")
	}
	return err
}

// may is the flag beside the reasons against something.
func may(against []act.Obstacle) (bool, error) { return len(against) == 0, nil }

// againstAccount returns what keeps the viewer from an account-wide act that needs the
// permission.
func againstAccount(ctx context.Context, accountID, permission string) []act.Obstacle {
	return act.Against(access.ViewerFrom(ctx).DefaultMembership(accountID), permission)
}

// viewerCanAny reports whether the viewer holds one of the permissions in the team.
func viewerCanAny(ctx context.Context, teamID string, permissions ...string) bool {
	v := access.ViewerFrom(ctx)
	return slices.ContainsFunc(permissions, func(p string) bool { return v.Can(teamID, p) })
}
