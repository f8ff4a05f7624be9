// Package web is the page: the library, the player and the live map of an archive. Its sources are a project of their
// own in this folder (Vite, TypeScript); what `make web` builds from them is embedded here, and nothing else is. The
// page talks to the gateway only through the JSON API and only by relative URLs, so it may be mounted under any prefix.
package web

import (
	"embed"
	"io/fs"
	"net/http"
)

// dist holds only .gitkeep in a build without Node.
//
//go:embed all:dist
var dist embed.FS

// Handler serves the page: /, /embed/{source}/{archive} and the page's assets below /assets/. It expects the mount's
// prefix to be stripped already, as http.StripPrefix does. It is a notice of how to build the page where the build
// was made without it. Safe for concurrent use; it keeps no state but compressed copies of its files.
func Handler() http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: " + err.Error()) // the embedded directory is fixed at compile time
	}
	return newPage(built)
}
