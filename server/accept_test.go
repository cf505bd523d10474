package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

const (
	asJSON     = "application/json; charset=utf-8"
	asResponse = "application/graphql-response+json; charset=utf-8"
	asEvents   = "text/event-stream"

	ofURQL   = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
	ofApollo = "application/graphql-response+json,application/json;q=0.9"
	// ofApolloStreams is what Apollo Client sends for a subscription over HTTP.
	ofApolloStreams = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9"
)

func TestResponsesAreNegotiated(t *testing.T) {
	t.Parallel()
	w := surface(t)
	const ask, wrong = `{"query":"{ serverInfo { version } }"}`, `{"query":"{ veiwer { id } }"}`
	for _, c := range []struct {
		accept, media string
		status        int // of a query that is not valid
	}{
		{"", asJSON, 200},
		{" , ", asJSON, 200},
		{"*/*", asJSON, 200},
		{"application/*", asJSON, 200},
		{"application/json", asJSON, 200},
		{"APPLICATION/JSON; charset=UTF-8", asJSON, 200},
		{"application/graphql-response+json", asResponse, 400},
		{"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", asResponse, 400},
		{"application/json, application/graphql-response+json", asJSON, 200},
		{"application/json;q=0.5, application/graphql-response+json;q=0.8", asResponse, 400},
		{"application/graphql-response+json;q=0, */*", asJSON, 200},
		{"*/*, application/json;q=0", asResponse, 400},
		{ofURQL, asResponse, 400},
		{ofApollo, asResponse, 400},
		{ofApolloStreams, asResponse, 400},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", asJSON, 200},
		{"application/json, text/event-stream", asJSON, 200},
		{"application/json, text/event-stream;q=0.9", asJSON, 200},
		{"text/event-stream;q=0.9, application/json", asJSON, 200},
		{"text/event-stream;q=0, */*", asJSON, 200},
		{"text/event-stream", asEvents, 200},
		{"text/*", asEvents, 200},
		{"text/event-stream, application/json", asEvents, 200},
		{"text/event-stream, */*", asEvents, 200},
		{"application/json;q=0.9, text/event-stream", asEvents, 200},
		{"application/json;q=high, text/event-stream;q=0.1", asEvents, 200},
		{"application/json;q=1e-1, text/event-stream;q=0.1", asEvents, 200}, // HARD-13
		{"application/json;q=0x1p-2, text/event-stream;q=0.1", asEvents, 200},
		{"application/graphql-response+json;q=.3, application/json;q=.2", asResponse, 400},
		{"text/html", asJSON, 406},
		{"application/json;q=0", asJSON, 406},
		{"application/json; charset=iso-8859-1", asJSON, 406},
		{"nonsense", asJSON, 406},
	} {
		t.Run("FE-1 "+c.accept, func(t *testing.T) {
			t.Parallel()
			good, bad := post(t, w, ask, "Accept", c.accept), post(t, w, wrong, "Accept", c.accept)
			for _, got := range []page{good, bad} {
				equal(t, "media type", got.header.Get("Content-Type"), c.media)
				if vary := strings.Join(got.header.Values("Vary"), ","); !strings.Contains(vary, "Accept") {
					t.Errorf("Vary is %q, want Accept in it", vary)
				}
			}
			equal(t, "status of a query that is not valid", bad.status, c.status)
			if c.status == http.StatusNotAcceptable {
				equal(t, "status", good.status, c.status)
				if !strings.Contains(good.body, "The Accept header must allow application/json") {
					t.Errorf("got %s, want a sentence", good.body)
				}
				return
			}
			equal(t, "status", good.status, http.StatusOK)
			if strings.HasPrefix(good.body, "event: next\n") != (c.media == asEvents) || !strings.Contains(good.body, `{"data":{"serverInfo":`) {
				t.Errorf("got %s as %s", good.body, c.media)
			}
			if !strings.Contains(bad.body, "GRAPHQL_VALIDATION_FAILED") || strings.Contains(bad.body, `"data"`) {
				t.Errorf("got %s, want an error without data", bad.body)
			}
		})
	}
}

