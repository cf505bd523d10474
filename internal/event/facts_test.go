package event_test

import (
	"testing"

	"github.com/convoke-dev/convoke/ent"
	"github.com/convoke-dev/convoke/internal/event"
)

func TestAnUnknownTypeIsShownToNobodyAndMayChangeAnyRight(t *testing.T) {
	t.Parallel()
	const novelty event.Type = "novelty.happened"
	want := event.Facts{Rights: event.OfWholeAccount}
	if got := novelty.Facts(); got != want {
		t.Errorf("facts: got %+v, want %+v", got, want)
	}
	if got := novelty.Summary(); got != string(novelty) {
		t.Errorf("summary: got %q, want the bare type", got)
	}
}

func TestWhomAnEventConcerns(t *testing.T) {
	t.Parallel()
	e := &ent.Event{SubjectID: "usr_subject", Data: map[string]string{event.UserID: "usr_member"}}
	for _, tt := range []struct {
		rights                  event.Rights
		subject, member, others bool
	}{
		{event.OfNobody, false, false, false},
		{event.OfMember, false, true, false},
		{event.OfSubject, true, false, false},
		{event.OfWholeAccount, true, true, true},
	} {
		f := event.Facts{Rights: tt.rights}
		for user, want := range map[string]bool{"usr_subject": tt.subject, "usr_member": tt.member, "usr_other": tt.others} {
			if got := f.Concerns(e, user); got != want {
				t.Errorf("rights %d, %s: got %t, want %t", tt.rights, user, got, want)
			}
		}
	}
}

func TestWhichTypesMayChangeRights(t *testing.T) {
	t.Parallel()
	want := map[event.Type]event.Rights{
		event.MemberUpdated: event.OfMember, event.MemberDeactivated: event.OfMember,
		event.MemberReactivated: event.OfMember, event.MemberRemoved: event.OfMember,
		event.TransferAccepted: event.OfWholeAccount, event.TeamCreated: event.OfWholeAccount, event.TeamDeleted: event.OfWholeAccount,
		event.RoleUpdated: event.OfWholeAccount, event.RoleDeleted: event.OfWholeAccount,
		event.GroupUpdated: event.OfWholeAccount, event.GroupDeleted: event.OfWholeAccount,
		event.APIKeyUpdated: event.OfSubject, event.APIKeyRevoked: event.OfSubject,
		event.UserSignedOut: event.OfSubject, event.UserPasswordChanged: event.OfSubject, event.UserEmailChanged: event.OfSubject,
	}
	all := event.TypesFor(func(event.Facts) bool { return true })
	for _, typ := range all {
		if got := typ.Facts().Rights; got != want[typ] {
			t.Errorf("%s: got %d, want %d", typ, got, want[typ])
		}
	}
}
