package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// overview is what zipreel help shows. A test holds it against the commands there are.
const overview = `zipreel plays HLS and DASH video that is stored as one ZIP archive per title.

  zipreel pack ./bbb -o bbb.zip                       make an archive of a folder with HLS or DASH
  zipreel play bbb.zip                                watch it in the browser
  zipreel serve bbb.zip                               serve it to any player: mpv http://127.0.0.1:8080/v/local/bbb.zip
  zipreel serve films=https://storage.example/films/  serve all archives below a prefix, from storage

Serve and watch
  serve    [flags] [[NAME=]TARGET ...]   run the gateway
  play     [flags] TARGET                serve one archive on a free port and open it in the browser
  doctor   [--archive NAME] URL          ask a storage node what zipreel needs, and say how to mend what it lacks
  health   [URL]                         exit with 0 when a gateway is ready; for container health checks

Make and look into archives
  pack     INPUT -o ARCHIVE              write one, from a folder with HLS or DASH, or one media file
  ls       [--json] TARGET               its entries and where their bytes lie
  cat      TARGET ENTRY                  one entry's bytes to standard output
  verify   [--json] TARGET               read it whole: rules, checksums, every link of every playlist

  version · completion SHELL · help [COMMAND]

A TARGET is an archive's file, a folder (all archives below it), or an http(s) URL. A URL that ends in / is a prefix:
archives are named below it. NAME is the source's name in URLs: /v/NAME/ARCHIVE.

Every flag has a twin in the environment (ZIPREEL_LISTEN for --listen), and every flag of serve a key in the
configuration file (--config zipreel.yaml). Sizes are written 512MiB or 2GB, durations 1.5s or 6h.
Exit codes: 0 done, 1 the work failed, 2 wrong usage.

Run "zipreel COMMAND --help" for a command's flags and examples.
`

// printHelp is the kong.HelpPrinter: the overview for zipreel itself, the parser's own help for a command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() == nil {
		_, err := io.WriteString(ctx.Stdout, overview)
		return err
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

type helpCmd struct {
	Command string `arg:"" optional:"" help:"The command to explain."`
}

// Run is called by the parser.
func (c *helpCmd) Run(ctx *kong.Context) error {
	if c.Command == "" {
		_, err := io.WriteString(ctx.Stdout, overview)
		return err
	}
	var names []string
	for _, child := range ctx.Model.Children {
		names = append(names, child.Name)
	}
	if !slices.Contains(names, c.Command) {
		return usagef("unknown command %q%s; the commands are %s", c.Command, strings.TrimSuffix(didYouMean(nearest(c.Command, names)), "?"), strings.Join(names, ", "))
	}
	_, err := ctx.Kong.Parse([]string{c.Command, "--help"})
	return err
}

// Help is shown by the parser.
func (serveCmd) Help() string {
	return fmt.Sprintf(`Each archive is at http://%s/v/NAME/ARCHIVE: that is what a player opens. The page at / lists and plays them.

A source without NAME= is called like its folder, like the last part of its prefix, or like the host of an archive's
URL; archives given as files share the source %q. What the command line names may be on this machine or a private
network; a source in the configuration file needs allow_private for that. URLs
that share a NAME are nodes of one source, and hold the same archives.

Examples:

    zipreel serve bbb.zip
    zipreel serve ~/films
    zipreel serve films=https://storage.example/films/ clips=/srv/clips
    zipreel serve films=https://a.example/films/ films=https://b.example/films/
    AWS_REGION=eu-west-1 zipreel serve films=s3://bucket/films/ ipfs://CID/
    zipreel serve 'https://storage.example/bbb.zip?sig=…'
    zipreel serve --config zipreel.yaml --check
    zipreel serve --listen :8080 --host www.example.com --admin-listen 127.0.0.1:9090 ~/films
    ZIPREEL_MEMORY=2GiB zipreel serve ~/films

SIGTERM or Ctrl-C: /readyz fails, no more viewers are let in, answers under way have 30 s. A second one ends at once.`,
		defaultListen, localName)
}
