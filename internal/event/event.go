package event

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/account"
	"github.com/convoke-dev/convoke/internal/access"
	"github.com/convoke-dev/convoke/internal/store"
	"github.com/convoke-dev/convoke/internal/uid"
)

// Type names what happened, in the past tense.
type Type string

// The types of events that are written.
const (
	InvitationCreated  Type = "invitation.created"
	InvitationUpdated  Type = "invitation.updated"
	InvitationQueued   Type = "invitation.queued"
	InvitationSent     Type = "invitation.sent"
	InvitationFailed   Type = "invitation.failed"
	InvitationBounced  Type = "invitation.bounced"
	InvitationResent   Type = "invitation.resent"
	InvitationAccepted Type = "invitation.accepted"
	InvitationDeclined Type = "invitation.declined"
	InvitationRevoked  Type = "invitation.revoked"
	InvitationExpired  Type = "invitation.expired"

	MemberJoined      Type = "member.joined"
	MemberUpdated     Type = "member.updated"
	MemberDeactivated Type = "member.deactivated"
	MemberReactivated Type = "member.reactivated"
	MemberRemoved     Type = "member.removed"

	TransferRequested Type = "owner.transfer_requested"
	TransferAccepted  Type = "owner.transfer_accepted"
	TransferDeclined  Type = "owner.transfer_declined"
	TransferCanceled  Type = "owner.transfer_canceled"
	TransferExpired   Type = "owner.transfer_expired"

	TeamCreated Type = "team.created"
	TeamUpdated Type = "team.updated"
	TeamDeleted Type = "team.deleted"

	RoleCreated     Type = "role.created"
	RoleUpdated     Type = "role.updated"
	RoleDeleted     Type = "role.deleted"
	GroupCreated    Type = "group.created"
	GroupUpdated    Type = "group.updated"
	GroupDeleted    Type = "group.deleted"
	DivisionCreated Type = "division.created"
	DivisionUpdated Type = "division.updated"
	DivisionDeleted Type = "division.deleted"

	APIKeyCreated Type = "api_key.created"
	APIKeyUpdated Type = "api_key.updated"
	APIKeyRevoked Type = "api_key.revoked"

	AccountUpdated   Type = "account.updated"
	AccountSuspended Type = "account.suspended"
	AccountResumed   Type = "account.resumed"

	UserSignedUp        Type = "user.signed_up"
	UserSignedIn        Type = "user.signed_in"
	UserSignedOut       Type = "user.signed_out"
	UserEmailVerified   Type = "user.email_verified"
	UserPasswordChanged Type = "user.password_changed"
	UserEmailChanged    Type = "user.email_changed"
)

// Keys of an event's data.
const (
	PreviousStatus = "previousStatus"
	MemberID       = "memberId"
	UserID         = "userId"
	FormerOwner    = "formerOwnerId" // a member
	ReassignedTo   = "reassignedTo"  // a role
	Reason         = "reason"
	Addressee      = "addressee" // Addressed of an invitation's address
	Renamed        = "renamed"   // set when a member's name changed
	Reload         = "reload"    // set when the change reaches further than its subject
)

// Set is the value of a key that is there or not.
const Set = "set"

// perInsert is how many events one statement writes: fewer than databases have
// parameters for.
const perInsert = 500

// Addressed names an address in an event's data, by the key that addresses are compared
// with. Its addressee finds the event by it, also when the invitation is deleted. The log
// is never changed, so the address itself is not in it.
func Addressed(emailKey string) string {
	sum := sha256.Sum256([]byte(emailKey))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Draft is an event about to be appended. It never holds a token, a password
// or the text of a mail.
type Draft struct {
	Type      Type
	ActorID   string // the user or the API key that did it; empty = the system
	TeamID    string // empty = the account as a whole
	SubjectID string // the id of the object it happened to
	Data      map[string]string
}

// Request describes the request that caused an event, for the audit log.
type Request struct {
	ID        string
	ClientIP  string
	UserAgent string
}

type requestKey struct{}

// WithRequest returns a context in which Append stores the request with its events.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom returns the request of the context, zero when there is none.
func RequestFrom(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}

// Log appends events.
type Log struct {
	tell []func(accountID string)
	now  func() time.Time
}

// NewLog returns a log that wakes the hub after each commit, and then calls others with
// the account's id. They must not block.
func NewLog(hub *Hub, now func() time.Time, others ...func(accountID string)) *Log {
	return &Log{tell: append([]func(string){hub.Wake}, others...), now: now}
}

// Append writes the events in the transaction, with the numbers after the account's
// newest event. It locks the account's row until the commit, so that the numbers are in
// commit order and a cursor never skips an event. The hub is woken after the commit.
func (l *Log) Append(ctx context.Context, tx *store.Tx, accountID string, drafts ...Draft) error {
	ctx = access.System(ctx, "append to the event log")
	acc, err := tx.Account.UpdateOneID(accountID).AddEventSeq(int64(len(drafts))).Select(account.FieldEventSeq).Save(ctx)
	if err != nil {
		return fmt.Errorf("number the events of %s: %w", accountID, err)
	}
	first := acc.EventSeq - int64(len(drafts)) + 1
	req, now := RequestFrom(ctx), l.now()
	creates := make([]*ent.EventCreate, len(drafts))
	for i, d := range drafts {
		data := d.Data
		if data == nil {
			data = map[string]string{}
		}
		creates[i] = tx.Event.Create().
			SetID(uid.New(uid.Event)).SetCreatedAt(now).SetAccountID(accountID).SetSeq(first + int64(i)).
			SetType(string(d.Type)).SetActorID(d.ActorID).SetTeamID(d.TeamID).SetSubjectID(d.SubjectID).SetData(data).
			SetRequestID(req.ID).SetClientIP(req.ClientIP).SetUserAgent(req.UserAgent)
	}
	for some := range slices.Chunk(creates, perInsert) {
		if err := tx.Event.CreateBulk(some...).Exec(ctx); err != nil {
			return fmt.Errorf("append events to %s: %w", accountID, err)
		}
	}
	tx.AfterCommit(func() {
		for _, tell := range l.tell {
			tell(accountID)
		}
	})
	return nil
}
