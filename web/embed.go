// Package web is the page: its built files, embedded.
package web

import (
	"net/http"
)

// Handler serves the page: /, /embed/{source}/{archive} and the page's assets below /assets/.
// It is a notice of how to build the page where the build was made without it.
func Handler() http.Handler { panic("stub") }
