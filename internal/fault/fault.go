// Package fault is the only error type that a client may see. It has a stable code, a safe
// sentence and, for wrong input, the path of the field that is wrong.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code is one of the contract's error codes. Programs decide by it.
type Code string

// Codes of top-level errors (extensions.code). Their comments are in docs/errors.md: when
// an error has the code, and what a client does then.
const (
	// Unauthenticated means that nobody is signed in, or the session has ended. Sign in
	// again. Its status is 401.
	Unauthenticated Code = "UNAUTHENTICATED"
	// Forbidden means that the viewer lacks the permission that the field or the mutation
	// names in its description. Do not repeat the request. Its status is 403.
	Forbidden Code = "FORBIDDEN"
	// NotFound means that there is no such object, or none that the viewer may know of.
	// Remove it from the cache. Its status is 400.
	NotFound Code = "NOT_FOUND"
	// BadUserInput means that the request cannot be understood: a malformed argument,
	// cursor or body. Correct the request. Its status is 400.
	BadUserInput Code = "BAD_USER_INPUT"
	// Timeout means that the request took too long or was cut off, or the server is
	// stopping, or its database was lost during a change. Repeat a query. Repeat a
	// mutation only if it may happen twice or has an idempotency key. Subscribe again
	// with the last cursor. Its status is 503.
	Timeout Code = "TIMEOUT"
	// Internal means that something went wrong in the server. Show the sentence, which has
	// the id of the request, as `extensions.requestId` has. Its status is 500.
	Internal Code = "INTERNAL"
	// QueryTooComplex means that the operation is too deep or too expensive. Ask for
	// smaller pages or fewer fields. Its status is 400.
	QueryTooComplex Code = "QUERY_TOO_COMPLEX"
	// RateLimited means that there were too many requests. Wait for
	// `extensions.retryAfterSeconds`, then repeat. Its status is 429.
	RateLimited Code = "RATE_LIMITED"
	// Unavailable means that the server cannot do this now, but will soon: its database is
	// away, locked or out of space, or too much runs already. Nothing was changed. Wait for
	// `extensions.retryAfterSeconds`, then repeat. Its status is 503.
	Unavailable Code = "UNAVAILABLE"
	// PersistedQueryNotFound means that the server knows no document with the hash. Send the
	// document itself with the hash. Its status is 400.
	PersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
	// PersistedQueryNotInList means that the server executes only the documents of its
	// manifests, and this is none of them. Add the document to a manifest. Its status is 400.
	PersistedQueryNotInList Code = "PERSISTED_QUERY_NOT_IN_LIST"
)

