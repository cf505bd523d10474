package graph

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/event"
	"github.com/convoke-dev/convoke/internal/fault"
)

// none is the userErrors of a payload without any; the field is never null.
var none = []*model.UserError{}

// payloadErrors returns the userErrors of a payload for an error of a verb. rest
// is what has to be answered at the top level instead.
func payloadErrors(err error) (list []*model.UserError, rest error) {
	faults, ok := fault.UserErrors(err)
	if !ok {
		return nil, err
	}
	return userErrors(faults), nil
}

func userErrors(faults []*fault.Error) []*model.UserError {
	list := make([]*model.UserError, len(faults))
	for i, f := range faults {
		list[i] = &model.UserError{Code: model.UserErrorCode(f.Code), Field: f.Field, Message: f.Message}
	}
	return list
}

// PresentErrors returns the error presenter: faults as they are, what is wrong
// with the document by gqlgen's word, everything else as INTERNAL with the
// request's id. The log has the rest. Without suggest nobody is told what he
// may have meant, which would be the schema.
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
			out.Message = f.Message
			out.Extensions = fault.Extensions(f.Code)
			if f.RetryAfter > 0 {
				out.Extensions["retryAfterSeconds"] = int(f.RetryAfter.Seconds()) + 1
			}
			return &out
		}
		if ent.IsNotFound(err) {
			// The guard hid it: a field of something the viewer may know of only in part.
			out.Message = "This is not for you to see, or not there any more."
			out.Extensions = fault.Extensions(fault.NotFound)
			return &out
		}
		if errors.Is(err, driver.ErrBadConn) && ctx.Err() != nil {
			err = ctx.Err() // which is what pgx means: it did not begin
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
