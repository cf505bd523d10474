package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
)

// unreadResponse is a response whose client reads nothing until it is released.
type unreadResponse struct {
	deadlined
	begun, release chan struct{}
}

// Write waits until the response is released.
func (r unreadResponse) Write(p []byte) (int, error) {
	r.begun <- struct{}{}
	<-r.release
	return r.deadlined.Write(p)
}

func TestAPersonHasOneExportAtATime(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner, other := w.SignUp("olivia@acme.test"), w.SignUp("bob@other.test")
	begun, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() { // ends when the response is released
		defer close(done)
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/my-data.json", nil)
		req.Header.Set("Authorization", "Bearer "+owner.Session)
		w.Server.Handler().ServeHTTP(unreadResponse{deadlined{httptest.NewRecorder()}, begun, release}, req)
	}()
	<-begun
	status := func(p *testkit.Person) int {
		return send(t, http.MethodGet, w.URL+"/my-data.json", "", "Authorization", "Bearer "+p.Session).status
	}
	equal(t, "HARD-17 a second export beside the first", status(owner), http.StatusTooManyRequests)
	equal(t, "HARD-17 one of somebody else", status(other), http.StatusOK)
	close(release)
	for read := false; !read; {
		select {
		case <-begun: // the next part
		case <-done:
			read = true
		}
	}
	equal(t, "HARD-17 a second export after the first", status(owner), http.StatusOK)
}

func TestResponsesThatNobodyReadsAreBounded(t *testing.T) { //nolint:tparallel // one story
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db")
	owner, other := w.SignUp("olivia@acme.test"), w.SignUp("bob@other.test")
	for n := range 95 {
		owner.Mutate("createRole", "", "accountId", owner.AccountID(), "key", "r"+itoa(n), "name", "Role",
			"description", strings.Repeat("ж", 500), "permissions", []string{}).OK()
	}
	var texts strings.Builder
	for n := range 18 {
		texts.WriteString("d" + itoa(n) + ": description ")
	}
	// A response of 1.7 MB takes twice as much, so 20 of them are beyond 64 MiB.
	const most = 19
	selection := `account { roles(first: 100) { nodes { ` + texts.String() + ` } } }`
	body, err := json.Marshal(map[string]string{"query": `{ team { ` + selection + ` } }`})
	if err != nil {
		t.Fatal(err)
	}
	begun, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	for range most {
		go func() { // ends when the response is released
			ctx, written := context.WithCancel(t.Context()) // as a server does
			defer written()
			req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(string(body)))
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+owner.Session)
			w.Server.Handler().ServeHTTP(unreadResponse{deadlined{httptest.NewRecorder()}, begun, release}, req)
			done <- struct{}{}
		}()
	}
	for range most {
		<-begun
	}
	t.Run("HARD-21 a query beyond the limit is refused", func(t *testing.T) {
		a := owner.Ask(selection)
		equal(t, "code", a.Code(), "RATE_LIMITED")
		owner.Ask(`name`).OK()
	})
	t.Run("HARD-21 a mutation beyond the limit says that the change was made", func(t *testing.T) {
		a := owner.Mutate("setActiveTeam", "viewer { activeTeam { "+selection+" } }", "teamId", owner.TeamID)
		equal(t, "code", a.Code(), "TIMEOUT")
	})
	t.Run("HARD-21 others are not concerned", func(*testing.T) {
		other.Ask(`name`).OK()
	})
	go func() { // ends with the responses
		for range begun { // a response may be written in parts
		}
	}()
	close(release)
	for range most {
		<-done
	}
	close(begun)
	t.Run("HARD-21 what has been read makes room", func(t *testing.T) {
		testkit.Eventually(t, func() bool { return owner.Ask(selection).Code() == "" })
	})
}
