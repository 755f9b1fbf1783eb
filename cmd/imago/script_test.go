package main

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"imago": main})
}

// TestScripts runs the command as users do: everything that needs no cloud.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup:               silentServer,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "called": called},
	})
}

// exits CODE PROGRAM ARGS... runs a program that must end with just that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if exit := new(exec.ExitError); errors.As(ts.Exec(args[1], args[2:]...), &exit) {
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

// silent is the key of a script's server in its values.
type silent struct{}

// silentServer gives a script a server that takes connections and says nothing, at $SILENT,
// and one that refuses whatever it is asked, at $REFUSING.
func silentServer(env *testscript.Env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { l.Close() })
	env.Setenv("SILENT", l.Addr().String())
	env.Values[silent{}] = l
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	env.Defer(refusing.Close)
	env.Setenv("REFUSING", refusing.URL)
	return nil
}

// called waits until somebody has called $SILENT. With !, nobody may have: it
// calls by itself, and must be the first.
func called(ts *testscript.TestScript, neg bool, _ []string) {
	l, ours := ts.Value(silent{}).(net.Listener), ""
	if neg {
		conn, err := net.Dial("tcp", l.Addr().String())
		ts.Check(err)
		ts.Defer(func() { conn.Close() })
		ours = conn.LocalAddr().String()
	}
	conn, err := l.Accept()
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	if caller := conn.RemoteAddr().String(); neg && caller != ours {
		ts.Fatalf("%s has called", caller)
	}
}
