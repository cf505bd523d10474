package lifecycle_test

import (
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/internal/lifecycle"
)

var transferStates = []lifecycle.TransferStatus{
	lifecycle.TransferPending, lifecycle.TransferAccepted, lifecycle.TransferDeclined, lifecycle.TransferCanceled, lifecycle.TransferExpired,
}

func TestEveryMoveOfATransfer(t *testing.T) {
	t.Parallel()
	for action, to := range map[lifecycle.TransferAction]lifecycle.TransferStatus{
		lifecycle.AcceptTransfer:  lifecycle.TransferAccepted,
		lifecycle.DeclineTransfer: lifecycle.TransferDeclined,
		lifecycle.CancelTransfer:  lifecycle.TransferCanceled,
		lifecycle.ExpireTransfer:  lifecycle.TransferExpired,
	} {
		for _, from := range transferStates {
			want, code := to, fault.Code("")
			if from != lifecycle.TransferPending {
				want, code = from, fault.TransferNotPending
			}
			got, err := lifecycle.NextTransfer(from, action)
			if got != want || (err == nil) != (code == "") || err != nil && err.Code != code {
				t.Errorf("%s of a %s one: %s, %v; want %s, %q", action, from, got, err, want, code)
			}
		}
	}
}

func TestATransferExpiresAtItsMoment(t *testing.T) {
	t.Parallel()
	for _, c := range moments {
		for _, stored := range transferStates {
			tr := &ent.OwnershipTransfer{Status: stored, ExpiresAt: end}
			overdue := stored == lifecycle.TransferPending && c.over
			want := stored
			if overdue {
				want = lifecycle.TransferExpired
			}
			if got := lifecycle.EffectiveTransfer(tr, c.at); got != want {
				t.Errorf("%v before its end a %s one is %s, want %s", end.Sub(c.at), stored, got, want)
			}
			if got, want := lifecycle.IsTransferOpen(tr, c.at), stored == lifecycle.TransferPending && !c.over; got != want {
				t.Errorf("%v before its end a %s one is open: %t, want %t", end.Sub(c.at), stored, got, want)
			}
			if got := lifecycle.IsTransferOverdue(tr, c.at); got != overdue {
				t.Errorf("%v before its end a %s one is overdue: %t, want %t", end.Sub(c.at), stored, got, overdue)
			}
		}
	}
}

func TestCheckTTL(t *testing.T) {
	t.Parallel()
	for hours, ok := range map[int]bool{-1: false, 0: false, 1: true, lifecycle.MaxTTLHours: true, lifecycle.MaxTTLHours + 1: false} {
		err := lifecycle.CheckTTL(hours, "expiresInHours")
		if (err == nil) != ok || err != nil && (err.Code != fault.InvalidValue || err.Field[0] != "expiresInHours") {
			t.Errorf("%d hours: got %v, want allowed: %t", hours, err, ok)
		}
	}
}
