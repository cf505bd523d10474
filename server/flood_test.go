package server_test

import (
	"net/http"
	"testing"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

func behindProxy(c *server.Config) {
	guessable(c)
	c.RateLimits = server.RateLimits{}
}

// HARD-5: a flood of wrong sign-ins from one address is refused early and fills its own line
// only; another person's sign-in takes its turn.
func TestAFloodOfSignInsDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	const flood, inLine = 60, 4
	eachWith(t, behindProxy, func(t *testing.T, w *testkit.World) {
		w.SignUp("olivia@acme.test")
		turns := auth.NewTurns(1, inLine, 2*inLine)
		w.Server.Auth.Hasher.Turns = turns
		done, err := turns.Take(t.Context()) // the only one
		if err != nil {
			t.Fatal(err)
		}
		begun, outcomes := w.Server.Auth.Hasher.Runs(), make(chan *testkit.Answer, flood)
		for i := range flood {
			go func() { outcomes <- knock(w, "192.0.2.1", "nobody"+itoa(i)+"@acme.test", "wrong") }() // ends with the answer
		}
		for range flood - inLine {
			a := <-outcomes
			tooMany(t, a, "2")
			equal(t, "status of a refusal", a.Status, http.StatusOK)
		}
		equal(t, "HARD-5: how many of the flood wait", turns.Waiting(), inLine)
		right := make(chan *testkit.Answer)
		go func() { right <- knock(w, "198.51.100.7", "olivia@acme.test", testkit.Password) }() // ends with the answer
		testkit.Eventually(t, func() bool { return turns.Waiting() > inLine })
		done()
		(<-right).OK()
		for range inLine {
			equal(t, "one that waited", outcome(<-outcomes), "INVALID_CREDENTIALS")
		}
		equal(t, "hashes", w.Server.Auth.Hasher.Runs()-begun, inLine+1)
	})
}
