package lifecycle

import (
	"time"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/ent/ownershiptransfer"
	"github.com/convoke-dev/convoke/ent/predicate"
	"github.com/convoke-dev/convoke/internal/fault"
)

// TransferTTL is how long a transfer of ownership stays open.
const TransferTTL = 7 * 24 * time.Hour

// TransferStatus is the state of a transfer of ownership.
type TransferStatus = ownershiptransfer.Status

// The states of a transfer.
const (
	TransferPending  = ownershiptransfer.StatusPending
	TransferAccepted = ownershiptransfer.StatusAccepted
	TransferDeclined = ownershiptransfer.StatusDeclined
	TransferCanceled = ownershiptransfer.StatusCanceled
	TransferExpired  = ownershiptransfer.StatusExpired
)

// TransferAction is something that can be done with a transfer.
type TransferAction string

// The actions. The receiver accepts and declines, the owner cancels. Expiry is
// stored within seconds, or when the owner requests the next transfer.
const (
	AcceptTransfer  TransferAction = "accept"
	DeclineTransfer TransferAction = "decline"
	CancelTransfer  TransferAction = "cancel"
	ExpireTransfer  TransferAction = "expire"
)

// transferMoves says where each action leads from PENDING. Every other state is
// final.
var transferMoves = map[TransferAction]TransferStatus{
	AcceptTransfer:  TransferAccepted,
	DeclineTransfer: TransferDeclined,
	CancelTransfer:  TransferCanceled,
	ExpireTransfer:  TransferExpired,
}

// NextTransfer returns the state that the action leads to. TRANSFER_NOT_PENDING
// from a final state.
func NextTransfer(from TransferStatus, a TransferAction) (TransferStatus, *fault.Error) {
	if from != TransferPending {
		return from, fault.Input(fault.TransferNotPending, "This transfer is not open any more.", "transferId")
	}
	return transferMoves[a], nil
}

// EffectiveTransfer returns the state of a transfer at a moment. A transfer that
// is stored as pending is expired from expires_at on.
func EffectiveTransfer(t *ent.OwnershipTransfer, now time.Time) TransferStatus {
	if IsTransferOverdue(t, now) {
		return TransferExpired
	}
	return t.Status
}

// IsTransferOpen reports whether the transfer can be accepted at the moment.
func IsTransferOpen(t *ent.OwnershipTransfer, now time.Time) bool {
	return EffectiveTransfer(t, now) == TransferPending
}

// OpenTransfer is IsTransferOpen as a predicate.
func OpenTransfer(now time.Time) predicate.OwnershipTransfer {
	return ownershiptransfer.And(StoredPendingTransfer(), ownershiptransfer.ExpiresAtGT(now))
}

// IsTransferOverdue reports whether the transfer is stored as pending and has
// expired.
func IsTransferOverdue(t *ent.OwnershipTransfer, now time.Time) bool {
	return t.Status == TransferPending && !now.Before(t.ExpiresAt)
}

// OverdueTransfer is IsTransferOverdue as a predicate.
func OverdueTransfer(now time.Time) predicate.OwnershipTransfer {
	return ownershiptransfer.And(StoredPendingTransfer(), ownershiptransfer.ExpiresAtLTE(now))
}

// StoredPendingTransfer picks the transfers that are stored as pending, open and
// overdue ones alike. A team has one at most.
func StoredPendingTransfer() predicate.OwnershipTransfer {
	return ownershiptransfer.StatusEQ(TransferPending)
}
