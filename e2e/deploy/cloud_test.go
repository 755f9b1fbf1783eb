// Package deploy puts real images into service on real machines, behind the
// local cloud's load balancer, under load. It needs root and Linux.
package deploy

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

var delays = flag.String("delays", "draining=2s,metric=1s", "what the local cloud is slow at, as imago local up --delay has it")

// cloud is the local cloud that the whole suite shares.
var cloud *localCloud

func TestMain(m *testing.M) {
	flag.Parse()
	if what := os.Getenv(childEnv); what != "" {
		os.Exit(child(what))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "imago-deploy-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cloud = &localCloud{dir: dir, bin: filepath.Join(dir, "imago"), state: filepath.Join(dir, "state")}
	for _, args := range [][]string{
		{"make", "-C", "../..", "build", "BIN=" + cloud.bin},
		{"go", "build", "-trimpath", "-o", filepath.Join(dir, "serve"), "../serve"},
	} {
		if r := cloud.command(context.Background(), ".", args...); r.code != 0 {
			fmt.Fprintf(os.Stderr, "%s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
			return 1
		}
	}
	defer roomy()()
	defer cloud.down()
	if err := cloud.up(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// roomy lets this computer have as many machines as the suite needs: each has a
// systemd, which watches files, and Linux allows 128 watchers for all of root's
// processes. It returns what puts that back.
func roomy() (back func()) {
	const file, enough = "/proc/sys/fs/inotify/max_user_instances", "1024\n"
	was, err := os.ReadFile(file)
	if n, _ := strconv.Atoi(strings.TrimSpace(string(was))); err != nil || n >= 1024 {
		return func() {}
	}
	if err := os.WriteFile(file, []byte(enough), 0); err != nil {
		fmt.Fprintln(os.Stderr, "machines may not start:", err)
	}
	return func() {
		if now, err := os.ReadFile(file); err == nil && string(now) == enough {
			os.WriteFile(file, was, 0) //nolint:errcheck // nobody is left who needs it
		}
	}
}

// localCloud is one local cloud, and the binary that drives it.
type localCloud struct {
	dir, bin, state string
	exports         map[string]string // what `imago local env` prints
}

// up starts the cloud and registers the base image.
func (c *localCloud) up() error {
	for _, args := range [][]string{{"local", "up", "--delay", *delays}, {"local", "image", "add", "debian-12", "--id", baseID}} {
		if r := c.imago(context.Background(), args...); r.code != 0 {
			return fmt.Errorf("imago %s: exit %d\n%s", strings.Join(args, " "), r.code, r.stderr)
		}
	}
	c.exports = map[string]string{}
	for line := range strings.Lines(c.imago(context.Background(), "local", "env").stdout) {
		name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		c.exports[name] = value
	}
	return nil
}

func (c *localCloud) down() {
	if r := c.imago(context.Background(), "local", "down"); r.code != 0 {
		fmt.Fprintf(os.Stderr, "imago local down: exit %d\n%s", r.code, r.stderr)
	}
}

// config is how the SDK's clients talk to this cloud, or to what stands in front of it.
func (c *localCloud) config(endpoint string) aws.Config {
	if endpoint == "" {
		endpoint = c.exports["AWS_ENDPOINT_URL"]
	}
	cfg := aws.Config{
		Region: c.exports["AWS_REGION"], BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(c.exports["AWS_ACCESS_KEY_ID"], c.exports["AWS_SECRET_ACCESS_KEY"], ""),
	}
	return cfg
}

// environ is a clean environment for a child that talks to this cloud.
func (c *localCloud) environ() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AWS_") && !strings.HasPrefix(kv, "IMAGO_STATE_DIR=") {
			env = append(env, kv)
		}
	}
	env = append(env, "IMAGO_STATE_DIR="+c.state, "IMAGO_NO_REUSE=1", "AWS_EC2_METADATA_DISABLED=true", "CGO_ENABLED=0")
	for name, value := range c.exports {
		env = append(env, name+"="+value)
	}
	return env
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

func (c *localCloud) imago(ctx context.Context, args ...string) result {
	return c.command(ctx, c.dir, append([]string{c.bin}, args...)...)
}

// command runs a program in dir against this cloud. When ctx ends, it is interrupted as by Ctrl-C.
func (c *localCloud) command(ctx context.Context, dir string, args ...string) result {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, c.environ(), &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Minute
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		r.code, r.stderr = -1, r.stderr+err.Error()
	}
	return r
}

// after is a context for what a test does once it is over.
func after(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }
