package graphqlws_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/convoke-dev/convoke/server/graphqlws"
)

// HARD-6: a visitor who asks for nothing is sent away; pings are no operations. Those
// who follow something stay, and so do those who are signed in.
func TestAQuietVisitorIsSentAway(t *testing.T) {
	t.Parallel()
	type userKey struct{}
	s := serve(t, fields{"forever": forever}, func(c *graphqlws.Transport) {
		c.PingEvery, c.WriteWithin, c.QuietPings = 50*time.Millisecond, patience, 3
		c.Init = func(ctx context.Context, payload json.RawMessage) (context.Context, error) {
			return context.WithValue(ctx, userKey{}, len(payload) > 0), nil
		}
		c.Who = func(ctx context.Context) (user, session string) {
			if known, _ := ctx.Value(userKey{}).(bool); known {
				return "ann", "ann's"
			}
			return "", ""
		}
	})
	signedIn := s.dial()
	signedIn.says(`{"type":"connection_init","payload":{"user":"ann"}}`)
	signedIn.hears(`{"type":"connection_ack"}`)
	follower, quiet := s.open(), s.open()
	follower.asks("1", "subscription { forever }")
	quiet.says(`{"type":"ping"}`)
	for _, p := range []*peer{signedIn, follower} {
		go func() { // answers pings; ends with the connection
			for {
				if _, _, err := p.Conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
	}
	quiet.ends(websocket.CloseNormalClosure, "Nothing was asked for; connect again when needed")
	if why := s.closed(); why.Code != websocket.CloseNormalClosure {
		t.Errorf("got %v, want 1000", why)
	}
	// One who has asked gets the whole time anew.
	asker := s.open()
	asker.asks("1", "{ hello }")
	asker.ends(websocket.CloseNormalClosure, "")
	if why := s.closed(); why.Code != websocket.CloseNormalClosure {
		t.Errorf("got %v, want 1000", why)
	}
	if len(s.closes) != 0 {
		t.Errorf("got %v closed too", <-s.closes)
	}
}

// HARD-6: a connection has one place at a time, and gives it back whatever ends it.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	taken := make(chan int, 1)
	taken <- 0
	change := func(by int) int {
		n := <-taken + by
		taken <- n
		return n
	}
	refuse := make(chan struct{}, 1)
	s := serve(t, fields{"forever": forever}, func(c *graphqlws.Transport) {
		c.Place = func(context.Context, bool) (func(), error) {
			select {
			case <-refuse:
				return nil, errors.New("no place")
			default:
			}
			change(1)
			return func() { change(-1) }, nil
		}
	})
	s.open().asks("1", "subscription { forever }")
	if got := change(0); got != 1 {
		t.Errorf("a connection has %d places, want 1", got)
	}
	killed := s.open()
	_ = killed.NetConn().Close()
	_ = s.closed() // any end
	refused := s.dial()
	refuse <- struct{}{}
	refused.says(`{"type":"connection_init"}`)
	refused.ends(graphqlws.TooMany, "no place")
	_ = s.closed() // any end
	refuse <- struct{}{}
	_, res, err := websocket.DefaultDialer.DialContext(t.Context(), s.url, nil) //nolint:bodyclose // of a refused upgrade, which the dialer has read
	if err == nil || res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %v and %v, want 429", res, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+s.url[len("ws"):], nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Upgrade", "nonsense")
	res, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode < 400 {
		t.Errorf("got %d for an upgrade to nothing", res.StatusCode)
	}
	<-s.Stop(0)
	if got := change(0); got != 0 {
		t.Errorf("%d places are taken in the end, want none", got)
	}
}
