package server

import (
	"context"
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

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// overHTTP responds to operations that are sent by POST, and to queries by GET, by the
// GraphQL-over-HTTP specification. A subscription is answered with events.
type overHTTP struct {
	events sse
	// place counts a stream, and refusePlace responds to one beyond the limit.
	place       func(ctx context.Context, opening bool) (leave func(), err error)
	refusePlace func(w http.ResponseWriter, r *http.Request, reason string)
	log         *slog.Logger
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
		leave, err := t.place(ctx, false)
		if err != nil {
			t.refusePlace(w, r, err.Error())
			return
		}
		defer leave()
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
		w.Header().Set("Allow", "GET, POST, PUT, DELETE")
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

// preflightHeaders make a browser ask before it sends a request to another origin.
var preflightHeaders = []string{"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"}

// foreign reports whether a page of a foreign site may have caused this GET, with the
// cookie of the user's browser: by a link, an image or a script. The request is safe when
// it has a header or a content type that needs a preflight, such as a Bearer token, which
// no browser adds by itself; when it has an Origin, which fromOurPages has checked; when
// the browser says that it comes from a page of this origin; or when it comes from a
// program without a cookie.
func foreign(h http.Header) bool {
	if auth.Bearer(h.Get("Authorization")) != "" {
		return false
	}
	for _, name := range preflightHeaders {
		if h.Get(name) != "" {
			return false
		}
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err == nil && !slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}, media) {
		return false
	}
	switch site := h.Get("Sec-Fetch-Site"); {
	case h.Get("Origin") != "", site == "same-origin":
		return false
	default:
		return site != "" || h.Get("Cookie") != ""
	}
}

// readURL reads the operation in the URL of a GET.
func readURL(r *http.Request) (*graphql.RawParams, *badRequest) {
	if foreign(r.Header) {
		return nil, &badRequest{http.StatusBadRequest, "Pages of other sites can cause this GET with the user's cookie. Add the header GraphQL-Require-Preflight: 1, or send a POST."}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &badRequest{http.StatusBadRequest, "The URL is not valid: its query string cannot be decoded."}
	}
	fields := map[string]json.RawMessage{}
	for name := range values {
		text := values.Get(name)
		fields[name] = json.RawMessage(text)
		if name != "variables" && name != "extensions" {
			if fields[name], err = json.Marshal(text); err != nil {
				return nil, &badRequest{http.StatusBadRequest, "The URL is not valid: a parameter cannot be decoded."}
			}
		}
	}
	params, err := graphqlws.Params(fields)
	if err != nil {
		return nil, &badRequest{http.StatusBadRequest, "The URL is not valid: " + err.Error() + "."}
	}
	return params, nil
}
