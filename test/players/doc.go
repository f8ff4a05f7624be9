// Package players holds tests with real players, a real storage node and real zippers: ffmpeg makes the media, nginx stores
// the archives and answers byte ranges, the gateway stands in front of it, and its log proves what was read.
//
// Where a tool is missing a test is skipped with the name of the Debian package; with ZIPREEL_TEST_TOOLS=1, as `make test` sets, it fails.
package players
