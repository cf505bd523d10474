package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/invite"
)

// maxHookBody bounds the body of a hook, in bytes.
const maxHookBody = 64 << 10

// mailReport is the body of a mail hook. Other fields are ignored, so that a provider
// can send its own format with these fields added.
type mailReport struct {
	// kind is "bounced", the only type.
	kind, messageID, email, reason string
	// secret is for providers that cannot set a header.
	secret string
}

// readReport reads the body of a mail hook. It returns false for anything but a JSON object
// with strings in these fields. Their names keep their case: a provider may have a field Type
// of its own, which decoding into a struct would read as type.
func readReport(body []byte) (r mailReport, ok bool) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return r, false
	}
	for name, into := range map[string]*string{"type": &r.kind, "messageId": &r.messageID, "email": &r.email, "reason": &r.reason, "secret": &r.secret} {
		if value, given := fields[name]; given && json.Unmarshal(value, into) != nil {
			return mailReport{}, false
		}
	}
	return r, true
}

// mailHook handles the mail provider's report that a mail bounced. The response says
// how many invitations were marked as bounced.
func (s *Server) mailHook(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != typeJSON {
		writeProblem(w, http.StatusUnsupportedMediaType, "The body must be "+typeJSON+".", "")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHookBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		writeProblem(w, http.StatusRequestEntityTooLarge, "The body is longer than 64 kB.", "")
		return
	}
	report, ok := readReport(body)
	if err != nil || !ok {
		writeProblem(w, http.StatusBadRequest, "The body must be a JSON object of strings.", "")
		return
	}
	secret := report.secret
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		secret = bearer
	}
	if !sameSecret(secret, s.cfg.MailHookSecret) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeProblem(w, http.StatusUnauthorized, "The secret is missing or wrong.", "")
		return
	}
	if report.kind != "bounced" {
		writeProblem(w, http.StatusBadRequest, `The type must be "bounced".`, "type")
		return
	}
	marked, err := s.Invites.Bounce(r.Context(), invite.Bounce{MessageID: report.messageID, Email: report.email, Reason: report.reason})
	var wrong *fault.Error
	switch {
	case fault.Is(err, fault.Unavailable):
		w.Header().Set("Retry-After", strconv.Itoa(fault.RetrySeconds(err)))
		writeProblem(w, http.StatusServiceUnavailable, "The report could not be stored; send it again.", "")
	case errors.As(err, &wrong):
		writeProblem(w, http.StatusBadRequest, wrong.Message, strings.Join(wrong.Field, "."))
	case err != nil:
		s.log.Error("mail hook", "error", err)
		writeProblem(w, http.StatusInternalServerError, "The report could not be stored; send it again.", "")
	default:
		writeJSON(w, http.StatusOK, map[string]int{"invitations": marked})
	}
}

// sameSecret compares in constant time, so that the time reveals neither the secret nor
// its length.
func sameSecret(got, want string) bool {
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// writeProblem writes an error response in the format of RFC 9457, for requests that
// are not GraphQL.
func writeProblem(w http.ResponseWriter, status int, detail, field string) {
	problem := map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}
	if field != "" {
		problem["field"] = field
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem) // the client may have gone
}
