package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// states is how many seconds a cloud takes to reach its states. On AWS a small
// machine runs after about 20 s, has stopped after 22 s, and has gone after 33 s.
type states struct{ running, stopped, available, terminated int }

// delays are for imago's local cloud.
func (s states) delays() string {
	return fmt.Sprintf("running=%ds,stopped=%ds,available=%ds,terminated=%ds", s.running, s.stopped, s.available, s.terminated)
}

// ready is how long AWS alone takes until there is an image.
func (s states) ready() time.Duration {
	return time.Duration(s.running+s.stopped+s.available) * time.Second
}

// baked are the bakes of one cloud whose states take time. Several rows say
// different things of the same bakes.
type baked struct {
	bench   *bench
	name    string
	states  states
	samples map[string][]sample // nil before the first row
	err     error
}

// idLine is the line that says the image is there: imago's on stdout, and the
// artifact of Packer, which comes when the machine has gone.
var idLine = regexp.MustCompile(`^(us-east-1: )?ami-[0-9a-f]+$`)

// states are three rows about a bake without a provisioner, on a cloud whose states take time.
func (b *bench) states(name string) []row {
	s := map[string]states{"states7": {7, 7, 7, 7}, "states20": {20, 22, 63, 33}, "states240": {20, 22, 240, 33}}[name]
	all := &baked{bench: b, name: name, states: s}
	return []row{
		all.row("the id after run, stop and image", all.idLate),
		all.row("the end after the machine's", all.endLate),
		all.row("all", func(s sample) (time.Duration, error) { return duration(s.Wall), nil }),
	}
}

// idLate is how much later than the image its id was printed.
func (all *baked) idLate(s sample) (time.Duration, error) {
	at, err := nth(s.lines, idLine, 1)
	return at - all.states.ready(), err
}

// endLate is how much later than the machine the program ended.
func (all *baked) endLate(s sample) (time.Duration, error) {
	gone := s.terminated.Add(time.Duration(all.states.terminated) * time.Second)
	return s.began.Add(duration(s.Wall)).Sub(gone), nil
}

func duration(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// row is what value says of each bake.
func (all *baked) row(about string, value func(sample) (time.Duration, error)) row {
	b := all.bench
	r := row{name: all.name + ": " + about, direct: true, entries: []contender{
		{name: imagoBake, bakes: []object{}, command: b.imagoBuild},
		{name: packerBake, bakes: []object{}, command: b.packerBuild},
	}}
	r.measure = func(ctx context.Context, samples map[string][]sample) error {
		if all.samples == nil {
			all.samples = map[string][]sample{}
			all.err = all.bake(ctx, r)
		}
		for name, some := range all.samples {
			for _, s := range some {
				d, err := value(s)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				s.Seconds = d.Seconds()
				samples[name] = append(samples[name], s)
			}
		}
		return all.err
	}
	return r
}

// bake starts the cloud and lets the contenders take turns on it.
func (all *baked) bake(ctx context.Context, r row) (err error) {
	b := *all.bench
	b.dir, b.relay = filepath.Join(b.dir, all.name), nil
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	b.cloud = newCloud(b.imago, b.dir)
	b.cloud.env = append(b.cloud.env, "IMAGO_LOCAL_DELAYS="+all.states.delays())
	defer func() { err = errors.Join(err, b.cloud.close(), os.RemoveAll(b.dir)) }()
	if err := b.cloud.up(ctx); err != nil {
		return err
	}
	if b.api, err = newAPIProxy(b.cloud.api, func(string) {}); err != nil {
		return err
	}
	defer b.api.close()
	for i := range max(b.n, b.packerN) {
		for _, c := range r.entries {
			if c.name == packerBake && i >= b.packerN || c.name == imagoBake && i >= b.n {
				continue
			}
			if err := b.mayStart(ctx); err != nil {
				return err
			}
			s, err := b.runOne(ctx, r, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			s.terminated = b.api.when("TerminateInstances")
			fmt.Fprintf(os.Stderr, "  %-28s %8.3f s\n", c.name, s.Seconds)
			all.samples[c.name] = append(all.samples[c.name], s)
		}
	}
	return nil
}
