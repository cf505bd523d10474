package server_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/convoke-dev/convoke/internal/mail"
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

func TestTheTextOfAMailIsWrapped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *testkit.World) {
		owner := w.SignUp("olivia@acme.test")
		owner.Mutate("updateProfile", "user { id }", "firstName", strings.Repeat("Wolfe ", 8), "lastName", strings.Repeat("w", 30)).OK()
		wiki := "https://wiki.acme.test/" + strings.Repeat("a", 100)
		note := strings.Repeat("Welcome to us all. ", 8) + "\n" + wiki + "\nSee you."
		owner.Invite("ann@x.org", "billing", "firstName", "Ann", "note", note).OK()
		owner.Mutate("changeEmail", "confirmationSent", "newEmail", "new@acme.test", "password", testkit.Password).OK()
		w.Anonymous().Mutate("requestPasswordReset", "resetSent", "email", "olivia@acme.test").OK()
		invited := w.Mail.Wait(t, "ann@x.org", 1)
		mails := []mail.Message{invited, w.Mail.Wait(t, "new@acme.test", 1)}
		w.Mail.Wait(t, "olivia@acme.test", 3) // verification, change of address, reset
		mails = append(mails, w.Mail.To("olivia@acme.test")...)
		t.Run("HARD-15 no line of text is long but for its word", func(t *testing.T) {
			for _, m := range mails {
				for line := range strings.Lines(m.Text) {
					if word := strings.TrimPrefix(line, "> "); utf8.RuneCountInString(strings.ReplaceAll(line, "\u200C", "")) > 73 && len(strings.Fields(word)) > 1 {
						t.Errorf("%q has the long line %q", m.Subject, line)
					}
				}
				testkit.Token(t, m) // the link is alone on its line
			}
		})
		t.Run("HARD-15 a note keeps its lines and its links", func(t *testing.T) {
			quoted := "> Welcome to us all. Welcome to us all. Welcome to us all. Welcome to us\n" +
				"> all. Welcome to us all. Welcome to us all. Welcome to us all. Welcome\n> to us all.\n"
			if want := quoted + "> " + wiki + "\n> See you.\n\n"; !strings.Contains(invited.Text, want) {
				t.Errorf("got\n%s\nwant the note\n%s", invited.Text, want)
			}
		})
	})
}
