package server

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// still is a schema whose subscription says nothing, until its client leaves.
type still struct{ left chan struct{} }

var stillSchema = gqlparser.MustLoadSchema(&ast.Source{Input: `type Query { a: String } type Subscription { nothing: String }`})

// Schema returns the schema.
func (still) Schema() *ast.Schema { return stillSchema }

// Complexity measures nothing.
func (still) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

// Exec waits.
func (s still) Exec(ctx context.Context) graphql.ResponseHandler {
	return func(context.Context) *graphql.Response {
		<-ctx.Done()
		close(s.left)
		return nil
	}
}

func TestQuietEventsAreKeptAlive(t *testing.T) {
	t.Parallel()
	schema := still{left: make(chan struct{})}
	g := handler.New(schema)
	free := func(context.Context, bool) (func(), error) { return func() {}, nil }
	g.AddTransport(overHTTP{events: sse{every: 10 * time.Millisecond}, place: free})
	web := httptest.NewServer(g)
	defer web.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, strings.NewReader(`{"query":"subscription { nothing }"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	const enough = 10
	comments := 0
	for comments < enough && lines.Scan() {
		switch lines.Text() {
		case ":":
			comments++
		case "", "retry: 2000":
		default:
			t.Errorf("got %q, want comments", lines.Text())
		}
	}
	if comments < enough {
		t.Errorf("the stream ended after %d comments, want it to go on: %v", comments, lines.Err())
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-schema.left:
	case <-time.After(30 * time.Second):
		t.Error("the operation goes on without its client")
	}
}
