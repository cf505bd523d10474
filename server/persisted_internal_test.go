package server

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/graph/generated"
	"github.com/convoke-dev/convoke/internal/access"
)

// counted is an executor with these documents, and how many documents it has parsed and
// validated.
func counted(t *testing.T, d *trusted) (exec *executor.Executor, p *persisted, validated *int) {
	t.Helper()
	p, err := newPersisted(d, false)
	if err != nil {
		t.Fatal(err)
	}
	validated = new(int)
	exec = executor.New(generated.NewExecutableSchema(generated.Config{Schema: graph.Schema()}))
	exec.SetQueryCache(p)
	exec.Use(p)
	exec.SetDefaultRulesFn(func() *rules.Rules {
		*validated++
		return graph.ValidationRules()
	})
	return exec, p, validated
}

// operate sends an operation; a document or a hash, or both.
func operate(t *testing.T, exec *executor.Executor, document, hash string) error {
	t.Helper()
	return operateAs(t.Context(), exec, document, hash)
}

// operateAs is operate as the viewer of the context.
func operateAs(ctx context.Context, exec *executor.Executor, document, hash string) error {
	params := &graphql.RawParams{Query: document}
	if hash != "" {
		params.Extensions = map[string]any{"persistedQuery": map[string]any{"sha256Hash": hash}}
	}
	ctx = graphql.StartOperationTrace(ctx)
	if _, errs := exec.CreateOperationContext(ctx, params); len(errs) > 0 {
		return errs
	}
	return nil
}

