package testkit

import (
	"maps"
	"regexp"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/convoke-dev/convoke/graph"
)

var variable = regexp.MustCompile(`\$(\w+)\s*:\s*(\w+Input)\b`)

// Placed returns the variables of a document with the fields of nested inputs in their
// place: a test gives roleIds beside teamId, and the schema has them in grant.chosen. A
// field that the schema has nowhere stays where it is.
func Placed(document string, variables map[string]any) map[string]any {
	placed := maps.Clone(variables)
	for _, v := range variable.FindAllStringSubmatch(document, -1) {
		if fields, flat := placed[v[1]].(map[string]any); flat {
			placed[v[1]] = placedIn(graph.Schema(), graph.Schema().Types[v[2]], fields)
		}
	}
	return placed
}

func placedIn(s *ast.Schema, input *ast.Definition, fields map[string]any) map[string]any {
	placed := map[string]any{}
	for name, value := range fields {
		at := placed
		for _, step := range pathTo(s, input, name) {
			below, made := at[step].(map[string]any)
			if !made {
				below = map[string]any{}
				at[step] = below
			}
			at = below
		}
		at[name] = value
	}
	return placed
}

// pathTo returns the names of the inputs in which the field is; none when the input itself
// has it, or nothing has.
func pathTo(s *ast.Schema, input *ast.Definition, field string) []string {
	if input == nil || input.Fields.ForName(field) != nil {
		return nil
	}
	for _, f := range input.Fields {
		below := s.Types[f.Type.Name()]
		if below.Kind != ast.InputObject {
			continue
		}
		if deeper := pathTo(s, below, field); deeper != nil || below.Fields.ForName(field) != nil {
			return append([]string{f.Name}, deeper...)
		}
	}
	return nil
}
