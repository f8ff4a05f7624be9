// Command rclone is rclone v1.76.0 with what the comparison needs and no more: `rclone serve http` of a ZIP archive on a
// web server, by its backends http and archive. It is a module of its own, so that zipreel does not depend on it.
package main

import (
	_ "github.com/rclone/rclone/backend/archive"
	_ "github.com/rclone/rclone/backend/http"
	_ "github.com/rclone/rclone/backend/local"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/serve/http"
)

func main() { cmd.Main() }