func TestADocumentOfAManifestIsValidatedOnce(t *testing.T) {
	t.Parallel()
	d := &trusted{texts: map[string]string{}, parsed: map[string]*ast.QueryDocument{}}
	const text = `query Version { serverInfo { version } }`
	if err := d.add(t.Context(), []byte(`{"a1":"`+text+`"}`), false); err != nil {
		t.Fatal(err)
	}
	exec, _, validated := counted(t, d)
	const others = 300 // more than the cache of other documents has room for
	for i := range others {
		other := fmt.Sprintf("query Q%d { serverInfo { version } } #%s", i, strings.Repeat("x", parsedOfVisitors/200))
		for _, sent := range [][2]string{{other, ""}, {"", "a1"}, {text, ""}} {
			if err := operate(t, exec, sent[0], sent[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if *validated != others {
		t.Errorf("FE-3 validated %d documents, want only the %d others", *validated, others)
	}
}

func TestASentDocumentIsValidatedOnce(t *testing.T) {
	t.Parallel()
	exec, _, validated := counted(t, &trusted{})
	const first = `query Version { serverInfo { version } }`
	for _, text := range []string{first, "", ""} {
		if err := operate(t, exec, text, sha256Of(first)); err != nil {
			t.Fatal(err)
		}
	}
	if *validated != 1 {
		t.Errorf("FE-3 validated %d times, want once", *validated)
	}
}

// byUser is the context of a signed-in user's request.
func byUser(t *testing.T) context.Context {
	t.Helper()
	return access.WithViewer(t.Context(), &access.Viewer{})
}

func TestSentDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	exec, p, _ := counted(t, &trusted{})
	document := func(i int) string {
		return fmt.Sprintf("query Q%d { serverInfo { version } } #%s", i, strings.Repeat("x", 100<<10))
	}
	const many = 200 // 20 MB
	send := func(ctx context.Context, i int) {
		t.Helper()
		if err := operateAs(ctx, exec, document(i), sha256Of(document(i))); err != nil {
			t.Fatal(err)
		}
	}
	send(byUser(t), many)
	for i := range many {
		send(t.Context(), i)
	}
	kept := func(k *kept[string]) (bytes int) {
		for _, text := range k.lru.Values() {
			bytes += len(text)
		}
		if bytes > k.limit || k.weight < bytes || k.weight > k.limit {
			t.Errorf("FE-3 HARD-22 %d bytes are kept, %d are counted, at most %d are allowed", bytes, k.weight, k.limit)
		}
		return bytes
	}
	if got := kept(p.sent.visitors); got < sentByVisitors-(200<<10) {
		t.Errorf("%d bytes are kept, want almost %d", got, sentByVisitors)
	}
	if err := operate(t, exec, "", sha256Of(document(many-1))); err != nil {
		t.Errorf("the newest: %v", err)
	}
	if err := operate(t, exec, "", sha256Of(document(0))); err == nil || !strings.Contains(err.Error(), "PersistedQueryNotFound") {
		t.Errorf("the oldest: got %v, want PersistedQueryNotFound", err)
	}
	if err := operateAs(byUser(t), exec, "", sha256Of(document(many))); err != nil {
		t.Errorf("HARD-22 that of a user: %v", err)
	}
	for i := range many {
		send(byUser(t), i)
	}
	if got := kept(p.sent.users); got < sentByUsers-(200<<10) {
		t.Errorf("%d bytes are kept, want almost %d", got, sentByUsers)
	}
}

// HARD-22: whatever visitors send, the server keeps so many bytes of it and no more, and
// what users use stays.
func TestParsedDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	exec, p, validated := counted(t, &trusted{})
	const ofUser = `query Version { serverInfo { version } }`
	use := func(what string, want int) {
		t.Helper()
		before := *validated
		if err := operateAs(byUser(t), exec, ofUser, ""); err != nil {
			t.Fatal(err)
		}
		if got := *validated - before; got != want {
			t.Errorf("HARD-22 %s: validated %d times, want %d", what, got, want)
		}
	}
	use("new", 1)
	for i := range 500 {
		for _, size := range []int{100, 20_000, 250_000} {
			if err := operate(t, exec, fmt.Sprintf("query Q%d { serverInfo { version } } #%s", i, strings.Repeat("x", size)), ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	use("after those of visitors", 0)
	for _, k := range []*kept[*ast.QueryDocument]{p.recent.users, p.recent.visitors} {
		weight := 0
		for _, text := range k.lru.Keys() {
			doc, _ := k.lru.Peek(text)
			weight += weightOfDocument(text, doc) + keptOverhead
			if len(text) > k.limit/16 {
				t.Errorf("HARD-22 a document of %d bytes is kept", len(text))
			}
		}
		if weight != k.weight || weight > k.limit {
			t.Errorf("HARD-22 %d bytes are kept, %d are counted, at most %d are allowed", weight, k.weight, k.limit)
		}
	}
	if got := p.recent.visitors.weight; got < parsedOfVisitors-parsedOfVisitors/16 {
		t.Errorf("%d bytes are kept, want almost %d", got, parsedOfVisitors)
	}
	// What a visitor has sent first becomes a user's by its use.
	const ofVisitor = `query Sent { serverInfo { version } }`
	if err := operate(t, exec, ofVisitor, ""); err != nil {
		t.Fatal(err)
	}
	before := *validated
	if err := operateAs(byUser(t), exec, ofVisitor, ""); err != nil || *validated != before || !p.recent.users.lru.Contains(ofVisitor) {
		t.Errorf("HARD-22 err = %v, validated %d times, want it to be kept", err, *validated-before)
	}
}

// HARD-22: the estimate of a document's size is that of the heap, roughly. It runs alone,
// because it measures the heap.
func TestTheWeightOfADocument(t *testing.T) { //nolint:paralleltest // see above
	rep := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"fields":    "{ viewer { " + strings.Repeat("__typename ", 900) + " } }",
		"aliases":   "{ viewer { " + rep(600, "a%d:__typename ") + " } }",
		"literals":  "{ nodes(ids: [" + strings.Repeat(`"x" `, 1900) + "]) { id } }",
		"variables": "query(" + rep(250, "$a%d:ID!") + ") { nodes(ids: [" + rep(250, `$a%d `) + "]) { id } }",
		"inline":    "{ viewer { " + strings.Repeat("...{__typename}", 450) + "}}",
		"spreads":   "{ viewer { " + rep(200, "...F%d ") + "}}" + rep(200, "fragment F%d on Viewer { __typename }"),
		"deep":      "{ viewer { " + strings.Repeat("...{", 450) + "__typename" + strings.Repeat("}", 450) + "}}",
		"skipped":   "{ viewer { " + strings.Repeat("__typename @skip(if:true) ", 200) + "}}",
		"objects":   "{ accessDecisions(inputs: [" + strings.Repeat(`{teamId:"a" permission:"b"}`, 220) + "]) { allowed }}",
		"comments":  "{ viewer { __typename }\n" + strings.Repeat("#\n", 1900) + "}",
		"a text":    `{ node(id: "` + strings.Repeat("x", 16_000) + `") { id } }`,
		"usual": `query Members($id: ID!, $after: String) { team(id: $id) { id name members(first: 50, after: $after, orderBy: {field: NAME}) {
			totalCount nodes { id status user { id email firstName lastName jobTitle } roles { id key name } groups { id name } joinedAt }
			pageInfo { hasNextPage endCursor } } } }`,
	} {
		const n = 40
		texts, docs := make([]string, n), make([]*ast.QueryDocument, n)
		before := heap()
		for i := range n {
			texts[i] = strings.Clone(text)
			doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: texts[i]}, maxTokens)
			if err != nil {
				t.Fatal(name, err)
			}
			if errs := validator.ValidateWithRules(graph.Schema(), doc, graph.ValidationRules()); len(errs) > 0 {
				t.Fatal(name, errs)
			}
			docs[i] = doc
		}
		got, estimate := (heap()-before)/n, weightOfDocument(texts[0], docs[0])+keptOverhead
		if t.Logf("%s: %d bytes of text, %d of heap, estimated %d", name, len(text), got, estimate); got > estimate*13/10 || got < estimate/4 {
			t.Errorf("HARD-22 %s: got %d bytes, estimated %d", name, got, estimate)
		}
		runtime.KeepAlive(docs)
	}
}

// heap returns the bytes of the heap that are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
