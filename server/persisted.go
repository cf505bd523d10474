package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

const (
	// sentBytes is how much text of documents the server keeps that clients have sent
	// with their hash, and sentDocuments how many of them.
	sentBytes     = 8 << 20
	sentDocuments = 10_000
)

// persisted lets a client name a document instead of sending it, over every transport: by
// its id in a manifest, or by the SHA-256 of a document that some client has sent with
// its hash before (automatic persisted queries). It is the cache of parsed documents,
// too: those of manifests stay for ever, the others while they are used.
type persisted struct {
	trusted *trusted
	// only refuses every document that is in no manifest.
	only   bool
	recent graphql.Cache[*ast.QueryDocument]

	mu    sync.Mutex
	sent  *simplelru.LRU[string, string]
	bytes int
}

func newPersisted(t *trusted, only bool) (*persisted, error) {
	p := &persisted{trusted: t, only: only, recent: lru.New[*ast.QueryDocument](cachedParses)}
	var err error
	p.sent, err = simplelru.NewLRU(sentDocuments, func(_, text string) { p.bytes -= len(text) })
	if err != nil {
		return nil, fmt.Errorf("persisted documents: %w", err)
	}
	return p, nil
}

// Get returns the parsed document with the text. gqlgen then neither parses nor validates
// the text.
func (p *persisted) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	if doc, known := p.trusted.parsed[text]; known {
		return doc, true
	}
	return p.recent.Get(ctx, text)
}

// Add keeps a document that gqlgen has parsed and validated.
func (p *persisted) Add(ctx context.Context, text string, doc *ast.QueryDocument) {
	p.recent.Add(ctx, text, doc)
}

// ExtensionName returns the name of this gqlgen extension.
func (*persisted) ExtensionName() string { return "ConvokePersistedDocuments" }

// Validate accepts every schema.
func (*persisted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters replaces an id by its document. It fails with
// PERSISTED_QUERY_NOT_FOUND for an unknown id, with PERSISTED_QUERY_NOT_IN_LIST for a
// document that is in no manifest when only those are executed, and with BAD_USER_INPUT
// for a hash that is not the document's, or an id and a hash of different documents.
func (p *persisted) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	hash, err := hashIn(params.Extensions)
	if err != nil {
		return err
	}
	if params.Query == "" {
		id, _ := params.Extensions[graphqlws.DocumentID].(string)
		switch {
		case id == "" && hash == "":
			return nil // gqlgen reports that there is no operation
		case id == "":
			id = hash
		case hash != "" && bare(id) != hash:
			return persistedError(fault.BadUserInput, "documentId and extensions.persistedQuery.sha256Hash name different documents.")
		}
		return p.find(id, params)
	}
	_, listed := p.trusted.parsed[params.Query]
	switch {
	case p.only && !listed:
		return persistedError(fault.PersistedQueryNotInList, "This server executes only the documents of its manifests, and this document is in none of them.")
	case hash != "" && p.trusted.texts[hash] != params.Query && hash != sha256Of(params.Query):
		return persistedError(fault.BadUserInput, "extensions.persistedQuery.sha256Hash is not the SHA-256 of the query.")
	}
	return nil
}

// find sets the document with the id.
func (p *persisted) find(id string, params *graphql.RawParams) *gqlerror.Error {
	id = bare(id)
	if text, known := p.trusted.texts[id]; known {
		params.Query = text
		return nil
	}
	if p.only {
		return persistedError(fault.PersistedQueryNotInList, "This server executes only the documents of its manifests, and no document there has this id.")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text, known := p.sent.Get(id); known {
		params.Query = text
		return nil
	}
	// Clients look for exactly this message before they send the document itself.
	return persistedError(fault.PersistedQueryNotFound, "PersistedQueryNotFound")
}

// MutateOperationContext keeps a document that was sent with its hash. The document is
// valid and within the limits. The hash is checked here, where the document is kept, because
// later requests of other viewers trust it.
func (p *persisted) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	hash, err := hashIn(op.Extensions)
	if err != nil || hash == "" {
		return err
	}
	if _, listed := p.trusted.texts[hash]; listed || p.only {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.sent.Get(hash); known || sha256Of(op.RawQuery) != hash {
		return nil
	}
	p.sent.Add(hash, op.RawQuery)
	p.bytes += len(op.RawQuery)
	for p.bytes > sentBytes {
		p.sent.RemoveOldest()
	}
	return nil
}

// hashIn returns the hash in extensions.persistedQuery; empty when there is none.
// BAD_USER_INPUT.
func hashIn(extensions map[string]any) (hash string, err *gqlerror.Error) {
	if extensions["persistedQuery"] == nil {
		return "", nil
	}
	fields, ok := extensions["persistedQuery"].(map[string]any)
	if ok {
		hash, ok = fields["sha256Hash"].(string)
	}
	if !ok || hash == "" {
		return "", persistedError(fault.BadUserInput, "extensions.persistedQuery must be an object with a sha256Hash.")
	}
	return bare(hash), nil
}

// bare returns the id without the prefix that GraphQL-over-HTTP has for a hash, and
// graphql-codegen in its manifests, because other clients send the hash alone.
func bare(id string) string { return strings.TrimPrefix(id, "sha256:") }

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func persistedError(code fault.Code, message string) *gqlerror.Error {
	err := gqlerror.Errorf("%s", message)
	err.Extensions = fault.Extensions(code)
	return err
}
