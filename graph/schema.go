package graph

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/convoke-dev/convoke/graph/generated"
)

// Schema returns the schema that is served. Callers do not change it. The parser adds the
// directive @defer to every schema; no transport sends a response in parts, so that
// directive is not in this one, and validation refuses it. It also counts interfaces that
// implement an interface as possible types of it; only objects are in this one.
var Schema = sync.OnceValue(func() *ast.Schema {
	served := *generated.NewExecutableSchema(generated.Config{}).Schema()
	served.Directives = maps.Clone(served.Directives)
	delete(served.Directives, "defer")
	served.PossibleTypes = maps.Clone(served.PossibleTypes)
	for name, types := range served.PossibleTypes {
		served.PossibleTypes[name] = slices.DeleteFunc(slices.Clone(types), func(d *ast.Definition) bool { return d.Kind != ast.Object })
	}
	return &served
})

// SDL returns the schema in the schema definition language, with its descriptions, types
// in the order of their names.
var SDL = sync.OnceValue(func() string {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(Schema())
	return b.String()
})
