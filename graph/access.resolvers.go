package graph

import (
	"context"

	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/access"
)

// AccessDecision is the resolver for the accessDecision field.
func (r *queryResolver) AccessDecision(ctx context.Context, input model.AccessDecisionInput) (*access.Decision, error) {
	decisions, err := r.decide(ctx, []*model.AccessDecisionInput{&input})
	if err != nil {
		return nil, err
	}
	return decisions[0], nil
}

// AccessDecisions is the resolver for the accessDecisions field.
func (r *queryResolver) AccessDecisions(ctx context.Context, inputs []*model.AccessDecisionInput) ([]*access.Decision, error) {
	return r.decide(ctx, inputs)
}
