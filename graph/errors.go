package graph

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// PresentErrors returns the error presenter. It shows faults as they are and errors in the
// document in gqlgen's words. Everything else becomes INTERNAL with the id of the request,
// under which the log has the error itself. Without suggest, gqlgen's suggestions of names
// are cut off, because they reveal the schema.
func PresentErrors(log *slog.Logger, suggest bool) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		var known *gqlerror.Error
		if errors.As(err, &known) && known.Err == nil {
			if code, _ := known.Extensions["code"].(string); code == "" {
				errcode.Set(known, string(fault.BadUserInput))
			}
			if !suggest {
				known.Message, _, _ = strings.Cut(known.Message, " Did you mean")
			}
			return known
		}
		out := *graphql.DefaultErrorPresenter(ctx, err)
		out.Err = nil
		var f *fault.Error
		if errors.As(err, &f) {
			f = store.Shown(ctx, f)
			out.Message = f.Message
			out.Extensions = fault.Extensions(f.Code)
			if seconds := fault.RetrySeconds(f); seconds > 0 {
				out.Extensions["retryAfterSeconds"] = seconds
			}
			return &out
		}
		if ent.IsNotFound(err) {
			// The guard hides it: it belongs to something that the viewer may see only in part.
			out.Message = "This is not for you to see, or not there any more."
			out.Extensions = fault.Extensions(fault.NotFound)
			return &out
		}
		id := event.RequestFrom(ctx).ID
		switch {
		case errors.Is(err, event.ErrStopping):
			out.Message = "The server is stopping; subscribe again with the last cursor."
			out.Extensions = fault.Extensions(fault.Timeout)
			return &out
		case errors.Is(err, context.Canceled):
			out.Message = "The request was cut off."
			out.Extensions = fault.Extensions(fault.Timeout)
			return &out
		case errors.Is(err, context.DeadlineExceeded):
			out.Message = "The request took too long."
			out.Extensions = fault.Extensions(fault.Timeout)
			return &out
		}
		log.ErrorContext(ctx, "request failed", "request_id", id, "path", out.Path.String(), "error", err)
		out.Message = "Something went wrong here. Tell us the request's id: " + id
		out.Extensions = fault.Extensions(fault.Internal)
		out.Extensions["requestId"] = id
		return &out
	}
}
