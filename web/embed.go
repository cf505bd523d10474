// Package web holds the pages that Convoke serves: the front page, the page an invitation's link opens, the page that
// confirms an address, GraphiQL, and the demo's mailbox. Their source is TypeScript under src; the built files under dist
// are committed, so that the server builds without Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built files, rooted at dist: index.html, accept.html, verify.html, reset.html, address.html, graphiql.html and mailbox.html,
// and under assets everything they load. The name of a file under assets changes with its content, so clients may keep
// it for ever; the pages themselves must be asked for anew.
func Files() (fs.FS, error) {
	return fs.Sub(dist, "dist")
}
