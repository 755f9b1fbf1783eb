// Command imago bakes Amazon Machine Images from Packer's templates, in AWS or
// on real Linux machines on this computer.
//
// The rules of its output: stdout carries the result and nothing else;
// everything for people goes to stderr, a line at a time; a message says what,
// where and what to do, begins with "imago: " and ends without a period.
package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/deploy"
)

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole command: its arguments and its surroundings in, its exit
// code out. A second signal ends it at once, whatever is still under way.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := newSession(stdin, stdout, stderr)
	s.args = args
	defer s.stderr.Flush()
	ctx, abandoned, stop := s.watchSignals(context.Background(), sameSignal)
	defer stop()

	done := make(chan error, 1)
	go func() { done <- newApp(s).RunContext(ctx, args) }()
	select {
	case err := <-done:
		s.explain(err)
		return exitCode(err)
	case <-abandoned:
		return s.abandon()
	}
}

const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitUnhealthy = 3 // the new release; the one before serves
	exitLeak      = 4
	exitCanceled  = 130
)

// exitCode is the one place where an error becomes an exit code. A leak
// outranks the rest: it costs money.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case is[*statusError](err):
		status, _ := errors.AsType[*statusError](err)
		return status.code
	case is[*builder.LeakError](err):
		return exitLeak
	case errors.Is(err, context.Canceled):
		return exitCanceled
	case is[*deploy.UnhealthyError](err):
		return exitUnhealthy
	case is[*usageError](err):
		return exitUsage
	default:
		return exitFailed
	}
}

// is reports whether err is or wraps a T.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
