//go:build generate

// Package convoke pins and runs the generators: ent first, because gqlgen binds
// the schema to ent's structs; the schema's snapshot last.
package convoke

import (
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
)

//go:generate go run -mod=readonly ent/entc.go
//go:generate go run -mod=readonly github.com/99designs/gqlgen generate
//go:generate go run -mod=readonly ./cmd/convoke schema --out graph/guard/schema.graphql
//go:generate go run -mod=readonly graph/guard/errors.go
