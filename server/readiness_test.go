package server_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/convoke-dev/convoke/internal/testdb"
	"github.com/convoke-dev/convoke/internal/testkit"
	"github.com/convoke-dev/convoke/server"
)

func TestReadinessIsWhetherAWriteSucceeds(t *testing.T) {
	t.Parallel()
	eachBreakable(t, func(t *testing.T, w *testkit.World, o *outage) {
		ready := func(want int) {
			t.Helper()
			testkit.Eventually(t, func() bool { return fetch(t, http.MethodGet, w.URL+"/readyz").status == want })
		}
		w.SignUp("olivia@acme.test")
		ready(http.StatusOK)
		for name, only := range map[string]string{"a write fails": "UPDATE", "a commit fails": "COMMIT", "a transaction cannot begin": "BEGIN"} {
			t.Run("HARD-9 it is not ready when "+name, func(t *testing.T) {
				o.only(func(query string) error {
					if strings.HasPrefix(query, only) {
						return sqlite3.Error{Code: sqlite3.ErrFull}
					}
					return nil
				})
				w.Anonymous().Do(`mutation { signIn(input: {email: "olivia@acme.test", password: "`+testkit.Password+`"}) { userErrors { code } } }`, nil).Refused("UNAVAILABLE")
				equal(t, "right after a request that failed", fetch(t, http.MethodGet, w.URL+"/readyz").status, http.StatusServiceUnavailable)
				equal(t, "alive", fetch(t, http.MethodGet, w.URL+"/healthz").status, http.StatusOK)
				o.end()
				ready(http.StatusOK)
			})
		}
		t.Run("HARD-9 the log has one line about it", func(t *testing.T) {
			if n := strings.Count(w.Log.String(), `"the database is not available"`); n != 1 {
				t.Errorf("%d lines, want 1 for three outages within a minute", n)
			}
		})
		t.Run("HARD-9 many requests cause few writes", func(t *testing.T) {
			var writes atomic.Int64
			o.only(func(query string) error {
				if strings.HasPrefix(query, "UPDATE goose_db_version") {
					writes.Add(1)
				}
				return nil
			})
			defer o.end()
			began := time.Now()
			together(200, func(int) {
				if got := fetch(t, http.MethodGet, w.URL+"/readyz").status; got != http.StatusOK {
					t.Errorf("got %d", got)
				}
			})
			if most := int64(time.Since(began)/time.Second) + 1; writes.Load() > most {
				t.Errorf("%d writes, want at most %d", writes.Load(), most)
			}
		})
	})
}

// serving runs a server on a listener of its own. stop stops it, and ended is closed at its
// end.
func serving(t *testing.T, address string, drain time.Duration) (url string, stop func(), ended <-chan struct{}) {
	t.Helper()
	cfg := testkit.Settings(t, address)
	cfg.Drain = drain
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	over := make(chan struct{})
	go func() { // ends with stop
		defer close(over)
		if err := s.Run(ctx, l); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-over
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), stop, over
}

func TestAPlannedStopDrainsFirst(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, address string) {
		t.Run("HARD-9 clients that leave when they are asked to see no broken request", func(t *testing.T) {
			url, stop, ended := serving(t, address, 2*time.Second)
			const clients = 50
			var answers, asked atomic.Int64
			var all sync.WaitGroup
			started := make(chan struct{}, clients)
			for range clients {
				all.Go(func() {
					// Without retries: a connection that breaks is an error.
					c := &http.Client{Transport: &http.Transport{}}
					defer c.CloseIdleConnections()
					for n := 0; ; n++ {
						req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", onlyOnce{strings.NewReader(`{"query":"{ serverInfo { version } }"}`)})
						if err != nil {
							t.Error(err)
							return
						}
						req.Header.Set("Content-Type", "application/json")
						res, err := c.Do(req)
						if err != nil {
							t.Errorf("request %d: %v", n, err)
							return
						}
						_ = res.Body.Close()
						answers.Add(1)
						if n == 0 {
							started <- struct{}{}
						}
						if res.Close {
							asked.Add(1)
							return
						}
					}
				})
			}
			for range clients {
				<-started
			}
			stop()
			testkit.Eventually(t, func() bool { return fetch(t, http.MethodGet, url+"/readyz").status == http.StatusServiceUnavailable })
			all.Wait()
			equal(t, "clients that were asked to leave", asked.Load(), clients)
			select {
			case <-ended:
				t.Error("the server has ended before the time was over")
			default:
			}
			<-ended
			t.Logf("%d answers", answers.Load())
		})
	})
}

// onlyOnce is a body that net/http cannot send a second time.
type onlyOnce struct{ *strings.Reader }
