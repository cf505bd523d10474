package graph

import (
	"context"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/graph/relay"
	"github.com/convoke-dev/convoke/internal/access"
)

// Counts is the resolver for the counts field.
func (r *accountResolver) Counts(ctx context.Context, obj *ent.Account) (*model.PeopleCounts, error) {
	if _, err := access.RequireInAccount(ctx, obj.ID, access.AccountRead); err != nil {
		return nil, ofShown(err)
	}
	return r.accountCounts(ctx, obj)
}

// People is the resolver for the people field.
func (r *teamResolver) People(ctx context.Context, obj *ent.Team, first *int, after *string, last *int, before *string, filter *model.PersonFilter, orderBy *model.PersonOrder) (*relay.Connection[model.Person], error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, ofShown(err)
	}
	return r.people(ctx, obj, relay.Args{First: first, After: after, Last: last, Before: before}, filter, orderBy)
}

// Counts is the resolver for the counts field.
func (r *teamResolver) Counts(ctx context.Context, obj *ent.Team) (*model.PeopleCounts, error) {
	if _, err := access.Require(ctx, r.read(ctx), obj.ID, access.MembersRead); err != nil {
		return nil, ofShown(err)
	}
	return r.teamCounts(ctx, obj)
}
