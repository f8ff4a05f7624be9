package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

// Help is shown by the parser.
func (completionCmd) Help() string {
	return `Examples:

    source <(zipreel completion bash)
    zipreel completion zsh > "${fpath[1]}/_zipreel"
    zipreel completion fish > ~/.config/fish/completions/zipreel.fish`
}

// Run is called by the parser.
func (c *completionCmd) Run(ctx *kong.Context) error {
	write := map[string]func(io.Writer, *kong.Node){"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	if write == nil {
		return usagef("%q is no shell that completion is written for; it must be bash, zsh or fish", c.Shell)
	}
	write(ctx.Stdout, ctx.Model.Node)
	return nil
}

// bashCompletion completes commands, then a command's flags, then files.
func bashCompletion(w io.Writer, app *kong.Node) {
	fmt.Fprint(w, "_zipreel() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n")
	fmt.Fprintf(w, "  if (( COMP_CWORD == 1 )); then words=%q\n", strings.Join(commandNames(app), " "))
	fmt.Fprint(w, "  elif [[ $cur == -* ]]; then\n    case ${COMP_WORDS[1]} in\n")
	for _, command := range app.Children {
		fmt.Fprintf(w, "      %s) words=%q ;;\n", command.Name, "--"+strings.Join(flagNames(command), " --"))
	}
	fmt.Fprint(w, "    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _zipreel zipreel\n")
}

// zshCompletion uses bash's, which zsh can run.
func zshCompletion(w io.Writer, app *kong.Node) {
	fmt.Fprint(w, "#compdef zipreel\nautoload -U +X bashcompinit && bashcompinit\n")
	bashCompletion(w, app)
}

func fishCompletion(w io.Writer, app *kong.Node) {
	for _, command := range app.Children {
		fmt.Fprintf(w, "complete -c zipreel -n __fish_use_subcommand -f -a %s -d %q\n", command.Name, command.Help)
		for _, f := range command.Flags {
			fmt.Fprintf(w, "complete -c zipreel -n '__fish_seen_subcommand_from %s' -l %s -d %q\n", command.Name, f.Name, f.Help)
		}
	}
}

func commandNames(app *kong.Node) []string {
	var names []string
	for _, c := range app.Children {
		names = append(names, c.Name)
	}
	return names
}

func flagNames(command *kong.Node) []string {
	names := []string{"help"}
	for _, f := range command.Flags {
		names = append(names, f.Name)
	}
	return names
}
