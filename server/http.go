package server

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// overHTTP responds to operations that are sent by POST, and to queries by GET, by the
// GraphQL-over-HTTP specification. A subscription is answered with events.
type overHTTP struct {
	events sse
	log    *slog.Logger
}

// Supports reports whether the request is for this transport.
func (overHTTP) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") == "" }

// Do executes the operation and writes its response.
func (t overHTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	start := graphql.Now()
	params, bad := readOperation(w, r)
	if bad != nil {
		refuse(w, r, bad.status, fault.BadUserInput, bad.message)
		return
	}
	// The whole request has been read. Its response may take longer than the read
	// deadline, which would cancel it.
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		t.log.Debug("clear the read deadline", "error", err)
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	ctx := r.Context()
	op, refused := exec.CreateOperationContext(ctx, params)
	if refused != nil {
		answer := exec.DispatchError(graphql.WithOperationContext(ctx, op), refused)
		respond(w, r, statusOf(r, answer), answer)
		return
	}
	switch kind := op.Operation.Operation; {
	case r.Method == http.MethodGet && kind != ast.Query:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, r, http.StatusMethodNotAllowed, fault.BadUserInput, "A GET may only be a query; send this operation by POST.")
	case kind != ast.Subscription:
		answers, ctx := exec.DispatchOperation(ctx, op)
		if answer := answers(ctx); answer != nil { // else the client has gone
			respond(w, r, statusOf(r, answer), answer)
		}
	case readAccept(r.Header).stream():
		t.events.serve(w, r, op, exec)
	default:
		refuse(w, r, http.StatusNotAcceptable, fault.BadUserInput, "A subscription needs a WebSocket, or server-sent events: Accept: text/event-stream.")
	}
}

// badRequest is why a request is refused before its operation is known.
type badRequest struct {
	status  int
	message string
}

// readOperation reads the operation of a GET or POST.
func readOperation(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *badRequest) {
	switch r.Method {
	case http.MethodGet:
		return readURL(r)
	case http.MethodPost:
		return readBody(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		return nil, &badRequest{http.StatusMethodNotAllowed, "Send a POST, or a GET for a query."}
	}
}

// readBody reads the operation in the body of a POST, within its limit.
func readBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *badRequest) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != typeJSON {
		return nil, &badRequest{http.StatusUnsupportedMediaType, "The content type must be application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &badRequest{http.StatusRequestEntityTooLarge, "The request is too large."}
	case err != nil:
		return nil, &badRequest{http.StatusBadRequest, "The request could not be read."}
	}
	params, err := graphqlws.ReadParams(body)
	if err != nil {
		return nil, &badRequest{http.StatusBadRequest, "The body is not valid: " + err.Error() + "."}
	}
	return params, nil
}

// preflighted reports whether a page of another origin would need a preflight to send
// this request. A request without one proves nothing: any page can cause it.
func preflighted(h http.Header) bool {
	for _, name := range []string{"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name", "Authorization"} {
		if h.Get(name) != "" {
			return true
		}
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && !slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}, media)
}

// readURL reads the operation in the URL of a GET.
func readURL(r *http.Request) (*graphql.RawParams, *badRequest) {
	if !preflighted(r.Header) {
		return nil, &badRequest{http.StatusBadRequest, "A GET needs a header that pages of other origins cannot send unasked. Add GraphQL-Require-Preflight: 1, or send a POST."}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &badRequest{http.StatusBadRequest, "The URL is not valid: its query string cannot be decoded."}
	}
	fields := map[string]json.RawMessage{}
	for name := range values {
		value := values.Get(name)
		switch {
		case name == "variables" || name == "extensions":
			if value != "" {
				fields[name] = json.RawMessage(value)
			}
		default:
			fields[name], err = json.Marshal(value)
		}
		if err != nil {
			return nil, &badRequest{http.StatusBadRequest, "The URL is not valid: " + name + " cannot be decoded."}
		}
	}
	params, err := graphqlws.Params(fields)
	if err != nil {
		return nil, &badRequest{http.StatusBadRequest, "The URL is not valid: " + err.Error() + "."}
	}
	return params, nil
}
