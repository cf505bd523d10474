package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/alexedwards/argon2id"

	"github.com/convoke-dev/convoke/internal/auth"
	"github.com/convoke-dev/convoke/server"
)

// Password is everybody's password.
const Password = "correct horse battery staple"

// World is a real server on an empty database, and the people who use it.
type World struct {
	t      testing.TB
	Server *server.Server
	URL    string
	Clock  *Clock
	Mail   *Postbox
	Log    *Buffer

	address string
	options []func(*server.Config)
	stop    func()
}

// New starts a server on the database at the address. It stops with the test.
// The options change its settings.
func New(t testing.TB, address string, options ...func(*server.Config)) *World {
	t.Helper()
	w := Idle(t, address, options...)
	ctx, cancel := context.WithCancel(context.Background()) // outlives t.Context, which ends before the clean-up
	worked := make(chan struct{})
	go func() { // ends with cancel
		defer close(worked)
		w.Server.Work(ctx)
	}()
	closeAll := w.stop
	w.stop = sync.OnceFunc(func() {
		cancel()
		<-worked
		closeAll()
	})
	t.Cleanup(w.stop)
	return w
}

// Stop stops the server, so that another one can have the SQLite file.
func (w *World) Stop() { w.stop() }

// Restart stops the server and starts another one on the same database, with
// the same clock and postbox. Streams break off.
func (w *World) Restart() *World {
	w.t.Helper()
	w.stop()
	return w.Node()
}

// Idle starts a server that only answers: no mail goes out, nothing is live,
// and no statement is sent but those of requests.
func Idle(t testing.TB, address string, options ...func(*server.Config)) *World {
	t.Helper()
	w := &World{t: t, Clock: NewClock(), Mail: NewPostbox(), Log: &Buffer{}, address: address, options: options}
	prepare(t, address)
	web := httptest.NewUnstartedServer(nil)
	cfg := Settings(t, address)
	cfg.PublicURL = &url.URL{Scheme: "http", Host: web.Listener.Addr().String()}
	cfg.Sender, cfg.Now = w.Mail, w.Clock.Now
	cfg.Log = slog.New(slog.NewJSONHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, o := range options {
		o(&cfg)
	}
	var err error
	if w.Server, err = server.New(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = w.Server.Handler()
	web.Start()
	w.URL = web.URL
	w.stop = sync.OnceFunc(func() {
		if err := w.Server.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	t.Cleanup(w.stop)
	return w
}

// Node starts another server on the same database, with the same clock and
// postbox; beside this one on PostgreSQL alone.
func (w *World) Node() *World {
	w.t.Helper()
	n := New(w.t, w.address, append(w.options, func(c *server.Config) { c.Now, c.Sender = w.Clock.Now, w.Mail })...)
	n.Clock, n.Mail = w.Clock, w.Mail
	return n
}

// Elsewhere is a client of somebody at the same node who is not signed in.
func (c *Client) Elsewhere() *Client {
	there := *c
	there.bearer = ""
	return &there
}

// At is the same client, talking to another node.
func (c *Client) At(w *World) *Client {
	there := *c
	there.url = w.URL + "/graphql"
	return &there
}

// Settings are good settings for a server on the database, with cheap
// passwords.
func Settings(t testing.TB, address string) server.Config {
	t.Helper()
	return server.Config{
		Version: "test", Database: address, Migrate: true, PublicURL: &url.URL{Scheme: "http", Host: "convoke.test"},
		SecretKeys: [][]byte{bytes.Repeat([]byte("k"), 32)},
		SignUp:     auth.Open, PersonalAccounts: true, Preset: "teams",
		PasswordCost: argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	}
}

// Client speaks GraphQL to the server as somebody, or as nobody.
type Client struct {
	t      testing.TB
	url    string
	bearer string
	http   *http.Client
}

// Anonymous is a client that is not signed in.
func (w *World) Anonymous() *Client { return w.WithToken("") }

// WithToken is a client with that session token.
func (w *World) WithToken(bearer string) *Client {
	return &Client{t: w.t, url: w.URL + "/graphql", bearer: bearer, http: &http.Client{}}
}

// WithHTTP is a client that is not signed in, with an HTTP client of its own,
// for its cookies.
func (w *World) WithHTTP(h *http.Client) *Client {
	return &Client{t: w.t, url: w.URL + "/graphql", http: h}
}

// Do sends the operation and returns the answer.
func (c *Client) Do(query string, variables map[string]any) *Answer {
	c.t.Helper()
	res, err := c.http.Do(c.request(query, variables))
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return newAnswer(c.t, res.StatusCode, body)
}

func (c *Client) request(query string, variables map[string]any) *http.Request {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": Placed(query, variables)})
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	return req
}

// Buffer is a log that can be read while it is written.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what has been written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
