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
	// (inviteStatusChanged), which holders of members.read follow, and in the addressee's
	// list (receivedInvitationsChanged). Empty where it is not in there.
	Invitations InvitationsChange
	// Team is what the event is in a live view of a team (teamChanged), which its members
	// follow. Empty where it is not in there.
	Team TeamChange
}

// Rights says whose permissions or sessions a type of events may change.
type Rights int

// Whose they may be.
const (
	OfNobody       Rights = iota
	OfMember              // the member's whose user the event's data names
	OfSubject             // those of the user or the API key that is the event's subject
	OfWholeAccount        // anybody's in the account
)

// MembersChange is what an event is in a live list of members: a value of the public
// schema's MemberEventType.
type MembersChange string

// InvitationsChange is what an event is in a live list of invitations: a value of the
// public schema's InviteEventType.
type InvitationsChange string

// TeamChange is what an event is in a live view of a team: a value of the public
// schema's TeamEventType.
type TeamChange string

// The changes of something that entries of a list refer to, such as a role of members.
const (
	memberReference     MembersChange     = "REFERENCE_CHANGED"
	invitationReference InvitationsChange = "REFERENCE_CHANGED"
)

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
	case OfSubject:
		return e.SubjectID == userID
	default:
		return true
	}
}

// OfReference reports whether the event is not about an invitation, but about something
// that invitations refer to: the subject, or the user of a renamed member.
func (f Facts) OfReference() bool { return f.Invitations == invitationReference }

// InMembers reports whether the event is in a live list of members.
func (f Facts) InMembers(*ent.Event) bool { return f.Members != "" }

// InInvitations reports whether the event is in a live list of invitations. A change of a
// member is in there only when it changed the name, because inviters have names.
func (f Facts) InInvitations(e *ent.Event) bool {
	return f.Invitations != "" && (Type(e.Type) != MemberUpdated || e.Data[Renamed] != "")
}

// InTeam reports whether the event is in a live view of a team.
func (f Facts) InTeam(*ent.Event) bool { return f.Team != "" }

// OfPeople reports whether the event is about a member or an invitation of a team.
func (f Facts) OfPeople() bool {
	return f.Members != "" && f.Members != memberReference || f.Invitations != "" && f.Invitations != invitationReference
}

