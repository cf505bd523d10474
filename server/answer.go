package server

import (
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// refuse responds to a request that is not executed, with one error.
func refuse(w http.ResponseWriter, r *http.Request, status int, code fault.Code, message string) {
	err := gqlerror.Errorf("%s", message)
	err.Extensions = fault.Extensions(code)
	respond(w, r, status, &graphql.Response{Errors: gqlerror.List{err}})
}

// respond writes one response in the media type that the client prefers. In a stream it
// is one event `next` and the event `complete`, with status 200, because clients of
// streams do not read the body of another status.
func respond(w http.ResponseWriter, r *http.Request, status int, answer *graphql.Response) {
	h := w.Header()
	if seconds := retryAfter(answer.Errors); seconds > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds))
	}
	var text []byte
	switch media := readAccept(r.Header).forAnswer(); media {
	case typeEvents:
		eventHeaders(h)
		text = append(appendNext(nil, answer, ""), completeEvent...)
	case "": // nothing is acceptable, and the status says so
		media = typeJSON
		fallthrough
	default:
		h.Set("Content-Type", media+"; charset=utf-8")
		w.WriteHeader(status)
		text = graphqlws.AppendResponse(nil, answer)
	}
	_, _ = w.Write(text) // the client may have gone
}

// retryAfter returns the longest time that one of the errors asks the client to wait, in
// seconds; 0 when none does.
func retryAfter(errs gqlerror.List) (longest int) {
	for _, err := range errs {
		seconds, _ := err.Extensions["retryAfterSeconds"].(int)
		longest = max(longest, seconds)
	}
	return longest
}

// statusOf returns the status of an operation's response, by section 6.4 of the
// GraphQL-over-HTTP specification: 200 for application/json, and for a response with
// data. Without data the first error decides. UNAVAILABLE has the status 503 in
// application/json too, which the specification allows, because proxies and programs decide
// by the status whether they try again.
func statusOf(r *http.Request, answer *graphql.Response) int {
	if answer.Data != nil || len(answer.Errors) == 0 {
		return http.StatusOK
	}
	code, _ := answer.Errors[0].Extensions["code"].(string)
	if fault.Code(code) != fault.Unavailable && readAccept(r.Header).forAnswer() != typeResponse {
		return http.StatusOK
	}
	return statusFor(fault.Code(code))
}

// statusFor returns the status of a response without data, by the code of its first error.
func statusFor(code fault.Code) int {
	switch code {
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Internal:
		return http.StatusInternalServerError
	case fault.Timeout, fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}
