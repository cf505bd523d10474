package event

// summaries say what happened, for a person who sees beside it who did it.
var summaries = map[Type]string{
	InvitationCreated:  "Invited somebody",
	InvitationUpdated:  "Changed an invitation",
	InvitationQueued:   "The mail of an invitation is on its way",
	InvitationSent:     "The mail of an invitation went out",
	InvitationFailed:   "The mail of an invitation could not be sent",
	InvitationBounced:  "The mail of an invitation came back",
	InvitationResent:   "Sent an invitation again",
	InvitationAccepted: "Accepted an invitation",
	InvitationDeclined: "Declined an invitation",
	InvitationRevoked:  "Took an invitation back",
	InvitationExpired:  "An invitation ran out",

	MemberJoined:      "Became a member",
	MemberUpdated:     "A membership changed",
	MemberDeactivated: "Deactivated a member",
	MemberReactivated: "Reactivated a member",
	MemberRemoved:     "A member left or was removed",

	TransferRequested: "Offered the ownership of a team",
	TransferAccepted:  "Accepted the ownership of a team",
	TransferDeclined:  "Declined the ownership of a team",
	TransferCanceled:  "An offered ownership was taken back",

	TeamCreated: "Created a team",
	TeamUpdated: "Changed a team",
	TeamDeleted: "Deleted a team",

	RoleCreated:     "Created a role",
	RoleUpdated:     "Changed a role",
	RoleDeleted:     "Deleted a role",
	GroupCreated:    "Created a group",
	GroupUpdated:    "Changed a group",
	GroupDeleted:    "Deleted a group",
	DivisionCreated: "Created a division",
	DivisionUpdated: "Changed a division",
	DivisionDeleted: "Deleted a division",

	AccountUpdated:   "Changed the account",
	AccountSuspended: "The account was suspended",
	AccountResumed:   "The account was resumed",

	UserSignedUp:        "Signed up",
	UserSignedIn:        "Signed in",
	UserSignedOut:       "Signed out",
	UserEmailVerified:   "Verified an address",
	UserPasswordChanged: "Set another password",
}

// Summary says what happened, for a person.
func (t Type) Summary() string {
	if s, ok := summaries[t]; ok {
		return s
	}
	return string(t)
}
