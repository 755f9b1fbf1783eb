package deploy

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/deploy"
	"github.com/imagobuild/imago/e2e/load"
)

var (
	everywhere = flag.Bool("everywhere", false, "kill and pause releases everywhere, and try all bad images; not some that are drawn")
	drawSeed   = flag.Uint64("draw", 0, "draw the calls with this seed; 0: another each time")
	lines      = flag.Int("lines", 2, "in how many environments releases are killed at once")
)

// points are all the calls of a release that change something, twice.
func (p *place) points(t *testing.T, image string) (all []point) {
	t.Helper()
	tap := newTap(t)
	d := deployerAt(tap.server.URL)
	d.Holder = "the one that is not killed"
	if _, err := d.Run(t.Context(), p.Environment, deploy.Wanted{Image: image}); err != nil {
		t.Fatal(explained(err))
	}
	for _, call := range tap.changes() {
		all = append(all, point{call, false}, point{call, true})
	}
	if len(all) < 20 {
		t.Fatalf("only %d points: %v", len(all), all)
	}
	return all
}

// TestKilled: wherever a release is killed, users do not notice, one of the two
// releases serves, whole, and the next run finishes or tidies up: nothing is
// there twice, and nothing is left over.
func TestKilled(t *testing.T) {
	t.Parallel()
	places := []*place{}
	for i := range *lines {
		p := newPlace(t, "killed "+string(rune('a'+i)))
		p.Min, p.Desired, p.Watch = 1, 1, time.Second
		places = append(places, p)
	}
	var ready sync.WaitGroup
	for _, p := range places {
		ready.Go(func() {
			p.release(t, version(t))
			if *everywhere {
				p.release(t, version(t)) // then the next one retires one, too
			}
		})
	}
	ready.Wait()
	all := places[0].points(t, version(t))
	if !*everywhere {
		seed := cmp.Or(*drawSeed, rand.Uint64())
		t.Logf("%d points; the same again with -draw %d", len(all), seed)
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:len(places)]
	}
	turn := make(chan point, len(all))
	for _, at := range all {
		turn <- at
	}
	close(turn)
	var running sync.WaitGroup
	for _, p := range places {
		running.Go(func() {
			spotless(t, p.underLoad(t, load.Config{Rate: 20, New: 0.2, Post: 0.2, Slow: 1, SlowFor: 3 * time.Second, WebSockets: 1}, func() {
				for at := range turn {
					p.killedAt(t, at)
				}
			}))
		})
	}
	running.Wait()
	t.Logf("killed at %d points", len(all))
}

// killedAt kills a release, and looks at what is left, before and after the next one.
func (p *place) killedAt(t *testing.T, at point) {
	t.Helper()
	old := p.status(t).Serving
	image := version(t)
	tap := newTap(t)
	var reached atomic.Bool
	started := make(chan *process, 1)
	tap.at, tap.strike = at, func() {
		c := <-started
		reached.Store(true)
		c.cmd.Process.Kill()
		<-c.gone
	}
	before, err := deployerAt("").Releases(after(t), p.Environment)
	if err != nil {
		t.Fatal(err)
	}
	c := p.start(t, tap.server.URL, image)
	started <- c
	<-c.gone
	if !reached.Load() {
		t.Errorf("%s: never there; %v\n%s", at, tap.changes(), c.said.String())
		return
	}
	if got := p.status(t).Serving; got == nil || got.Image != old.Image && got.Image != image || got.Healthy < p.Min {
		t.Errorf("%s: %+v serves, and %+v did before", at, got, old)
	}
	if n := p.count(t, "listener: [1-9]"); n != 1 {
		t.Errorf("%s: %d releases have traffic", at, n)
	}
	if n := p.count(t, "instance "); n > 3 { // what serves, what is warm, what is new
		t.Errorf("%s: %d instances", at, n)
	}
	p.release(t, image)
	now := p.status(t).Serving
	if now.Image != image || now.Healthy != 1 {
		t.Errorf("%s: after the next run %+v serves", at, now)
	}
	if err := p.deployer(t, "gc").Tidy(t.Context(), p.Environment); err != nil {
		t.Error(err)
	}
	known, err := deployerAt("").Releases(after(t), p.Environment)
	for _, r := range before {
		if !slices.Contains(known, r) {
			t.Errorf("%s: release %d cannot be gone back to any more; %v", at, r.Number, err)
		}
	}
	if left := p.leftOver(t); len(left) > 0 {
		t.Errorf("%s: left over: %s\n%s", at, strings.Join(left, "\n"), strings.Join(p.inventory(t), "\n"))
	}
}

func (p *place) status(t *testing.T) deploy.Status {
	t.Helper()
	st, err := deployerAt("").Status(after(t), p.Environment)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// count is how many lines of the inventory a regular expression matches.
func (p *place) count(t *testing.T, expr string) (n int) {
	t.Helper()
	for _, line := range p.inventory(t) {
		if regexp.MustCompile("^" + expr).MatchString(line) {
			n++
		}
	}
	return n
}

// leftOver is what is there beside a release that serves, one that is warm, and
// the launch template versions of those that served before.
func (p *place) leftOver(t *testing.T) (left []string) {
	t.Helper()
	st := p.status(t)
	groups := 1 + len(st.Warm)
	if len(st.Warm) > 1 || len(st.Unfinished) > 0 {
		left = append(left, "more than is warm")
	}
	for what, want := range map[string]int{"group ": groups, "target group ": groups, "listener: ": groups, "0 rules": 1, "key pair ": 0, "instance ": groups * p.Desired} {
		if n := p.count(t, what); n != want {
			left = append(left, what)
		}
	}
	released, err := deployerAt("").Releases(after(t), p.Environment)
	if n := p.count(t, "version "); err != nil || n != len(released) {
		left = append(left, "launch template versions")
	}
	slices.Sort(left)
	return left
}
