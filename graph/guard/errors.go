//go:build ignore

// Errors writes docs/errors.md: every code that a client can get. The codes of requests
// are those of internal/fault with their comments; the user errors are those of the schema,
// and the mutations that return each are those whose descriptions name it.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/convoke-dev/convoke/graph"
)

const introduction = `# Errors

This page is generated from the source by ` + "`go generate`" + `: do not edit it.

A response has errors in two places. What is wrong with the *request* stands in ` + "`errors`" + `, with ` + "`extensions.code`" + `. What a person can put right
in an *input* stands in the payload of the mutation, in ` + "`userErrors`" + `, with ` + "`code`" + `, ` + "`field`" + ` (the path in the input) and ` + "`message`" + `. A program
decides by the codes; the sentences may change.

## Codes of requests

A response with data has the HTTP status 200: an error of one field does not make the rest wrong. A response without data has the status of its
first error, if the client accepts ` + "`application/graphql-response+json`" + `; with ` + "`application/json`" + ` it is 200 once the operation could be read,
except for ` + "`UNAVAILABLE`" + `.

| code | meaning |
|---|---|
`

const fromTheParser = "| `GRAPHQL_PARSE_FAILED` | The document is not GraphQL, or has more than 2,000 tokens or 1,000 levels. Correct or divide it. Its status is 400. |\n" +
	"| `GRAPHQL_VALIDATION_FAILED` | The document or its variables do not fit the schema. Correct the request, or update the client. Its status is 400. |\n"

const userErrors = `
## Codes of user errors

A mutation that is not listed beside a code does not return it. The bulk mutations have these codes in the ` + "`userErrors`" + ` of their results too.

| code | meaning | mutations |
|---|---|---|
`

func main() {
	var page strings.Builder
	page.WriteString(introduction)
	if err := requests(&page); err != nil {
		log.Fatal(err)
	}
	page.WriteString(fromTheParser + userErrors)
	schema := graph.Schema()
	for _, v := range schema.Types["UserErrorCode"].EnumValues {
		var names []string
		for _, f := range schema.Mutation.Fields {
			_, listed, _ := strings.Cut(f.Description, "User errors: ")
			if slices.Contains(strings.FieldsFunc(listed, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }), v.Name) {
				names = append(names, "`"+f.Name+"`")
			}
		}
		if len(names) == 0 {
			log.Fatalf("no mutation returns %s", v.Name)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", v.Name, v.Description, strings.Join(names, ", "))
	}
	if err := os.WriteFile("docs/errors.md", []byte(page.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

// requests writes the codes of the first block of constants with their comments.
func requests(page *strings.Builder) error {
	f, err := parser.ParseFile(token.NewFileSet(), "internal/fault/fault.go", nil, parser.ParseComments)
	if err != nil {
		return err
	}
	means := regexp.MustCompile(`^\w+ means that (\w)`)
	for _, d := range f.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, s := range block.Specs {
			c := s.(*ast.ValueSpec)
			code, err := strconv.Unquote(c.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				return err
			}
			comment := strings.Join(strings.Fields(c.Doc.Text()), " ")
			m := means.FindStringSubmatchIndex(comment)
			if m == nil {
				return fmt.Errorf("the comment of %s does not say what it means", code)
			}
			fmt.Fprintf(page, "| `%s` | %s |\n", code, strings.ToUpper(comment[m[2]:m[3]])+comment[m[3]:])
		}
		return nil
	}
	return fmt.Errorf("no codes of requests were found")
}
