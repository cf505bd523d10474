package server

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/convoke-dev/convoke/web"
)

// contentPolicy allows pages to load only files that are embedded in the program.
const contentPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; font-src 'self'; style-src 'self' 'unsafe-inline'; frame-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// assetTypes are content types that some machines do not have in their tables.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".ttf": "font/ttf", ".woff2": "font/woff2",
}

// pages serves the embedded pages. The name of an asset contains its hash, so browsers
// may cache assets for ever. They may not cache pages.
func (s *Server) pages(mux *http.ServeMux) error {
	files, err := web.Files()
	if err != nil {
		return fmt.Errorf("embedded pages: %w", err)
	}
	shown := map[string]string{"/{$}": "index.html", "/accept": "accept.html", "/verify": "verify.html", "/reset": "reset.html", "/address": "address.html"}
	if s.cfg.GraphiQL {
		shown["/graphiql"] = "graphiql.html"
	}
	if s.cfg.Mailbox != nil {
		shown["/mailbox"] = "mailbox.html"
	}
	for route, file := range shown {
		mux.HandleFunc("GET "+route, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", contentPolicy)
			h.Set("Cache-Control", "no-store")
			http.ServeFileFS(w, r, files, file)
		})
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return fmt.Errorf("embedded assets: %w", err)
	}
	serve := http.StripPrefix("/assets/", http.FileServerFS(assets))
	mux.HandleFunc("GET /assets/{file}", func(w http.ResponseWriter, r *http.Request) {
		if t, known := assetTypes[path.Ext(r.URL.Path)]; known {
			w.Header().Set("Content-Type", t)
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		serve.ServeHTTP(w, r)
	})
	return nil
}
