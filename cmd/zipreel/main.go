// Command zipreel plays HLS and DASH video that is stored as one ZIP archive per title.
//
// One file per subcommand. What several of them need: targets.go takes apart what is named on the command line,
// sources.go makes the gateway's sources of it, archive.go opens one archive, config.go reads the configuration
// file, flags.go and sizes.go hold the flags they share, server.go answers until a signal comes, errors.go says
// what went wrong and picks the exit code.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// cli is the command line. Every flag has an environment twin (ZIPREEL_ and its name in upper case), and every flag
// of serve a key in the configuration file (its name with underscores).
type cli struct {
	Serve      serveCmd      `cmd:"" help:"Run the gateway."`
	Play       playCmd       `cmd:"" help:"Serve one archive on a free port and open it in the browser."`
	Pack       packCmd       `cmd:"" help:"Write an archive from a folder with HLS or DASH, or from one media file."`
	Ls         lsCmd         `cmd:"" help:"List an archive's entries and where their bytes lie."`
	Cat        catCmd        `cmd:"" help:"Write one entry's bytes to standard output."`
	Verify     verifyCmd     `cmd:"" help:"Read a whole archive: rules, checksums, every link of every playlist."`
	Doctor     doctorCmd     `cmd:"" help:"Ask a storage node for ranges, say what it does wrong, and how to mend it."`
	Health     healthCmd     `cmd:"" help:"Exit with 0 when a gateway is ready; for container health checks."`
	Version    versionCmd    `cmd:"" help:"Show the version."`
	Completion completionCmd `cmd:"" help:"Write a completion script for a shell."`
	Help       helpCmd       `cmd:"" help:"Show help for a command."`
}

func main() { os.Exit(run(os.Args[1:])) }

// run answers the exit code: 0 done, 1 the work failed, 2 wrong usage.
func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, overview)
		return exitUsage
	}
	ctx, err := newParser().Parse(args)
	if err != nil {
		return report(explainUsage(err))
	}
	return report(ctx.Run())
}

func newParser() *kong.Kong {
	return kong.Must(&cli{},
		kong.Name("zipreel"),
		kong.Vars{"listen": defaultListen},
		kong.DefaultEnvars("ZIPREEL"),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}),
		kong.Help(printHelp),
	)
}