// Codes of user errors. NotFound and the top-level code share a name.
const (
	Blank                     Code = "BLANK"
	TooLong                   Code = "TOO_LONG"
	InvalidEmail              Code = "INVALID_EMAIL"
	InvalidValue              Code = "INVALID_VALUE"
	InvalidGrant              Code = "INVALID_GRANT"
	PermissionUnknown         Code = "PERMISSION_UNKNOWN"
	AlreadyMember             Code = "ALREADY_MEMBER"
	AlreadyInvited            Code = "ALREADY_INVITED"
	InvalidToken              Code = "INVALID_TOKEN"
	InvitationExpired         Code = "INVITATION_EXPIRED"
	InvitationRevoked         Code = "INVITATION_REVOKED"
	InvitationDeclined        Code = "INVITATION_DECLINED"
	InvitationAlreadyAccepted Code = "INVITATION_ALREADY_ACCEPTED"
	EmailMismatch             Code = "EMAIL_MISMATCH"
	EmailTaken                Code = "EMAIL_TAKEN"
	EmailNotVerified          Code = "EMAIL_NOT_VERIFIED"
	AuthenticationRequired    Code = "AUTHENTICATION_REQUIRED"
	PasswordRequired          Code = "PASSWORD_REQUIRED"
	WeakPassword              Code = "WEAK_PASSWORD"
	InvalidCredentials        Code = "INVALID_CREDENTIALS" //nolint:gosec // a code, not a credential
	AccessRevoked             Code = "ACCESS_REVOKED"
	UserDeactivated           Code = "USER_DEACTIVATED"
	MemberDeactivated         Code = "MEMBER_DEACTIVATED"
	AccountSuspended          Code = "ACCOUNT_SUSPENDED"
	RoleNotFound              Code = "ROLE_NOT_FOUND"
	NotGrantable              Code = "NOT_GRANTABLE"
	RoleInUse                 Code = "ROLE_IN_USE"
	GroupInUse                Code = "GROUP_IN_USE"
	RoleProtected             Code = "ROLE_PROTECTED"
	InviterLostGrant          Code = "INVITER_LOST_GRANT"
	OwnerProtected            Code = "OWNER_PROTECTED"
	CannotActOnSelf           Code = "CANNOT_ACT_ON_SELF"
	TransferPending           Code = "TRANSFER_PENDING"
	TransferNotPending        Code = "TRANSFER_NOT_PENDING"
	ResendLimitReached        Code = "RESEND_LIMIT_REACHED"
	InviteCoolOff             Code = "INVITE_COOL_OFF"
	PendingLimitReached       Code = "PENDING_LIMIT_REACHED"
	SeatLimitReached          Code = "SEAT_LIMIT_REACHED"
	TeamLimitReached          Code = "TEAM_LIMIT_REACHED"
	RoleLimitReached          Code = "ROLE_LIMIT_REACHED"
	GroupLimitReached         Code = "GROUP_LIMIT_REACHED"
	DivisionLimitReached      Code = "DIVISION_LIMIT_REACHED"
	APIKeyLimitReached        Code = "API_KEY_LIMIT_REACHED" //nolint:gosec // a code, not a credential
	DomainNotAllowed          Code = "DOMAIN_NOT_ALLOWED"
	FeatureNotAvailable       Code = "FEATURE_NOT_AVAILABLE"
	Conflict                  Code = "CONFLICT"
	Duplicate                 Code = "DUPLICATE"
	IdempotencyKeyReused      Code = "IDEMPOTENCY_KEY_REUSED"
)

// Extensions returns the extensions of a GraphQL error with the code.
func Extensions(c Code) map[string]any { return map[string]any{"code": string(c)} }

// Error is an error that a client may see.
type Error struct {
	Code    Code
	Message string
	// Field is the path from the input's root; set only for user errors.
	Field []string
	// RetryAfter, when set, is how long the client should wait.
	RetryAfter time.Duration

	user bool
}

// Error returns code and sentence.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Refuse returns a top-level error, which refuses the request as a whole.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Input returns a user error for the field at the path. Without a path, the input as a
// whole is wrong.
func Input(code Code, message string, field ...string) *Error {
	if field == nil {
		field = []string{}
	}
	return &Error{Code: code, Message: message, Field: field, user: true}
}

// Errors is several user errors of one input, in the order of its fields.
type Errors []*Error

// Error returns the first of them.
func (es Errors) Error() string { return es[0].Error() }

// Add appends err when it is not nil.
func (es *Errors) Add(err *Error) {
	if err != nil {
		*es = append(*es, err)
	}
}

// Err returns the collected errors, or nil when there are none.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

// UserErrors returns the user errors that err consists of. ok is false when err is anything
// else, and must be returned as a top-level error.
func UserErrors(err error) (list []*Error, ok bool) {
	var es Errors
	if errors.As(err, &es) {
		return es, true
	}
	var e *Error
	if errors.As(err, &e) && e.user {
		return []*Error{e}, true
	}
	return nil, false
}

// RetrySeconds returns how many whole seconds a client should wait before it repeats a request
// that failed with err; 0 when err does not say.
func RetrySeconds(err error) int {
	var e *Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 {
		return 0
	}
	return int(e.RetryAfter.Seconds()) + 1
}

// Is reports whether err is a fault with the code.
func Is(err error, code Code) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.Code == code
	}
	var es Errors
	return errors.As(err, &es) && es[0].Code == code
}
