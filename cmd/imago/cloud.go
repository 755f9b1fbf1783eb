package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/localcloud"
	"github.com/imagobuild/imago/builder/redact"
)

// cloudLog is the server's log, in the state directory.
const cloudLog = "cloud.log"

// ready is what the server says on its third file once it answers. Lines before
// it are its progress.
const ready = "ready"

// runningCloud is the environment of the local cloud that runs.
func runningCloud() (localcloud.Env, error) {
	state, err := stateDir()
	if err != nil {
		return localcloud.Env{}, err
	}
	st, err := localcloud.ReadStatus(state)
	if err != nil {
		return localcloud.Env{}, err
	}
	if !st.Running {
		return localcloud.Env{}, errors.New("the local cloud does not run; start it with: imago local up")
	}
	return st.Env, nil
}

// ensureCloud starts the local cloud unless it runs, and returns how to reach it.
func (s *session) ensureCloud(ctx context.Context) (localcloud.Env, error) {
	state, err := stateDir()
	if err != nil {
		return localcloud.Env{}, err
	}
	if env, err := runningCloud(); err == nil {
		return env, nil
	}
	if err := canRunCloud(); err != nil {
		return localcloud.Env{}, err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return localcloud.Env{}, err
	}
	unlock, err := lockDir(ctx, state)
	if err != nil {
		return localcloud.Env{}, err
	}
	defer unlock()
	if env, err := runningCloud(); err == nil { // somebody else was quicker
		return env, nil
	}
	if err := s.startCloud(ctx, state); err != nil {
		return localcloud.Env{}, fmt.Errorf("start the local cloud: %w", err)
	}
	return runningCloud()
}

// startCloud runs the server as a process of its own and waits until it answers.
func (s *session) startCloud(ctx context.Context, state string) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	faults, err := faultsOfServer()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(state, cloudLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()

	cmd := exec.Command(self, "local", "serve")
	cmd.Env = append(append(s.discreetEnviron(), "IMAGO_STATE_DIR="+state, "IMAGO_CACHE_DIR="+cache), faults...)
	cmd.Dir = "/" // it outlives us, and must not hold the user's directory
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{write}
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		write.Close()
		return err
	}
	write.Close()
	if s.awaitReady(ctx, read) {
		return cmd.Process.Release()
	}
	if ctx.Err() != nil {
		cmd.Process.Signal(os.Interrupt)
	}
	cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s (log: %s)", lastLine(log.Name(), from), log.Name())
}

// discreetEnviron is our environment without the variables that are secrets: the
// server stays when we have gone, and needs none of them.
func (s *session) discreetEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		_, value, _ := strings.Cut(kv, "=")
		return s.secrets.Clean(value) == redact.Hidden
	})
}

// awaitReady shows the server's progress until it is ready. It is false when the server ended first.
func (s *session) awaitReady(ctx context.Context, r *os.File) bool {
	defer context.AfterFunc(ctx, func() { r.Close() })()
	for in := bufio.NewScanner(r); in.Scan(); {
		if in.Text() == ready {
			return true
		}
		s.say("imago: %s", in.Text())
	}
	return false
}

// lastLine is the last line of a log from an offset on: what the server died of.
func lastLine(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, from, 1<<20))
	text := strings.TrimSpace(string(b))
	if err != nil || text == "" {
		return "it ended without a word"
	}
	return strings.TrimPrefix(text[strings.LastIndexByte(text, '\n')+1:], "imago: ")
}

// localServe is the server itself: what ensureCloud runs in the background.
func localServe(s *session) *cli.Command {
	return &cli.Command{
		Name:   "serve",
		Hidden: true,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			return s.serveCloud(c.Context, os.NewFile(3, "ready"))
		},
	}
}

// serveCloud runs the local cloud until ctx ends. Its progress, and that it is
// ready, go to parent.
func (s *session) serveCloud(ctx context.Context, parent *os.File) error {
	state, err := stateDir()
	if err != nil {
		return err
	}
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	delays, err := parseDelays([]string{os.Getenv(delaysEnv)})
	if err != nil {
		return fmt.Errorf("%s: %w", delaysEnv, err)
	}
	faults, err := serverFaults()
	if err != nil {
		return fmt.Errorf("%s: %w", faultsEnv, err)
	}
	cloud, err := localcloud.Open(ctx, localcloud.Options{
		StateDir: state, CacheDir: cache, Log: serverLog(s.stderr), Delays: delays, Faults: faults,
		Progress: func(text string) { fmt.Fprintln(parent, text) },
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(parent, ready)
	parent.Close()
	return cloud.Serve(ctx)
}

// serverLog is the log of a server: plain lines with the time, debug with IMAGO_LOG.
func serverLog(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if envSet("IMAGO_LOG") {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
