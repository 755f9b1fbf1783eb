package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/deploy"
)

const sshHelp = `Runs ssh to a machine of the release that serves, or to INSTANCE. Nobody reaches port 22
of the machines: it is opened for this computer's address alone, for as long as the
session lasts. The machine needs your key: key_name of the deploy block, or one that the
image has. ENV may be left out where it is clear.

Examples:
  imago ssh staging
  imago ssh -i ~/.ssh/shop.pem production i-0123456789abcdef0
  imago ssh production -- journalctl -u shop-production -n 50
  imago ssh --release 12 production -- uptime

The exit code is ssh's, which is the command's.`

func sshCommand(s *session) *cli.Command {
	return &cli.Command{
		Name: "ssh", Usage: "log in to a machine", ArgsUsage: "[ENV] [INSTANCE] [-- COMMAND...]", Description: sshHelp,
		Flags: append(environmentFlags(),
			&cli.StringFlag{Name: "i", Usage: "the private key, `FILE`; by default ssh's own"},
			&cli.StringFlag{Name: "user", Aliases: []string{"l"}, Value: "admin", Usage: "log in as `USER`"},
			&cli.Int64Flag{Name: "release", Usage: "a machine of this release, `N`; by default of the one that serves"},
		),
		Action: func(c *cli.Context) error {
			args, command := splitCommand(c.Args().Slice(), s.args)
			if len(args) > 2 {
				return usagef("ssh takes %s; put -- before the command (see imago ssh --help)", c.Command.ArgsUsage)
			}
			o, err := readEnvironmentOptions(c, args, isInstance)
			if err != nil {
				return err
			}
			l := &login{user: c.String("user"), key: c.String("i"), release: c.Int64("release"), command: command}
			if len(o.args) > 0 {
				l.instance = o.args[0]
			}
			if l.instance != "" && !isInstance(l.instance) || len(o.args) > 1 {
				return usagef("ssh: %s is no instance: their names begin with i-; put -- before a command", o.args[len(o.args)-1])
			}
			if l.stage, err = s.openStage(c.Context, o); err != nil {
				return err
			}
			return l.run(c.Context)
		},
	}
}

// isInstance says whether an argument is an instance rather than an environment.
func isInstance(text string) bool { return strings.HasPrefix(text, "i-") }

// splitCommand takes what comes after -- apart from the arguments before it. The
// flag package drops a -- that is before all arguments, so the command line as it was typed decides.
func splitCommand(args, typed []string) (before, command []string) {
	i := slices.Index(typed, "--")
	if i < 0 {
		return args, nil
	}
	command = typed[i+1:]
	before = args[:max(0, len(args)-len(command))]
	if n := len(before); n > 0 && before[n-1] == "--" {
		before = before[:n-1]
	}
	return before, command
}

// login is one session on a machine.
type login struct {
	*stage
	user, key, instance string
	release             int64
	command             []string
}

// statusError is the exit status of a program that the user has run.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("it exited with status %d", e.code) }

func (l *login) run(ctx context.Context) (err error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return errors.New("there is no ssh on this computer: install openssh-client")
	}
	access := l.clients.access(l.deploy)
	m, err := l.choose(ctx, access)
	if err != nil {
		return err
	}
	from, err := l.address(ctx)
	if err != nil {
		return fmt.Errorf("find this computer's address, which alone is let in: %w", err)
	}
	known, forget, err := l.hostKeys(ctx, m)
	if err != nil {
		return err
	}
	defer forget()
	shut, err := access.Open(ctx, l.env, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shut()) }()
	l.say("imago: %s, release %d, at %s", m.ID, m.Release, m.Address)
	return l.session.inherit(ctx, path, l.arguments(m, known)...)
}

// choose finds the machine: the one asked for, or the first that is in service.
func (l *login) choose(ctx context.Context, access *deploy.Access) (deploy.Instance, error) {
	all, err := access.Instances(ctx, l.env, l.release)
	if err != nil {
		return deploy.Instance{}, err
	}
	var ids []string
	for _, m := range all {
		ids = append(ids, m.ID)
		if m.Address != "" && (m.ID == l.instance || l.instance == "" && m.State == "InService") {
			return m, nil
		}
	}
	if l.instance == "" {
		return deploy.Instance{}, fmt.Errorf("%s has no machine in service that has an address", l.env.Name)
	}
	return deploy.Instance{}, fmt.Errorf("%s is no machine of that release%s; it has %s", l.instance, didYouMean(l.instance, ids, ""), strings.Join(ids, ", "))
}

// address is that from which the machine sees us.
func (l *login) address(ctx context.Context) (netip.Addr, error) {
	if l.clients.local() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	return builder.PublicAddress(ctx)
}

// arguments are those of ssh.
func (l *login) arguments(m deploy.Instance, known string) []string {
	args := []string{"-l", l.user, "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=" + known, "-o", "HashKnownHosts=no"}
	if known == "" {
		args = []string{"-l", l.user, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"}
	}
	if l.key != "" {
		args = append(args, "-i", l.key, "-o", "IdentitiesOnly=yes")
	}
	args = append(args, m.Address)
	if len(l.command) > 0 {
		args = append(append(args, "--"), l.command...)
	}
	return args
}

// hostKeys writes the machine's host keys, as cloud-init has put them on its
// console, into a file for ssh; "" where they are not there.
func (l *login) hostKeys(ctx context.Context, m deploy.Instance) (file string, forget func(), err error) {
	text, err := l.deploy.Console(ctx, m.ID)
	keys := consoleKeys(text)
	if err != nil || len(keys) == 0 {
		l.say("imago: warning: the console of %s does not have its host key: nobody knows whether it is the machine that answers", m.ID)
		return "", func() {}, nil
	}
	f, err := os.CreateTemp("", "imago-known-hosts-")
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	for _, k := range keys {
		if _, err := fmt.Fprintf(f, "%s %s\n", m.Address, k); err != nil {
			os.Remove(f.Name())
			return "", nil, err
		}
	}
	return f.Name(), func() { os.Remove(f.Name()) }, nil
}

// consoleKeys are the host keys that cloud-init has written to a console.
func consoleKeys(text string) (keys []string) {
	const begin, end = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
	i := strings.LastIndex(text, begin)
	if i < 0 {
		return nil
	}
	block, _, whole := strings.Cut(text[i+len(begin):], end)
	if !whole {
		return nil
	}
	fields := strings.Fields(block)
	for i := range len(fields) - 1 {
		kind := fields[i]
		if (strings.HasPrefix(kind, "ssh-") || strings.HasPrefix(kind, "ecdsa-")) && strings.HasPrefix(fields[i+1], "AAAA") {
			keys = append(keys, kind+" "+fields[i+1])
		}
	}
	return keys
}

// inherit runs a program on this terminal.
func (s *session) inherit(ctx context.Context, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.stdin, s.stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &statusError{exit.ExitCode()}
	}
	return err
}
