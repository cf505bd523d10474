package main_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestTheFlagSaysWhereRepliesGo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args        []string
		environment []string
		want        map[string]string // by recipient
	}{
		"HARD-15 without the flag no mail has a Reply-To": {
			want: map[string]string{"olivia@acme.test": "", "ann@x.org": ""},
		},
		"HARD-15 inviter is for the invitation": {
			args: []string{"--mail-reply-to", "inviter"},
			want: map[string]string{"olivia@acme.test": "", "ann@x.org": "<olivia@acme.test>"},
		},
		"HARD-15 an address of the environment is for every mail": {
			environment: []string{"CONVOKE_MAIL_REPLY_TO=help@acme.test"},
			want:        map[string]string{"olivia@acme.test": "<help@acme.test>", "ann@x.org": "<help@acme.test>"},
		},
		"HARD-15 the flag wins": {
			args: []string{"--mail-reply-to", "none"}, environment: []string{"CONVOKE_MAIL_REPLY_TO=help@acme.test"},
			want: map[string]string{"olivia@acme.test": "", "ann@x.org": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMailServer(t)
			p := startWith(t, c.environment, append(serveArgs(t.TempDir()+"/convoke.db", m), c.args...)...)
			session, team := owner(t, p, m)
			p.graphql(session, `mutation { inviteUser(input: {teamId: "`+team+`", email: "ann@x.org", grant: {allPermissions: true}}) { userErrors { code } } }`)
			testkit.Eventually(t, func() bool { return len(m.to("ann@x.org")) > 0 })
			got := map[string]string{}
			for to := range c.want {
				head, _, _ := strings.Cut(m.to(to)[0], "\r\n\r\n")
				got[to] = ""
				for line := range strings.SplitSeq(head, "\r\n") {
					if value, is := strings.CutPrefix(line, "Reply-To: "); is {
						got[to] += value
					}
				}
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