// IsTeam reports whether events of the type are about a team as a whole.
func (t Type) IsTeam() bool { return t == TeamCreated || t == TeamUpdated || t == TeamDeleted }

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
	InvitationCreated: {Summary: "Invited somebody", Invitations: "CREATED", Team: "INVITATION_CREATED"},
	InvitationUpdated: {Summary: "Changed an invitation", Invitations: "UPDATED", Team: "INVITATION_UPDATED"},
	// CREATED and RESENT say already that a mail is queued.
	InvitationQueued:   {Summary: "The mail of an invitation was queued"},
	InvitationSent:     {Summary: "The mail of an invitation was sent", Invitations: "DELIVERY_CHANGED", Team: "INVITATION_DELIVERY_CHANGED"},
	InvitationFailed:   {Summary: "The mail of an invitation could not be sent", Invitations: "DELIVERY_CHANGED", Team: "INVITATION_DELIVERY_CHANGED"},
	InvitationBounced:  {Summary: "The mail of an invitation bounced", Invitations: "DELIVERY_CHANGED", Team: "INVITATION_DELIVERY_CHANGED"},
	InvitationResent:   {Summary: "Resent an invitation", Invitations: "RESENT", Team: "INVITATION_RESENT"},
	InvitationAccepted: {Summary: "Accepted an invitation", Invitations: "ACCEPTED", Team: "INVITATION_ACCEPTED"},
	InvitationDeclined: {Summary: "Declined an invitation", Invitations: "DECLINED", Team: "INVITATION_DECLINED"},
	InvitationRevoked:  {Summary: "Revoked an invitation", Invitations: "REVOKED", Team: "INVITATION_REVOKED"},
	InvitationExpired:  {Summary: "An invitation expired", Invitations: "EXPIRED", Team: "INVITATION_EXPIRED"},

	MemberJoined:      {Summary: "Became a member", Members: "JOINED", Team: "MEMBER_JOINED"},
	MemberUpdated:     {Summary: "A membership changed", Members: "UPDATED", Invitations: invitationReference, Team: "MEMBER_UPDATED", Rights: OfMember},
	MemberDeactivated: {Summary: "Deactivated a member", Members: "DEACTIVATED", Team: "MEMBER_DEACTIVATED", Rights: OfMember},
	MemberReactivated: {Summary: "Reactivated a member", Members: "REACTIVATED", Team: "MEMBER_REACTIVATED", Rights: OfMember},
	MemberRemoved:     {Summary: "A member left or was removed", Members: "REMOVED", Team: "MEMBER_REMOVED", Rights: OfMember},

	TransferRequested: {Summary: "Offered the ownership of a team", Members: memberReference, Team: "TRANSFER_REQUESTED"},
	TransferAccepted:  {Summary: "Accepted the ownership of a team", Members: "OWNER_CHANGED", Team: "OWNER_CHANGED", Rights: OfWholeAccount},
	TransferDeclined:  {Summary: "Declined the ownership of a team", Members: memberReference, Team: "TRANSFER_DECLINED"},
	TransferCanceled:  {Summary: "A transfer of ownership was canceled", Members: memberReference, Team: "TRANSFER_CANCELED"},
	TransferExpired:   {Summary: "A transfer of ownership expired", Members: memberReference, Team: "TRANSFER_EXPIRED"},

	TeamCreated: {Summary: "Created a team", Team: "TEAM_CREATED", Rights: OfWholeAccount}, // an API key may act in it
	TeamUpdated: {Summary: "Changed a team", Members: memberReference, Invitations: invitationReference, Team: "TEAM_UPDATED"},
	TeamDeleted: {Summary: "Deleted a team", Team: "TEAM_DELETED", Rights: OfWholeAccount},

	RoleCreated:     {Summary: "Created a role", Team: "ROLE_CREATED"},
	RoleUpdated:     {Summary: "Changed a role", Members: memberReference, Invitations: invitationReference, Team: "ROLE_UPDATED", Rights: OfWholeAccount},
	RoleDeleted:     {Summary: "Deleted a role", Members: memberReference, Invitations: invitationReference, Team: "ROLE_DELETED", Rights: OfWholeAccount},
	GroupCreated:    {Summary: "Created a group", Team: "GROUP_CREATED"},
	GroupUpdated:    {Summary: "Changed a group", Members: memberReference, Invitations: invitationReference, Team: "GROUP_UPDATED", Rights: OfWholeAccount},
	GroupDeleted:    {Summary: "Deleted a group", Members: memberReference, Invitations: invitationReference, Team: "GROUP_DELETED", Rights: OfWholeAccount},
	DivisionCreated: {Summary: "Created a division", Team: "DIVISION_CREATED"},
	DivisionUpdated: {Summary: "Changed a division", Members: memberReference, Invitations: invitationReference, Team: "DIVISION_UPDATED"},
	DivisionDeleted: {Summary: "Deleted a division", Members: memberReference, Invitations: invitationReference, Team: "DIVISION_DELETED"},

	APIKeyCreated: {Summary: "Created an API key", Team: "API_KEY_CREATED"},
	APIKeyUpdated: {Summary: "Changed an API key", Invitations: invitationReference, Team: "API_KEY_UPDATED", Rights: OfSubject},
	APIKeyRevoked: {Summary: "An API key was revoked", Team: "API_KEY_REVOKED", Rights: OfSubject},

	AccountUpdated:   {Summary: "Changed the account", Members: memberReference, Invitations: invitationReference, Team: "ACCOUNT_UPDATED"},
	AccountSuspended: {Summary: "The account was suspended", Members: memberReference, Invitations: invitationReference, Team: "ACCOUNT_UPDATED"},
	AccountResumed:   {Summary: "The account was resumed", Members: memberReference, Invitations: invitationReference, Team: "ACCOUNT_UPDATED"},

	UserSignedUp:        {Summary: "Signed up"},
	UserSignedIn:        {Summary: "Signed in"},
	UserSignedOut:       {Summary: "Signed out", Rights: OfSubject},
	UserEmailVerified:   {Summary: "Verified an address"},
	UserPasswordChanged: {Summary: "Changed the password", Rights: OfSubject},
	// The lists of members have a member.updated beside it.
	UserEmailChanged: {Summary: "Changed the e-mail address", Rights: OfSubject},
}
