package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bench is everything that a measurement needs.
type bench struct {
	settings
	self  string // our own binary
	trees string
	cloud *cloud
	api   *apiProxy
	relay *relay // of the row under way
	idle  map[string]int64
	until time.Time
}

func openBench(ctx context.Context, s settings) (*bench, error) {
	if err := s.lookUp(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return nil, err
	}
	s.dir = dir
	if s.out == "" {
		s.out = dir
	}
	b := &bench{settings: s, trees: filepath.Join(dir, "trees"), until: time.Now().Add(s.limit)}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	for _, d := range []string{b.trees, s.out} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	if b.cloud, err = openCloud(ctx, s.imago, dir); err != nil {
		return nil, err
	}
	if err := b.prove(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// prove is what is known before the first row: how large the programs are, and who launches.
func (b *bench) prove(ctx context.Context) (err error) {
	if b.idle, err = b.idleSizes(ctx); err != nil {
		return err
	}
	b.api, err = newAPIProxy(b.cloud.api, func(addr string) {
		if b.relay != nil {
			b.relay.aim(addr)
		}
	})
	return err
}

// close stops the cloud and removes everything but the trees and the results.
func (b *bench) close() error {
	if b.api != nil {
		b.api.close()
	}
	err := b.cloud.close()
	return errors.Join(err, os.RemoveAll(filepath.Join(b.dir, "state")), os.Remove(b.cloud.keyFile), os.Remove(b.cloud.keyFile+".pub"))
}

// sample is one run of one contender.
type sample struct {
	Seconds float64        `json:"seconds"`                  // of the part that the row is about
	Wall    float64        `json:"wall"`                     // of the whole process
	CPU     float64        `json:"cpu"`                      // user and system
	Upload  float64        `json:"upload_seconds,omitempty"` // of one that connects first: without that
	Largest int64          `json:"largest_process_bytes"`
	Memory  int64          `json:"memory_bytes"`         // of all its processes together
	Sent    int64          `json:"sent_bytes,omitempty"` // through the relay, to the machine
	Fetched int64          `json:"fetched_bytes,omitempty"`
	Calls   map[string]int `json:"api_calls,omitempty"`
	Busy    bool           `json:"busy,omitempty"` // the computer had other work when it began

	began, terminated time.Time // terminated: when the cloud was asked to, in the states rows
	lines             []stampedLine
}

// result is a row's samples, by contender: the i-th of all are of the same turn.
type result struct {
	row     row
	samples map[string][]sample
	problem error // why there are not as many as were asked for
}

// runAll measures the rows one after another, but those of one round together.
// What fails does not stop the others.
func (b *bench) runAll(ctx context.Context, rows []row) []result {
	var all []result
	for len(rows) > 0 {
		n := 1
		for rows[0].round != "" && n < len(rows) && rows[n].round == rows[0].round {
			n++
		}
		results := make([]result, n)
		for i, r := range rows[:n] {
			results[i] = result{row: r, samples: map[string][]sample{}}
		}
		b.runRound(ctx, results)
		all, rows = append(all, results...), rows[n:]
	}
	return all
}

// runRound lets the contenders take turns, so that a computer that changes its
// pace changes it for all.
func (b *bench) runRound(ctx context.Context, results []result) {
	for turn := range b.n {
		for i := range results {
			r := &results[i]
			if r.problem != nil || turn > 0 && r.row.measure != nil { // which takes all its turns at once
				continue
			}
			fmt.Fprintf(os.Stderr, "%s, %s\n", r.row.name, r.row.link)
			if r.problem = b.runRow(ctx, r.row, r.samples); r.problem != nil {
				fmt.Fprintln(os.Stderr, "  stopped:", r.problem)
			}
		}
	}
}

// runRow is one turn of each contender of a row.
func (b *bench) runRow(ctx context.Context, r row, samples map[string][]sample) (err error) {
	if r.measure != nil {
		return r.measure(ctx, samples)
	}
	b.relay = nil
	if !r.direct && !r.link.here() {
		if b.relay, err = newRelay(r.link); err != nil {
			return err
		}
		defer b.relay.close()
	}
	for _, c := range r.entries {
		if err := b.mayStart(ctx); err != nil {
			return err
		}
		s, err := b.runOne(ctx, r, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Fprintf(os.Stderr, "  %-28s %8.3f s\n", c.name, s.Seconds)
		samples[c.name] = append(samples[c.name], s)
	}
	return nil
}

func (b *bench) mayStart(ctx context.Context) error {
	if time.Now().After(b.until) {
		return fmt.Errorf("the time is over (-limit %v)", b.limit)
	}
	return context.Cause(ctx)
}

func (b *bench) runOne(ctx context.Context, r row, c contender) (sample, error) {
	argv, err := b.prepare(ctx, r, c)
	if err != nil {
		return sample{}, err
	}
	calm := quiet(ctx, b.calm)
	b.api.take()
	began := time.Now()
	u, err := run(ctx, append(b.cloud.env, c.env...), argv...)
	if err != nil {
		return sample{}, err
	}
	s := sample{Wall: u.wall.Seconds(), CPU: u.cpu.Seconds(), Largest: u.largest, Memory: u.together, Calls: b.api.take(), Busy: !calm, began: began, lines: u.lines}
	s.Seconds = s.Wall
	if c.part.begin != nil {
		part, err := c.part.span(u.lines)
		if err != nil {
			return sample{}, err
		}
		s.Seconds = part.Seconds()
	}
	if c.connected.begin != nil {
		part, err := c.connected.span(u.lines)
		if err != nil {
			return sample{}, err
		}
		s.Upload = part.Seconds()
	}
	if b.relay != nil {
		s.Sent, s.Fetched = b.relay.wire()
	}
	if c.uploads {
		err = b.check(ctx, r.tree)
	}
	return s, err
}

// prepare makes the machine or the template ready and returns what to run.
func (b *bench) prepare(ctx context.Context, r row, c contender) ([]string, error) {
	if c.uploads {
		addr := b.cloud.machine
		if b.relay != nil {
			b.relay.aim(addr)
			addr = loopback(b.relay.port())
		}
		_, err := b.cloud.on(ctx, "rm -rf "+inbox+" && mkdir "+inbox)
		return c.command(addr), err
	}
	t := template{api: b.api.endpoint, keyFile: b.cloud.keyFile, provides: c.bakes}
	if b.relay != nil {
		b.relay.aim("") // until the machine is launched
		t.sshPort = b.relay.port()
	}
	path, err := t.write(b.dir)
	if err != nil {
		return nil, err
	}
	return c.command(path), nil
}

// check compares what has arrived with what was sent.
func (b *bench) check(ctx context.Context, t tree) error {
	got, err := b.cloud.on(ctx, "cd "+inbox+" && "+checkScript)
	if err == nil && strings.TrimSpace(got) != t.sum {
		err = fmt.Errorf("the machine does not hold the tree %s: its sum is %s, not %s", t.name, strings.TrimSpace(got), t.sum)
	}
	return err
}
