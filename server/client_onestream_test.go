package server_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

func TestManySubscriptionsOfOneClient(t *testing.T) {
	t.Parallel()
	needClients(t)
	each(t, func(t *testing.T, w *testkit.World) {
		const many = 12
		owner := w.SignUp("olivia@acme.test")
		after := eventCursor(owner)
		x := newWire(t, w.URL)
		p := run(t, "node", filepath.Join("testdata", "clients", "many.mjs"), x.url+"/graphql", owner.Session)
		subscribe := func(name string) {
			line, err := json.Marshal(map[string]any{"name": name, "query": watch, "variables": map[string]any{"team": owner.TeamID, "after": after}})
			if err != nil {
				t.Fatal(err)
			}
			p.say(string(line))
		}
		// each waits until each of the subscriptions has had the change, and counts what else was sent.
		each := func(n int, email string) map[string]int {
			t.Helper()
			had, sent := map[string]bool{}, map[string]int{}
			for len(had) < n {
				var told struct {
					Next, Sent, Complete string
					Answer               json.RawMessage
					Status               int
				}
				line := p.line()
				if err := json.Unmarshal([]byte(line), &told); err != nil {
					t.Fatal(err)
				}
				switch {
				case told.Complete != "": // the client ended it
				case told.Sent != "":
					sent[fmt.Sprint(told.Sent, " ", told.Status)]++
				case told.Next == "" || had[told.Next] || !strings.Contains(string(told.Answer), email):
					t.Fatalf("got %s, want one change of %s for each", line, email)
				default:
					had[told.Next] = true
				}
			}
			return sent
		}
		invite := func(email string) { owner.Invite(email, "billing", "sendEmail", false).OK() }
		invite("ann@x.org")
		for i := range many {
			subscribe(itoa(i))
		}
		t.Run("FE-9 many subscriptions of graphql-sse share one stream", func(t *testing.T) {
			sent := each(many, "ann@x.org")
			equal(t, "reservations", sent["PUT 201"], 1)
			equal(t, "streams", sent["GET 200"], 1)
			equal(t, "operations", sent["POST 202"], many)
		})
		t.Run("FE-9 one that the client ends leaves the others", func(*testing.T) {
			p.say(`{"stop":"0"}`)
			p.hear(`{"sent":"DELETE","status":200}`)
			invite("bob@x.org")
			each(many-1, "bob@x.org")
		})
		t.Run("FE-9 after a break each goes on from its own cursor", func(*testing.T) {
			x.cut()
			invite("carl@x.org")
			each(many-1, "carl@x.org")
		})
	})
}
