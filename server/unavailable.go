package server

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/store"
)

// trackWrites has each field of a mutation remember what it has committed, because
// UNAVAILABLE promises that nothing was changed: see store.Shown.
func trackWrites(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		ctx = store.Track(ctx)
	}
	return next(ctx)
}

// withoutEmptyData removes the data of a response in which everything is null, because the
// server is not available. Such a response is one to the request as a whole: it may have
// the status 503, which the GraphQL-over-HTTP specification forbids beside data.
func withoutEmptyData(response *graphql.Response) *graphql.Response {
	if response == nil || response.Data == nil || len(response.Errors) == 0 || !onlyUnavailable(response.Errors) {
		return response
	}
	var data any
	if err := json.Unmarshal(response.Data, &data); err != nil || !allNull(data) {
		return response
	}
	empty := *response
	empty.Data = nil
	return &empty
}

func allNull(value any) bool {
	fields, isObject := value.(map[string]any)
	for _, v := range fields {
		if !allNull(v) {
			return false
		}
	}
	return isObject || value == nil
}

func onlyUnavailable(errs gqlerror.List) bool {
	for _, err := range errs {
		if err.Extensions["code"] != string(fault.Unavailable) {
			return false
		}
	}
	return true
}
