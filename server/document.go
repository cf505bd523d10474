package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/convoke-dev/convoke/graph"
	"github.com/convoke-dev/convoke/web"
)

// pageDocuments is the manifest of the server's own pages. The build of the pages writes
// it.
const pageDocuments = "documents.json"

// trusted are the documents of manifests: those that the server has been given at its
// start, and those of its own pages.
type trusted struct {
	// texts are the documents by their ids, which are hashes of any kind.
	texts map[string]string
	// parsed are the documents by their texts, parsed and validated.
	parsed map[string]*ast.QueryDocument
}

// readDocuments reads the manifests. Its error names each document that the schema or a
// limit refuses, by file and id.
func readDocuments(ctx context.Context, cfg *Config) (*trusted, error) {
	if cfg.DocumentsOnly && len(cfg.Documents) == 0 {
		return nil, errors.New("only the documents of manifests are to be executed, but there is no manifest: give one with --documents")
	}
	d := &trusted{texts: map[string]string{}, parsed: map[string]*ast.QueryDocument{}}
	files, err := web.Files()
	if err != nil {
		return nil, fmt.Errorf("embedded pages: %w", err)
	}
	text, err := fs.ReadFile(files, pageDocuments)
	if err != nil {
		return nil, fmt.Errorf("embedded pages: %w", err)
	}
	if err := d.add(ctx, text, cfg.Introspection); err != nil {
		return nil, fmt.Errorf("documents of the embedded pages: %w", err)
	}
	for _, file := range cfg.Documents {
		text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("documents: %w", err)
		}
		if err := d.add(ctx, text, cfg.Introspection); err != nil {
			return nil, fmt.Errorf("documents of %s: %w", file, err)
		}
	}
	return d, nil
}

// add adds the documents of a manifest.
func (d *trusted) add(ctx context.Context, manifest []byte, introspection bool) error {
	texts, err := readManifest(manifest)
	if err != nil {
		return err
	}
	var problems []error
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		text := texts[id]
		if other, known := d.texts[id]; known && other != text {
			problems = append(problems, anotherDocument(id))
			continue
		}
		doc, err := checkDocument(ctx, text, introspection)
		if err != nil {
			problems = append(problems, fmt.Errorf("document %s: %w", id, err))
			continue
		}
		d.texts[id], d.parsed[text] = text, doc
	}
	return errors.Join(problems...)
}

// apolloFormat is the format of the manifests of Apollo.
const apolloFormat = "apollo-persisted-query-manifest"

// readManifest returns the documents of a manifest by their ids, without the prefix of
// hashes. It is a JSON object of ids and texts, as relay-compiler and graphql-codegen write
// it, or a manifest of Apollo.
func readManifest(manifest []byte) (texts map[string]string, err error) {
	type document struct{ ID, Body string }
	var apollo struct {
		Format     string
		Operations []document
	}
	if json.Unmarshal(manifest, &apollo) != nil || apollo.Format != apolloFormat {
		var plain map[string]string
		if err := json.Unmarshal(manifest, &plain); err != nil || plain == nil {
			return nil, errors.New("it must be a JSON object of ids and texts, as relay-compiler and graphql-codegen write it, or a manifest of Apollo")
		}
		apollo.Operations = nil
		for _, id := range slices.Sorted(maps.Keys(plain)) {
			apollo.Operations = append(apollo.Operations, document{id, plain[id]})
		}
	}
	texts = map[string]string{}
	for _, d := range apollo.Operations {
		id := bare(d.ID)
		if id == "" {
			return nil, errors.New("a document has no id")
		}
		if other, known := texts[id]; known && other != d.Body {
			return nil, anotherDocument(id)
		}
		texts[id] = d.Body
	}
	return texts, nil
}

func anotherDocument(id string) error {
	return fmt.Errorf("document %s: there is another document with this id", id)
}

// checkDocument parses and validates a document as the server does when it is sent. Its
// operations must be within the limits that do not depend on variables.
func checkDocument(ctx context.Context, text string, introspection bool) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxTokens)
	if err != nil {
		if bad := new(gqlerror.Error); errors.As(err, &bad) {
			return nil, problemsOf(gqlerror.List{bad})
		}
		return nil, err
	}
	if len(doc.Operations) == 0 {
		return nil, errors.New("it has no operation")
	}
	if errs := validator.ValidateWithRules(graph.Schema(), doc, graph.ValidationRules()); len(errs) > 0 {
		return nil, problemsOf(errs)
	}
	limits := graph.Limits{Cost: graph.Cost{Depth: maxCost.Depth, Fields: maxCost.Fields, Values: math.MaxInt}, Introspection: introspection}
	for _, op := range doc.Operations {
		if err := limits.MutateOperationContext(ctx, &graphql.OperationContext{Doc: doc, Operation: op}); err != nil {
			return nil, problemsOf(gqlerror.List{err})
		}
	}
	return doc, nil
}

// problemsOf returns the errors of one document as one, with their positions.
func problemsOf(errs gqlerror.List) error {
	problems := make([]error, 0, len(errs))
	for _, err := range errs {
		message := err.Message
		if len(err.Locations) > 0 {
			message = fmt.Sprintf("%s (line %d, column %d)", message, err.Locations[0].Line, err.Locations[0].Column)
		}
		problems = append(problems, errors.New(message))
	}
	return errors.Join(problems...)
}
