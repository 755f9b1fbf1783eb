package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/localcloud"
)

// faultsEnv is the fault file for the server, and from a user who starts it with --local.
const faultsEnv = "IMAGO_LOCAL_FAULTS"

// askLimit is how long the status waits for the cloud to say what its faults are.
const askLimit = 2 * time.Second

const faultsHelp = `FILE is a fault file: rules for what goes wrong on purpose, and which calls it
happens to. It replaces the rules there were, and counts from here on. off takes
all rules away; show says how often each was reached, and struck. A file by one of
these names is ./off or ./show. All fields are in: imago help local-cloud

Example: every tenth call is throttled, the second launch finds no room, and the
first image fails after half a minute.

  {
    "seed": 1,
    "rules": [
      {"action": "*", "share": 0.1, "error": "RequestLimitExceeded"},
      {"action": "RunInstances", "nth": [2], "error": "InsufficientInstanceCapacity"},
      {"action": "CreateImage", "times": 1, "result": "failed", "after": "30s"}
    ]
  }

  imago local faults rehearsal.json
  imago build --local web.json
  imago local faults show
  imago local faults off`

func localFaults(s *session) *cli.Command {
	return &cli.Command{
		Name:        "faults",
		Usage:       "make things go wrong in the local cloud, on purpose",
		ArgsUsage:   "FILE|off|show",
		Description: faultsHelp,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			switch what := c.Args().First(); what {
			case "show":
				return s.showFaults(c.Context)
			case "off":
				return s.clearFaults(c.Context)
			default:
				return s.setFaults(c.Context, what)
			}
		},
	}
}

func faultsFlag() cli.Flag {
	return &cli.StringFlag{Name: "faults", Usage: "make go wrong what this `FILE` says (imago help local faults)"}
}

// readFaults reads a fault file; what is wrong with it is the user's to mend.
func readFaults(path string) (localcloud.Faults, []byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return localcloud.Faults{}, nil, usagef("the fault file: %w", err)
	}
	f, err := localcloud.ParseFaults(text)
	if err != nil {
		return f, nil, usagef("the fault file %s:\n%w", path, err)
	}
	return f, text, nil
}

// faultsAtStart hands a fault file on to the server that this process starts.
func faultsAtStart(path string) error {
	if path == "" {
		return nil
	}
	if _, _, err := readFaults(path); err != nil {
		return err
	}
	if _, err := runningCloud(); err == nil {
		return usagef("the local cloud runs already; give it the rules with: imago local faults %s", path)
	}
	return os.Setenv(faultsEnv, path)
}

// faultsOfServer is the environment that names the fault file to the server, which runs in another directory.
func faultsOfServer() ([]string, error) {
	path := os.Getenv(faultsEnv)
	if path == "" {
		return nil, nil
	}
	if _, _, err := readFaults(path); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	return []string{faultsEnv + "=" + path}, err
}

// serverFaults are what the server starts with.
func serverFaults() (localcloud.Faults, error) {
	path := os.Getenv(faultsEnv)
	if path == "" {
		return localcloud.Faults{}, nil
	}
	f, _, err := readFaults(path)
	return f, err
}

func (s *session) setFaults(ctx context.Context, path string) error {
	f, text, err := readFaults(path)
	if err != nil {
		return err
	}
	client, err := s.cloudClient(ctx, false)
	if err != nil {
		return err
	}
	if err := client.SetFaults(ctx, text); err != nil {
		return fmt.Errorf("set the fault rules: %w", err)
	}
	s.say("imago: the local cloud has %s; end them with: imago local faults off", plural(len(f.Rules), "fault rule"))
	return nil
}

func (s *session) clearFaults(ctx context.Context) error {
	client, err := s.cloudClient(ctx, false)
	if err != nil {
		return err
	}
	if err := client.ClearFaults(ctx); err != nil {
		return fmt.Errorf("take the fault rules away: %w", err)
	}
	s.say("imago: the local cloud has no fault rules")
	return nil
}

func (s *session) showFaults(ctx context.Context) error {
	client, err := s.cloudClient(ctx, false)
	if err != nil {
		return err
	}
	all, err := client.Faults(ctx)
	if err != nil {
		return fmt.Errorf("ask for the fault rules: %w", err)
	}
	_, err = s.stdout.Write(faultsText(all))
	return err
}

// faultsText writes rules a line each: what they did, and the rule as it is in a file.
func faultsText(all []localcloud.FaultCount) []byte {
	if len(all) == 0 {
		return []byte("the local cloud has no fault rules\n")
	}
	var out bytes.Buffer
	for i, one := range all {
		fmt.Fprintf(&out, "rules[%d] struck %d of %s  ", i, one.Struck, plural(one.Calls, "call"))
		rule := json.NewEncoder(&out) // a rule always encodes, and ends its line
		rule.SetEscapeHTML(false)
		rule.Encode(one.Rule)
	}
	return out.Bytes()
}

// faultsOf asks a cloud for its fault rules, in the time that a status may take.
func (s *session) faultsOf(ctx context.Context, st localcloud.Status) ([]localcloud.FaultCount, error) {
	if !st.Running {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	client, err := s.cloudClient(ctx, false)
	if err != nil {
		return nil, err
	}
	all, err := client.Faults(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the local cloud for its fault rules: %w", err)
	}
	return all, nil
}
