//go:build generate

// Package convoke pins and runs the generators: ent first, for gqlgen binds
// the schema to ent's structs.
package convoke

import (
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
)

//go:generate go run -mod=readonly ent/entc.go
//go:generate go run -mod=readonly github.com/99designs/gqlgen generate
