package server_test

import (
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// HARD-17: nobody keeps a person from being erased by taking the address of their pseudonym.
func TestNobodyHasTheAddressOfAPseudonym(t *testing.T) {
	t.Parallel()
	eachWith(t, withoutMail, func(_ *testing.T, w *testkit.World) {
		for _, email := range []string{"zoe@x.org", "mallory@x.org"} {
			signUp(w, email, testkit.Password).OK()
		}
		zoe, mallory := w.SignIn("zoe@x.org"), w.SignIn("mallory@x.org")
		theirs := userID(zoe) + "@ERASED.invalid"
		signUp(w, theirs, testkit.Password).Refused("INVALID_EMAIL email")
		changeEmail(mallory.Client, theirs, testkit.Password).Refused("INVALID_EMAIL newEmail")
		mallory.Invite(theirs, "viewer").Refused("INVALID_EMAIL email")
		erase(zoe, testkit.Password).OK()
		requestReset(w.Anonymous(), theirs).Refused("INVALID_EMAIL email")
	})
}
