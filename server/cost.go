package server

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/limit"
)

// costHeader asks for extensions.cost, with any value but 0. Any operation, also on a
// WebSocket, can ask by its own extensions instead: {"cost": true}.
const costHeader = "X-Convoke-Cost"

// costReport is extensions.cost of a query or mutation.
type costReport struct {
	// Requested is what the operation was charged, Limit what one operation may cost.
	Requested graph.Cost `json:"requested"`
	Limit     graph.Cost `json:"limit"`
	// RateLimits are what the caller may still do.
	RateLimits []budget `json:"rateLimits"`
}

// budget is what is left of a rate limit. It is refilled evenly, in PerSeconds from empty
// to full.
type budget struct {
	Name       string `json:"name"`
	Limit      int    `json:"limit"`
	Remaining  int    `json:"remaining"`
	PerSeconds int    `json:"perSeconds"`
}

// wantsCost reports whether the operation asks for its cost.
func wantsCost(op *graphql.OperationContext) bool {
	if asked := op.Headers.Get(costHeader); asked != "" && asked != "0" {
		return true
	}
	return op.Extensions["cost"] == true
}

// reportCost adds extensions.cost to the response, after the operation was charged.
func (s *Server) reportCost(ctx context.Context, op *graphql.OperationContext, answer *graphql.Response) {
	if answer == nil || !wantsCost(op) {
		return
	}
	report := costReport{Requested: graph.Charged(ctx), Limit: maxCost, RateLimits: []budget{}}
	add := func(name string, b *limit.Bucket, key string) {
		if rule, left, limits := b.Left(key); limits {
			report.RateLimits = append(report.RateLimits, budget{name, rule.N, left, int(rule.Per / time.Second)})
		}
	}
	add("client", s.perClient, limit.Network(event.RequestFrom(ctx).ClientIP))
	if v := access.ViewerFrom(ctx); v != nil {
		add("inviter", s.resolver.Invites.PerInviter, v.UserID)
	}
	if answer.Extensions == nil {
		answer.Extensions = map[string]any{}
	}
	answer.Extensions["cost"] = report
}
