package server

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/limit"
)

// How many bytes of responses may be in memory until their clients have read them: of one
// user, or of the visitors of one client address, and in all. A client that does not read
// has writeWithin or sendWithin, and the turn of its operation is over by then.
const (
	unreadOfOne = 64 << 20
	unreadInAll = 512 << 20
)

// keepUnread counts the response to a query or mutation until the operation's context ends,
// which is when it has been written. Beyond the limits it returns an error instead:
// RATE_LIMITED for a query, and TIMEOUT for a mutation, because that has made its change.
func (s *Server) keepUnread(ctx context.Context, op *graphql.OperationContext, response *graphql.Response) *graphql.Response {
	if response == nil || len(response.Data) == 0 {
		return response
	}
	size := 2 * len(response.Data) // it is copied to be written
	key, _ := holder(ctx)
	if key == "" {
		key = "address " + limit.Network(event.RequestFrom(ctx).ClientIP)
	}
	if leave, ok := s.unread.TakeSome(key, size, unreadOfOne); ok {
		if leaveAll, ok := s.unread.TakeSome("", size, unreadInAll); ok {
			context.AfterFunc(ctx, func() {
				leave()
				leaveAll()
			})
			return response
		}
		leave()
	}
	f := fault.Refuse(fault.RateLimited, "Too many responses were sent and not read yet; read them, and try again.")
	if op.Operation.Operation == ast.Mutation {
		f = fault.Refuse(fault.Timeout, "The change was made, but too many responses were sent and not read yet. Read again before you repeat it.")
	}
	f.RetryAfter = 2 * time.Second
	return &graphql.Response{Errors: gqlerror.List{s.present(ctx, f)}}
}
