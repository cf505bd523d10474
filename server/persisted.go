package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/convoke-dev/convoke/internal/fault"
	"github.com/convoke-dev/convoke/server/graphqlws"
)

// How many bytes the server keeps: of parsed documents, and of the texts of documents that
// clients have sent with their hash. Documents of users and of visitors are kept apart.
const (
	parsedOfUsers    = 32 << 20
	parsedOfVisitors = 8 << 20
	sentByUsers      = 8 << 20
	sentByVisitors   = 2 << 20
)

// persisted lets a client name a document instead of sending it, over every transport: by
// its id in a manifest, or by the SHA-256 of a document that some client has sent with
// its hash before (automatic persisted queries). It is the cache of parsed documents,
// too: those of manifests stay for ever, the others while they are used.
type persisted struct {
	trusted *trusted
	// only refuses every document that is in no manifest.
	only   bool
	recent keptApart[*ast.QueryDocument] // by their texts
	sent   keptApart[string]             // by their hashes
}

func newPersisted(t *trusted, only bool) (*persisted, error) {
	p := &persisted{trusted: t, only: only}
	var err error
	if p.recent, err = newKeptApart(parsedOfUsers, parsedOfVisitors, weightOfDocument); err != nil {
		return nil, err
	}
	p.sent, err = newKeptApart(sentByUsers, sentByVisitors, func(hash, text string) int { return len(hash) + len(text) })
	return p, err
}

// Get returns the parsed document with the text. gqlgen then neither parses nor validates
// the text.
func (p *persisted) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	if doc, known := p.trusted.parsed[text]; known {
		return doc, true
	}
	return p.recent.get(ctx, text)
}

// Add keeps a document that gqlgen has parsed and validated.
func (p *persisted) Add(ctx context.Context, text string, doc *ast.QueryDocument) {
	p.recent.add(ctx, text, doc)
}

// ExtensionName returns the name of this gqlgen extension.
func (*persisted) ExtensionName() string { return "ConvokePersistedDocuments" }

// Validate accepts every schema.
func (*persisted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters replaces an id by its document. It fails with
// PERSISTED_QUERY_NOT_FOUND for an unknown id, with PERSISTED_QUERY_NOT_IN_LIST for a
// document that is in no manifest when only those are executed, and with BAD_USER_INPUT
// for a hash that is not the document's, or an id and a hash of different documents.
func (p *persisted) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
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
		return p.find(ctx, id, params)
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
func (p *persisted) find(ctx context.Context, id string, params *graphql.RawParams) *gqlerror.Error {
	id = bare(id)
	if text, known := p.trusted.texts[id]; known {
		params.Query = text
		return nil
	}
	if p.only {
		return persistedError(fault.PersistedQueryNotInList, "This server executes only the documents of its manifests, and no document there has this id.")
	}
	if text, known := p.sent.get(ctx, id); known {
		params.Query = text
		return nil
	}
	// Clients look for exactly this message before they send the document itself.
	return persistedError(fault.PersistedQueryNotFound, "PersistedQueryNotFound")
}

// MutateOperationContext keeps a document that was sent with its hash. The document is
// valid and within the limits. The hash is checked here, where the document is kept, because
// later requests of other viewers trust it.
func (p *persisted) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	hash, err := hashIn(op.Extensions)
	if err != nil || hash == "" {
		return err
	}
	if _, listed := p.trusted.texts[hash]; listed || p.only {
		return nil
	}
	if _, known := p.sent.get(ctx, hash); !known && sha256Of(op.RawQuery) == hash {
		p.sent.add(ctx, hash, op.RawQuery)
	}
	return nil
}

// hashIn returns the hash in extensions.persistedQuery; empty when there is none.
// BAD_USER_INPUT.
func hashIn(extensions map[string]any) (hash string, err *gqlerror.Error) {
	if extensions["persistedQuery"] == nil {
		return "", nil
	}
	fields, _ := extensions["persistedQuery"].(map[string]any)
	hash, _ = fields["sha256Hash"].(string)
	if hash = bare(hash); hash == "" {
		return "", persistedError(fault.BadUserInput, "extensions.persistedQuery must be an object with a sha256Hash.")
	}
	return hash, nil
}

// bare returns the id without the prefix that GraphQL-over-HTTP has for a hash, and
// graphql-codegen in its manifests, because other clients send the hash alone.
func bare(id string) string {
	for strings.HasPrefix(id, hashPrefix) {
		id = id[len(hashPrefix):]
	}
	return id
}

const hashPrefix = "sha256:"

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func persistedError(code fault.Code, message string) *gqlerror.Error {
	err := gqlerror.Errorf("%s", message)
	err.Extensions = fault.Extensions(code)
	return err
}