func TestASubscriptionIsAStreamWheneverOneIsAccepted(t *testing.T) {
	t.Parallel()
	w := surface(t)
	owner := w.SignUp("olivia@acme.test")
	from := eventCursor(owner)
	owner.Invite("ann@x.org", "billing", "sendEmail", false).OK()
	for _, accept := range []string{ofURQL, "text/event-stream", "application/json, text/event-stream;q=0.1", "*/*"} {
		t.Run("FE-1 "+accept, func(t *testing.T) {
			t.Parallel()
			s := openStream(owner, t, w, watch, map[string]any{"team": owner.TeamID, "after": from}, "Accept", accept)
			s.want("next", "ann@x.org")
			equal(t, "cache", s.header.Get("Cache-Control"), "no-store, no-transform")
		})
	}
	body, err := json.Marshal(map[string]any{"query": watch, "variables": map[string]any{"team": owner.TeamID}})
	if err != nil {
		t.Fatal(err)
	}
	for accept, media := range map[string]string{"": asJSON, "application/json": asJSON, ofApolloStreams: asResponse} {
		t.Run("FE-1 no stream, "+accept, func(t *testing.T) {
			t.Parallel()
			got := post(t, w, string(body), "Accept", accept, "Authorization", "Bearer "+owner.Session)
			equal(t, "status", got.status, http.StatusNotAcceptable)
			equal(t, "media type", got.header.Get("Content-Type"), media)
			if !strings.Contains(got.body, "A subscription needs a WebSocket") {
				t.Errorf("got %s, want the reason", got.body)
			}
		})
	}
}

func TestRefusalsKeepTheMediaType(t *testing.T) {
	t.Parallel()
	w := surface(t)
	const ask = `{"query":"{ serverInfo { version } }"}`
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
		code   string
	}{
		"a token that is not valid": {ask, []string{"Authorization", "Bearer nonsense"}, 401, "UNAUTHENTICATED"},
		"a foreign origin":          {ask, []string{"Origin", "https://evil.example"}, 403, "FORBIDDEN"},
		"another content type":      {ask, []string{"Content-Type", "text/plain"}, 415, "BAD_USER_INPUT"},
		"a large body":              {`{"query":"` + strings.Repeat(" ", 300<<10) + `"}`, nil, 413, "BAD_USER_INPUT"},
		"a body that is no JSON":    {`{`, nil, 400, "BAD_USER_INPUT"},
		"a body without a query":    {`{}`, nil, 400, "BAD_USER_INPUT"},
	} {
		for accept, media := range map[string]string{"": asJSON, ofURQL: asResponse, ofApollo: asResponse, asEvents: asEvents} {
			t.Run("FE-5 "+name+", "+accept, func(t *testing.T) {
				t.Parallel()
				got := post(t, w, c.body, append([]string{"Accept", accept}, c.header...)...)
				equal(t, "media type", got.header.Get("Content-Type"), media)
				status, prefix, suffix := c.status, `{"errors":[`, `]}`
				if media == asEvents { // clients of streams do not read the body of another status
					status, prefix, suffix = http.StatusOK, "event: next\ndata: "+prefix, suffix+"\n\nevent: complete\ndata:\n\n"
				}
				equal(t, "status", got.status, status)
				if !strings.HasPrefix(got.body, prefix) || !strings.HasSuffix(got.body, suffix) || !strings.Contains(got.body, `"code":"`+c.code+`"`) {
					t.Errorf("got %s, want one error %s", got.body, c.code)
				}
			})
		}
	}
}

func TestARateLimitHasARetryAfter(t *testing.T) {
	t.Parallel()
	w := testkit.New(t, t.TempDir()+"/convoke.db", func(c *server.Config) {
		limits, err := c.RateLimits.With("client=1/1m")
		if err != nil {
			t.Fatal(err)
		}
		c.RateLimits = limits
	})
	const reset = `{"query":"mutation { requestPasswordReset(input: {email: \"ann@x.org\"}) { resetSent } }"}`
	equal(t, "at first", post(t, w, reset).header.Get("Retry-After"), "")
	for accept, media := range map[string]string{"": asJSON, ofURQL: asResponse, asEvents: asEvents} {
		t.Run("FE-5 "+accept, func(t *testing.T) {
			t.Parallel()
			got := post(t, w, reset, "Accept", accept)
			equal(t, "status of a response with data", got.status, http.StatusOK)
			equal(t, "media type", got.header.Get("Content-Type"), media)
			equal(t, "Retry-After", got.header.Get("Retry-After"), "61")
			if !strings.Contains(got.body, `"path":["requestPasswordReset"]`) || !strings.Contains(got.body, `"retryAfterSeconds":61`) || !strings.Contains(got.body, `"data":{"requestPasswordReset":null}`) {
				t.Errorf("got %s, want the time to wait", got.body)
			}
		})
	}
}
