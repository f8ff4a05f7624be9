package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets scripts run this binary as zipreel.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"zipreel": main})
}

type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return 0
}

// TestScripts runs testdata/script/*.txtar: what people type, and what they are told. Beyond testscript's own commands:
//
//	exits CODE zipreel ARGS…      run it and hold its exit code
//	zip [-deflate] ARCHIVE DIR    write an archive of a folder
//	blank FILE SIZE               write a file of so many zero bytes
//	flip FILE TEXT                change a bit where the text stands
//	node DIR                      start a storage node over a folder; $NODE is its URL
//	start zipreel ARGS…           start it and wait until it listens; $URL is where, $HOST its address alone
//	line                          wait for its next line of standard output; $LINE holds it
//	signal NAME                   send it TERM or INT
//	quit [-wait]                  send it TERM, unless -wait; it must exit with 0; stdout and stderr are what it wrote
//	get URL [HEADER: VALUE …]     write the answer's status, headers and body to stdout; no redirect is followed
//	envsubst FILE                 put $NODE and the like in a file
//	hold URL                      begin to read an answer, and keep it open until the script ends
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "zip": zipFolder, "flip": flip, "node": startNode, "get": get, "hold": hold, "envsubst": substitute, "blank": blank,
			"start": startProcess, "line": nextLine, "signal": sendSignal, "quit": quitProcess,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[processKey{}] = &process{}
			env.Setenv("COLUMNS", "100")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits a second at every exit else
			return nil
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
