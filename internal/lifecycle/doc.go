// Package lifecycle holds the states of invitations and of transfers of
// ownership: which action leads from which state to which, and what state a row
// has at a moment. It reads and writes no row itself.
//
// An invitation:
//
//	                resend, update
//	                   ┌────┐
//	                   ▼    │
//	created ───────► PENDING ───accept───► ACCEPTED (final)
//	                 ▲  │  │ ───decline──► DECLINED (final)
//	          resend │  │  └─────revoke───► REVOKED (final)
//	                 │  ▼                      ▲
//	                EXPIRED ──────revoke───────┘
//	                (from expires_at on)
//
// A transfer of ownership:
//
//	requested ──► PENDING ──accept───►  ACCEPTED   by the receiver
//	                 ├──────decline──►  DECLINED   by the receiver
//	                 ├──────cancel───►  CANCELED   by the owner
//	                 └────────────────► EXPIRED    from expires_at on
//
// A row expires by the clock and not by a write: from expires_at on it is
// expired, although it is stored as PENDING until the sweep (of invitations) or
// the next request (of a transfer) stores EXPIRED. So the stored state and the
// state at a moment differ, and each question has a function for Go beside its
// predicate for SQL:
//
//	question                          for Go               for SQL
//	which state at this moment?       Effective            InState
//	can it still be answered?         IsOpen               Open
//	expired, and stored as pending?   IsOverdue            Overdue
//	stored as pending?                i.Status == Pending  StoredPending
//
// and likewise EffectiveTransfer, IsTransferOpen and OpenTransfer,
// IsTransferOverdue and OverdueTransfer, StoredPendingTransfer.
//
// Invariants: no other package decides from the status or expires_at what state a
// row has at a moment (writes do compare the stored status: compare-and-set); at the
// moment expires_at the row is expired; the function and the predicate of a line agree
// on every row.
package lifecycle
