package event

import (
	"slices"
	"strings"

	"github.com/convoke-dev/convoke/ent"
)

// Facts is what the program knows of a type of events. A type without a line is in no
// live view.
type Facts struct {
	// Summary says what happened, for a person who sees beside it who did it.
	Summary string
	// Rights says whose permissions or sessions the event may change: the streams of
	// these people read their viewers anew.
	Rights Rights
	// Members is what the event is in a live list of members (membersChanged), which
	// holders of members.read follow: see live.Service.Team. Empty where it is not in
	// there.
	Members MembersChange
	// Invitations is what the event is in a live list of invitations
	// (inviteStatusChanged), which holders of members.read follow. Empty where it is not
	// in there.
	Invitations InvitationsChange
	// Addressee is whether the event is in the addressee's live list
	// (receivedInvitationsChanged): see live.Service.Addressee.
	Addressee bool
}

// Rights says whose permissions or sessions a type of events may change.
type Rights int

// Whose they may be.
const (
	OfNobody       Rights = iota
	OfMember              // the member's whose user the event's data names
	OfUser                // the user's who is the event's subject
	OfWholeAccount        // anybody's in the account
)

// MembersChange is what an event is in a live list of members: a value of the public
// schema's MemberEventType.
type MembersChange string

// InvitationsChange is what an event is in a live list of invitations: a value of the
// public schema's InviteEventType.
type InvitationsChange string

// unknown is a type without a line, such as a newer version of the program may have
// written on another node.
var unknown = Facts{Rights: OfWholeAccount}

// Facts returns the facts about the type.
func (t Type) Facts() Facts {
	if f, ok := facts[t]; ok {
		return f
	}
	return unknown
}

// Summary says what happened, for a person.
func (t Type) Summary() string {
	if f, ok := facts[t]; ok {
		return f.Summary
	}
	return string(t)
}

// Name returns the type's name in the public schema's EventType: MEMBER_JOINED for
// member.joined, UNKNOWN for a type without a line.
func (t Type) Name() string {
	if _, ok := facts[t]; !ok {
		return "UNKNOWN"
	}
	return strings.ToUpper(strings.ReplaceAll(string(t), ".", "_"))
}

// Named returns the type with the name; ok is false when there is none.
func Named(name string) (t Type, ok bool) {
	for t := range facts {
		if t.Name() == name {
			return t, true
		}
	}
	return "", false
}

// Concerns reports whether an event with these facts may have changed the permissions
// or sessions of the user.
func (f Facts) Concerns(e *ent.Event, userID string) bool {
	switch f.Rights {
	case OfNobody:
		return false
	case OfMember:
		return e.Data[UserID] == userID
	case OfUser:
		return e.SubjectID == userID
	default:
		return true
	}
}

// TypesFor returns the types whose facts which selects, in alphabetical order.
func TypesFor(which func(Facts) bool) (types []Type) {
	for t, f := range facts {
		if which(f) {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	return types
}

var facts = map[Type]Facts{
	InvitationCreated: {Summary: "Invited somebody", Invitations: "CREATED", Addressee: true},
	InvitationUpdated: {Summary: "Changed an invitation", Invitations: "UPDATED", Addressee: true},
	// CREATED and RESENT say already that a mail is queued.
	InvitationQueued:   {Summary: "The mail of an invitation was queued"},
	InvitationSent:     {Summary: "The mail of an invitation was sent", Invitations: "DELIVERY_CHANGED"},
	InvitationFailed:   {Summary: "The mail of an invitation could not be sent", Invitations: "DELIVERY_CHANGED"},
	InvitationBounced:  {Summary: "The mail of an invitation bounced", Invitations: "DELIVERY_CHANGED"},
	InvitationResent:   {Summary: "Resent an invitation", Invitations: "RESENT", Addressee: true},
	InvitationAccepted: {Summary: "Accepted an invitation", Invitations: "ACCEPTED", Addressee: true},
	InvitationDeclined: {Summary: "Declined an invitation", Invitations: "DECLINED", Addressee: true},
	InvitationRevoked:  {Summary: "Revoked an invitation", Invitations: "REVOKED", Addressee: true},
	InvitationExpired:  {Summary: "An invitation expired", Invitations: "EXPIRED", Addressee: true},

	MemberJoined:      {Summary: "Became a member", Members: "JOINED"},
	MemberUpdated:     {Summary: "A membership changed", Members: "UPDATED", Rights: OfMember},
	MemberDeactivated: {Summary: "Deactivated a member", Members: "DEACTIVATED", Rights: OfMember},
	MemberReactivated: {Summary: "Reactivated a member", Members: "REACTIVATED", Rights: OfMember},
	MemberRemoved:     {Summary: "A member left or was removed", Members: "REMOVED", Rights: OfMember},

	TransferRequested: {Summary: "Offered the ownership of a team"},
	TransferAccepted:  {Summary: "Accepted the ownership of a team", Members: "OWNER_CHANGED", Rights: OfWholeAccount},
	TransferDeclined:  {Summary: "Declined the ownership of a team"},
	TransferCanceled:  {Summary: "A transfer of ownership was canceled"},

	TeamCreated: {Summary: "Created a team"},
	TeamUpdated: {Summary: "Changed a team"},
	TeamDeleted: {Summary: "Deleted a team", Rights: OfWholeAccount},

	RoleCreated:     {Summary: "Created a role"},
	RoleUpdated:     {Summary: "Changed a role", Rights: OfWholeAccount},
	RoleDeleted:     {Summary: "Deleted a role", Rights: OfWholeAccount},
	GroupCreated:    {Summary: "Created a group"},
	GroupUpdated:    {Summary: "Changed a group", Rights: OfWholeAccount},
	GroupDeleted:    {Summary: "Deleted a group", Rights: OfWholeAccount},
	DivisionCreated: {Summary: "Created a division"},
	DivisionUpdated: {Summary: "Changed a division"},
	DivisionDeleted: {Summary: "Deleted a division"},

	AccountUpdated:   {Summary: "Changed the account"},
	AccountSuspended: {Summary: "The account was suspended"},
	AccountResumed:   {Summary: "The account was resumed"},

	UserSignedUp:        {Summary: "Signed up"},
	UserSignedIn:        {Summary: "Signed in"},
	UserSignedOut:       {Summary: "Signed out", Rights: OfUser},
	UserEmailVerified:   {Summary: "Verified an address"},
	UserPasswordChanged: {Summary: "Changed the password", Rights: OfUser},
}
