//go:build !unix

package origin

import "io/fs"

// inodeOf answers 0: size and time alone tell one file from another here.
func inodeOf(fs.FileInfo) uint64 { return 0 }
