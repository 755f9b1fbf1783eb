package main

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/localcloud"
)

const localHelp = `The local cloud is an EC2 on this computer: its instances are real Linux machines,
its images are directories. It needs Linux and root, and no account.
State is kept in IMAGO_STATE_DIR, the bases of images in IMAGO_CACHE_DIR.

Examples:
  imago local image add debian-12 --id ami-22de994a
  imago build --local web.json
  eval "$(imago local env)" && aws ec2 describe-images --owners self    (imago help local env)
  imago local down`

func localCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "local",
		Usage:       "run the local cloud",
		ArgsUsage:   "COMMAND",
		Description: localHelp,
		Subcommands: []*cli.Command{
			localUp(s), localDown(s), localStatus(s), localEnv(s), localImage(s), localCatalogue(s), localFaults(s), localServe(s),
		},
		Action: func(c *cli.Context) error { return unknownCommand(c, s) },
	}
}

func localUp(s *session) *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "start the local cloud in the background; does nothing when it runs",
		Flags: []cli.Flag{delayFlag(), faultsFlag()},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			if err := setDelays(c.StringSlice("delay")); err != nil {
				return err
			}
			if err := faultsAtStart(c.String("faults")); err != nil {
				return err
			}
			env, err := s.ensureCloud(c.Context)
			if err != nil {
				return err
			}
			s.say("imago: the local cloud answers at %s", env.Endpoint)
			return nil
		},
	}
}

func localDown(s *session) *cli.Command {
	return &cli.Command{
		Name:  "down",
		Usage: "stop the local cloud and its machines; images stay",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			return s.stopCloud(c.Context)
		},
	}
}

func localStatus(s *session) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "say whether the local cloud runs, and what is in it",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "write one JSON object"}},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			state, err := stateDir()
			if err != nil {
				return err
			}
			st, err := localcloud.ReadStatus(state)
			if err != nil {
				return err
			}
			faults, err := s.faultsOf(c.Context, st)
			if err != nil {
				return err
			}
			return s.printStatus(st, state, faults, c.Bool("json"))
		},
	}
}

const envHelp = `Example:
  eval "$(imago local env)"
  aws ec2 describe-instances

awscli reads AWS_ENDPOINT_URL from 1.29 and 2.13 on; an older one, such as Debian
12's, needs it said: aws --endpoint-url "$AWS_ENDPOINT_URL" ec2 describe-instances`

func localEnv(s *session) *cli.Command {
	return &cli.Command{
		Name:        "env",
		Usage:       "print the environment that points other tools at the local cloud",
		Description: envHelp,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			env, err := runningCloud()
			if err != nil {
				return err
			}
			for _, v := range [][2]string{
				{"AWS_ENDPOINT_URL", env.Endpoint}, {"AWS_REGION", env.Region}, {"AWS_DEFAULT_REGION", env.Region},
				{"AWS_ACCESS_KEY_ID", env.AccessKey}, {"AWS_SECRET_ACCESS_KEY", env.SecretKey},
			} {
				if _, err := fmt.Fprintf(s.stdout, "export %s=%s\n", v[0], v[1]); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// stateDir is where the local cloud keeps what it must not lose.
func stateDir() (string, error) {
	return userDir("IMAGO_STATE_DIR", "XDG_STATE_HOME", ".local/state")
}

// cacheDir is where the local cloud keeps what it can make again.
func cacheDir() (string, error) {
	return userDir("IMAGO_CACHE_DIR", "XDG_CACHE_HOME", ".cache")
}

// userDir finds a directory: own says it all, xdg and home are of the XDG base
// directory specification.
func userDir(own, xdg, home string) (string, error) {
	if dir := os.Getenv(own); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv(xdg); filepath.IsAbs(dir) {
		return filepath.Join(dir, "imago"), nil
	}
	h, err := os.UserHomeDir()
	if err != nil {
		return "", usagef("no home directory: set %s", own)
	}
	return filepath.Join(h, home, "imago"), nil
}

// table writes rows in columns.
func table(w *tabwriter.Writer, rows [][]string) error {
	for _, r := range rows {
		for i, cell := range r {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
