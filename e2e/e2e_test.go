// Package e2e runs the imago binary as its users do, on a local cloud of its
// own: real machines, real apt, real nginx. It needs root and Linux.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// baseID is the id under which the base is registered: the one that the
// article's manifest names.
const baseID = "ami-22de994a"

// cloud is the local cloud that the whole suite shares.
var cloud *localCloud

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "imago-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "imago")
	if out, err := exec.Command("make", "-C", "..", "build", "BIN="+bin).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "make build: %v\n%s", err, out)
		return 1
	}
	cloud = &localCloud{bin: bin, state: filepath.Join(dir, "state")}
	defer cloud.down()
	if err := cloud.up(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// localCloud is one local cloud and the binary that drives it.
type localCloud struct {
	bin     string
	state   string
	exports []string // what `imago local env` prints, as KEY=value
}

// up starts the cloud and registers the base image.
func (c *localCloud) up() error {
	for _, args := range [][]string{{"local", "up"}, {"local", "image", "add", "debian-12", "--id", baseID}} {
		if r := c.exec(context.Background(), "", args...); r.code != 0 {
			return fmt.Errorf("imago %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
		}
	}
	env := c.exec(context.Background(), "", "local", "env")
	for line := range strings.Lines(env.stdout) {
		c.exports = append(c.exports, strings.TrimSpace(strings.TrimPrefix(line, "export ")))
	}
	return nil
}

func (c *localCloud) down() {
	if r := c.exec(context.Background(), "", "local", "down"); r.code != 0 {
		fmt.Fprintf(os.Stderr, "imago local down: exit %d\n%s", r.code, r.stderr)
	}
}

// environ is a clean environment for a child that talks to this cloud: nothing
// of the caller's AWS settings, all of imago's.
func (c *localCloud) environ() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "IMAGO_STATE_DIR=") {
			env = append(env, kv)
		}
	}
	return append(append(env, "IMAGO_STATE_DIR="+c.state, "IMAGO_NO_REUSE=1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "CHECKPOINT_DISABLE=1"), c.exports...)
}

// export returns one of the variables that `imago local env` prints.
func (c *localCloud) export(t *testing.T, name string) string {
	t.Helper()
	for _, kv := range c.exports {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	t.Fatalf("imago local env prints no %s", name)
	return ""
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
	took           time.Duration
}

// exec runs imago in dir and returns how it ended.
func (c *localCloud) exec(ctx context.Context, dir string, args ...string) result {
	return c.command(ctx, dir, c.bin, args...)
}

// command runs a program in dir against this cloud. When ctx ends, the program
// is interrupted as by Ctrl-C and given time to clean up.
func (c *localCloud) command(ctx context.Context, dir, name string, args ...string) result {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, c.environ(), &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Minute
	start := time.Now()
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode(), took: time.Since(start)}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		r.code, r.stderr = -1, r.stderr+err.Error()
	}
	return r
}

// imago runs imago in dir and fails the test unless it exits 0. It returns stdout without its last newline.
func imago(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := cloud.exec(t.Context(), dir, args...)
	if r.code != 0 {
		t.Fatalf("imago %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return strings.TrimSuffix(r.stdout, "\n")
}

// write puts files, given as path and contents in turn, below a new directory.
func write(t *testing.T, files ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// after is a context for what a test does once it is over.
func after(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }
