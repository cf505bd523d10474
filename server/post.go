package server

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
)

const (
	typeJSON     = "application/json"
	typeResponse = "application/graphql-response+json"
	typeEvents   = "text/event-stream"
)

// post responds to queries and mutations that are sent by POST, by section 6 of the
// GraphQL-over-HTTP specification: the response to a request that was refused before
// execution has no data, and status 400, or status 200 when the client accepts only
// application/json. readPost has read the body before, within its limit.
type post struct{}

// Supports reports whether the request is for this transport.
func (post) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && !strings.Contains(r.Header.Get("Accept"), typeEvents)
}

// Do executes the operation and writes its response.
func (post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx := r.Context()
	answerType, refusal := typeJSON, http.StatusOK
	if strings.Contains(r.Header.Get("Accept"), typeResponse) {
		answerType, refusal = typeResponse, http.StatusBadRequest
	}
	w.Header().Set("Content-Type", answerType+"; charset=utf-8")
	params, err := readParams(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, fault.BadUserInput, "The body must be a JSON object with a query.")
		return
	}
	op, refused := exec.CreateOperationContext(ctx, params)
	if refused != nil {
		answer := exec.DispatchError(graphql.WithOperationContext(ctx, op), refused)
		writeErrors(w, refusal, answer.Errors)
		return
	}
	answers, ctx := exec.DispatchOperation(ctx, op)
	answer := answers(ctx)
	if answer == nil {
		return // the client has gone
	}
	if answer.Data == nil {
		writeErrors(w, refusal, answer.Errors)
		return
	}
	text, err := json.Marshal(answer)
	if err != nil {
		refuse(w, http.StatusInternalServerError, fault.Internal, "The response could not be encoded.")
		return
	}
	_, _ = w.Write(text) // the client may have gone
}

// writeErrors writes the response to a request that was not executed.
func writeErrors(w http.ResponseWriter, status int, errs gqlerror.List) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", typeJSON+"; charset=utf-8")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": errs}) // the client may have gone
}
