package graph_test

import (
	"testing"

	"github.com/convoke-dev/convoke/graph/model"
	"github.com/convoke-dev/convoke/internal/event"
)

func TestTheFactsOfEventsNameValuesOfTheSchema(t *testing.T) {
	t.Parallel()
	members, invitations := map[model.MemberEventType]bool{}, map[model.InviteEventType]bool{}
	for _, typ := range event.TypesFor(func(event.Facts) bool { return true }) {
		f := typ.Facts()
		if m := model.MemberEventType(f.Members); m != "" {
			members[m] = true
			if !m.IsValid() {
				t.Errorf("%s: got %s, want a MemberEventType", typ, m)
			}
		}
		if i := model.InviteEventType(f.Invitations); i != "" {
			invitations[i] = true
			if !i.IsValid() {
				t.Errorf("%s: got %s, want an InviteEventType", typ, i)
			}
		}
	}
	for _, m := range model.AllMemberEventType {
		if !members[m] {
			t.Errorf("got no event that is %s in a live list of members, want one", m)
		}
	}
	for _, i := range model.AllInviteEventType {
		if !invitations[i] {
			t.Errorf("got no event that is %s in a live list of invitations, want one", i)
		}
	}
}
