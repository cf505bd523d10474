// Package invite holds the invitation: everything that happens to it from Send
// to Accept. Package lifecycle has its states; this package has the verbs that
// move it from one to another.
//
//	                 Send (the inviter)
//	                   │
//	Resend, Update ┌─► ▼     Accept (the addressee)
//	(a manager)    └─ PENDING ─────────────────────► ACCEPTED  a member
//	                   │ ▲ │ │ Decline (the addressee)
//	the clock, stored  │ │ │ └─────────────────────► DECLINED
//	by the sweep or    │ │ │ Revoke (a manager, or Depart)
//	by the next Send   ▼ │ └───────────────────────► REVOKED
//	                EXPIRED ───────────────────────────▲
//	                     Resend (a manager)   Revoke
//
// A manager is a member who holds members.invite in the team. Each move is a
// compare-and-set in a transaction of the account, so of two moves at once one
// fails. ACCEPTED, DECLINED and REVOKED are final: the address may be invited
// again, by a new row, when it has no cool-off.
//
// The link. An invitation has one valid link at a time. Its token is derived
// from the secret key, the id and the generation, and the table stores only its
// hash. A resend counts the generation up, so the old link stops working and a
// job for it in the outbox becomes obsolete. A link that was mailed proves that
// its holder owns the address: a newcomer may accept by it, and decline without
// signing in. A link that was handed to the inviter proves nothing, except on a
// server without mail: the addressee must sign in. Opening a link changes nothing.
//
// Delivery is an axis of its own. It is the fate of the newest mail: NOT_REQUESTED,
// or QUEUED, then SENT, FAILED or BOUNCED. The outbox (Composer) and the mail
// provider (Bounce) move it, and no state depends on it.
//
// The granter answers for the grant: at first the inviter, then the manager who
// resent the invitation or changed its grant. The ceiling says that the granter
// holds at least what the invitation grants, and is restricted no less. It is
// checked by Send, Resend and Update, and once more by Accept: a granter who has
// lost a right since fails the Accept with INVITER_LOST_GRANT. The pending
// invitations of a granter who leaves the team pass to the heir, or are revoked
// (Depart). What the leaving granter had lost stays lost: such an invitation is marked
// as unconfirmed, and refused until somebody who holds all of it confirms it by Resend
// or by an Update of the grant.
//
// An address that declines, or whose mailed invitations end unanswered too often, has a
// cool-off in the account, and its owner can block the account: Send and Resend then fail
// with INVITE_COOL_OFF, in all teams of the account (cooloff.go, block.go).
//
// Sending. A call names one address or up to 500. Send and SendAll read what is
// known of the addresses, make a plan, and issue it; the first refusal counts:
//
//	known     ► classify ► limit       ► throttle      ► settle  ► issue
//	database    address    seats, open   rate limits     repeats   rows, events,
//	            by address invitations   (charged here)            mails, counters
//
// classify to settle are pure. A refusal about one address fails a single call,
// and in a bulk call only that address. An idempotency key stores the results
// without links, and replay derives the links again.
//
// One transaction writes the invitation, its events, its outbox jobs, the team's
// counters and the idempotency key, or, for Accept, the user, the member, the
// session and the events. Nothing is mailed before the commit.
//
// Invariants: a team has at most one pending invitation for an address; its
// counters are the numbers of its rows; lists show an address once, because a
// new invitation marks the expired ones before it as superseded; an event, a log
// line or a stored result never holds a token.
package invite
