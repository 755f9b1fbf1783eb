package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// runLimit bounds one run of one program.
const runLimit = 5 * time.Minute

// program is what is run, and where.
type program struct {
	imago, packer string
	home          string // an empty one
	cache         string // where the bases of the local cloud are, for those who bake
}

// ran is how a run ended.
type ran struct {
	code           int
	stdout, stderr string
	cpu            time.Duration
}

// run runs a program where a template belongs, with nothing of the caller's settings.
func (p program) run(ctx context.Context, e entry, name string, args ...string) (ran, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = e.dir, p.environ(), &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	err := cmd.Run()
	r := ran{stdout: stdout.String(), stderr: stderr.String()}
	if cmd.ProcessState == nil {
		return r, err
	}
	r.code, r.cpu = cmd.ProcessState.ExitCode(), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return r, fmt.Errorf("%s %s of %s: %w\n%s", name, strings.Join(args, " "), e.name(), errors.Join(err, ctx.Err()), r.stderr)
	}
	return r, nil
}

func (p program) environ() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.home, "TMPDIR=" + p.home, "IMAGO_STATE_DIR=" + p.home + "/state",
		"IMAGO_NO_REUSE=1", "AWS_EC2_METADATA_DISABLED=true", "CHECKPOINT_DISABLE=1",
	}
	if p.cache != "" {
		env = append(env, "IMAGO_CACHE_DIR="+p.cache)
	}
	return append(env, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_REGION=us-east-1", "AWS_ENDPOINT_URL=http://127.0.0.1:9")
}

// said is one line of how a program ended.
func said(code int, stderr string) string {
	text := fmt.Sprintf("imago: exit %d", code)
	if all := messages(stderr); code != 0 && len(all) > 0 {
		text += ": " + strings.Join(all, "; ")
	}
	return text
}

// each calls do for every number below n, some at once, until one returns an error.
func each(ctx context.Context, atOnce, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		all.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}
