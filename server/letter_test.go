package server_test

import (
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestNoNameInAMailBecomesALink(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("owner@x.org")
		owner.Mutate("updateProfile", "user { id }", "firstName", "http://evil.test/a").OK()
		owner.Mutate("updateTeam", "team { id }", "teamId", owner.TeamID, "name", "www.evil.test").OK()
		owner.Invite("ann@x.org", "billing", "firstName", "evil。test").OK()
		m := w.Mail.Wait(t, "ann@x.org", 1)
		t.Run("HARD-15 names in a mail do not look like addresses", func(t *testing.T) {
			for _, linked := range []string{"http://evil", "evil.test", "www.evil", "evil。test"} {
				if strings.Contains(m.Text+m.HTML, linked) {
					t.Errorf("the mail has %q:\n%s", linked, m.Text)
				}
			}
		})
		t.Run("HARD-15 the button is one for Outlook too", func(t *testing.T) {
			if strings.Count(m.HTML, "<v:roundrect") != 1 || !strings.Contains(m.HTML, `bgcolor="#2456c7"`) {
				t.Errorf("no button for Outlook in\n%s", m.HTML)
			}
		})
	})
}
