package ansible

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder/internal/process"
	"github.com/imagobuild/imago/provision"
)

// versionLimit bounds asking ansible for its version.
const versionLimit = time.Minute

// command is how a program of ansible's runs on this computer.
type command struct {
	dir            string
	env            []string
	stdout, stderr io.Writer
	direct         bool // its connections lead to the machine without us, and are kept for a next run
}

// run runs a program to its end. When ctx ends, everything that it has started
// ends too.
func (c command) run(ctx context.Context, name string, args ...string) error {
	marked := process.NewMark()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, c.stdout, c.stderr
	cmd.Env = append(append(os.Environ(), c.env...), marked.Env())
	err := process.Run(ctx, cmd)
	if ctx.Err() != nil {
		marked.Kill()
		return context.Cause(ctx)
	}
	if c.direct {
		marked.Kill("ssh")
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return &provision.ExitError{Script: shortly(name, args), Code: cmd.ProcessState.ExitCode(), Signal: process.EndedBy(cmd.ProcessState)}
	case err != nil:
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}

// shortly names a command for messages: without its options, which may hold anything.
func shortly(name string, args []string) string {
	return filepath.Base(name) + " " + filepath.Base(args[len(args)-1])
}

// Check looks whether this computer has what Run needs.
func (p Playbook) Check(ctx context.Context) error {
	errs := []error{p.checkPlaybook(ctx)}
	if _, err := exec.LookPath("ssh"); err != nil {
		errs = append(errs, errors.New("ansible needs OpenSSH's client (ssh) on this computer, and it is not there"))
	}
	if p.Galaxy.File != "" {
		if _, err := p.look(p.Galaxy.command()); err != nil {
			errs = append(errs, notHere(p.Galaxy.command(), "galaxy_command"))
		}
	}
	return errors.Join(errs...)
}

func (p Playbook) checkPlaybook(ctx context.Context) error {
	path, err := p.look(p.command())
	if err != nil {
		return notHere(p.command(), "command")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, versionLimit, fmt.Errorf("no answer in %v", versionLimit))
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Dir, cmd.Env = p.Dir, append(os.Environ(), p.Env...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := process.Run(ctx, cmd); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("%s --version: %w: %s", p.command(), err, lastLine(said.String()))
	}
	return nil
}

// look finds a program, which may be named by a path from Dir.
func (p Playbook) look(name string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		name = inDir(p.Dir, name)
	}
	return exec.LookPath(name)
}

func notHere(program, option string) error {
	return fmt.Errorf("%s is not on this computer: install Ansible (apt install ansible-core, or pipx install ansible-core), "+
		"or say with %s where it is; with the provisioner ansible-local it runs on the machine instead", program, option)
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
