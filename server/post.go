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

// post answers queries and mutations sent by POST, as the GraphQL-over-HTTP
// specification has it (section 6): a request that is refused before it runs has
// no data in its answer, and status 400, or 200 where the client only takes
// application/json. The body has been read and bounded before.
type post struct{}

// Supports reports whether the request is for this transport.
func (post) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && !strings.Contains(r.Header.Get("Accept"), typeEvents)
}

// Do runs the operation and writes its answer.
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
		refuse(w, http.StatusInternalServerError, fault.Internal, "The answer could not be written.")
		return
	}
	_, _ = w.Write(text) // the client may have gone
}

// writeErrors answers a request that did not run.
func writeErrors(w http.ResponseWriter, status int, errs gqlerror.List) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", typeJSON+"; charset=utf-8")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": errs}) // the client may have gone
}
