package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// delaysEnv carries the delays to the server, and from a user who starts it with --local.
const delaysEnv = "IMAGO_LOCAL_DELAYS"

// delayStates are what the local cloud can be slow to reach.
func delayStates() []string {
	return []string{"running", "ssh", "stopped", "terminated", "available", "completed", "in-service", "scaling", "health", "metric", "active", "draining", "insync"}
}

func delayFlag() cli.Flag {
	return &cli.StringSliceFlag{
		Name:  "delay",
		Usage: "reach a `STATE=TIME` only after that time, as AWS does: running=17s, ssh=3s, stopped=30s, terminated=30s, available=120s (images), completed=60s (snapshots), and of Auto Scaling in-service=10s, scaling=5s, health=30s, metric=60s, of load balancers active=120s and draining=20s (how long a target that is deregistered still gets requests), of DNS insync=30s; may be repeated",
	}
}

// parseDelays reads STATE=TIME elements, each of which may be several with commas between.
func parseDelays(elements []string) (map[string]time.Duration, error) {
	delays := map[string]time.Duration{}
	for _, all := range elements {
		for e := range strings.SplitSeq(all, ",") {
			if strings.TrimSpace(e) == "" {
				continue
			}
			state, text, found := strings.Cut(strings.TrimSpace(e), "=")
			d, err := time.ParseDuration(text)
			if !found || err != nil || d < 0 {
				return nil, usagef("delay %q is not STATE=TIME, such as running=17s", e)
			}
			if !slices.Contains(delayStates(), state) {
				return nil, usagef("delay %q: there is no state %s%s (there are %s)", e, state, didYouMean(state, delayStates(), ""), strings.Join(delayStates(), ", "))
			}
			delays[state] = d
		}
	}
	return delays, nil
}

// setDelays hands delays on to the server that this process starts.
func setDelays(elements []string) error {
	if len(elements) == 0 {
		return nil
	}
	if _, err := parseDelays(elements); err != nil {
		return err
	}
	if _, err := runningCloud(); err == nil {
		return usagef("the local cloud runs already, and takes delays only when it starts; stop it first with: imago local down")
	}
	return os.Setenv(delaysEnv, strings.Join(elements, ","))
}
