package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/person"
	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-16, HARD-17: what a person has blocked is in their export, and the block outlives
// them. An erasure that deletes teams counts their open invitations, as their deletion does.
func TestABlockOutlivesThePerson(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		w := testkit.New(t, address)
		owner, ann := w.SignUp("olivia@acme.test"), w.SignUp("ann@x.org")
		mailed(w, ann, t, "bob@x.org") // from a team that is deleted with Ann
		id := tryInvite(owner, ann.Email).OK().Text("inviteUser.invitation.id")
		ann.Mutate("blockInvitations", "block { id }", "id", id).OK()
		people, err := person.NewOperator(t.Context(), address, w.Clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = people.Close() }() // nothing is left to write
		user := ann.Do(`{ viewer { user { id } } }`, nil).OK().Text("viewer.user.id")
		var out strings.Builder
		if err := people.Export(t.Context(), user, &out); err != nil {
			t.Fatal(err)
		}
		var export struct{ InvitationBlocks []struct{ AccountID string } }
		if err := json.Unmarshal([]byte(out.String()), &export); err != nil || len(export.InvitationBlocks) != 1 || export.InvitationBlocks[0].AccountID != owner.AccountID() {
			t.Errorf("the export has %v, %v; want the blocked account", export, err)
		}
		if err := people.Erase(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		tryInvite(owner, ann.Email).Refused(coolly)
	})
}
