package main

import (
	"fmt"
	"os"

	"github.com/convoke-dev/convoke/graph"
)

// schemaCommand is convoke schema.
type schemaCommand struct {
	Out string `help:"The file to write; standard output when omitted." type:"path" placeholder:"FILE"`
}

// Run prints the schema in the schema definition language.
func (c *schemaCommand) Run() error {
	if c.Out == "" {
		_, err := fmt.Print(graph.SDL())
		return err
	}
	return os.WriteFile(c.Out, []byte(graph.SDL()), 0o644) //nolint:gosec // the schema is public
}
