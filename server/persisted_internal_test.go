package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/graph/generated"
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
	params := &graphql.RawParams{Query: document}
	if hash != "" {
		params.Extensions = map[string]any{"persistedQuery": map[string]any{"sha256Hash": hash}}
	}
	ctx := graphql.StartOperationTrace(t.Context())
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
	for i := range 2 * cachedParses { // more than the cache of other documents has room for
		other := fmt.Sprintf("query Q%d { serverInfo { version } }", i)
		for _, sent := range [][2]string{{other, ""}, {"", "a1"}, {text, ""}} {
			if err := operate(t, exec, sent[0], sent[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if *validated != 2*cachedParses {
		t.Errorf("FE-3 validated %d documents, want only the %d others", *validated, 2*cachedParses)
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

func TestSentDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	exec, p, _ := counted(t, &trusted{})
	document := func(i int) string {
		return fmt.Sprintf("query Q%d { serverInfo { version } } #%s", i, strings.Repeat("x", 200<<10))
	}
	const many = 100 // 20 MB
	for i := range many {
		if err := operate(t, exec, document(i), sha256Of(document(i))); err != nil {
			t.Fatal(err)
		}
		if p.bytes > sentBytes {
			t.Fatalf("FE-3 %d bytes are kept, at most %d are allowed", p.bytes, sentBytes)
		}
	}
	kept := 0
	for _, text := range p.sent.Values() {
		kept += len(text)
	}
	if kept != p.bytes || p.bytes < sentBytes-(300<<10) {
		t.Errorf("%d bytes are kept, %d are counted, want almost %d", kept, p.bytes, sentBytes)
	}
	if err := operate(t, exec, "", sha256Of(document(many-1))); err != nil {
		t.Errorf("the newest: %v", err)
	}
	if err := operate(t, exec, "", sha256Of(document(0))); err == nil || !strings.Contains(err.Error(), "PersistedQueryNotFound") {
		t.Errorf("the oldest: got %v, want PersistedQueryNotFound", err)
	}
}
