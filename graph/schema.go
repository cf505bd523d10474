package graph

import (
	"bytes"
	"maps"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/convoke-dev/convoke/graph/generated"
)

// Schema returns the schema that is served. Callers do not change it. The parser adds the
// directive @defer to every schema; no transport sends a response in parts, so that
// directive is not in this one, and validation refuses it.
var Schema = sync.OnceValue(func() *ast.Schema {
	served := *generated.NewExecutableSchema(generated.Config{}).Schema()
	served.Directives = maps.Clone(served.Directives)
	delete(served.Directives, "defer")
	return &served
})

// SDL returns the schema in the schema definition language, with its descriptions, types
// in the order of their names.
var SDL = sync.OnceValue(func() string {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(Schema())
	return b.String()
})
