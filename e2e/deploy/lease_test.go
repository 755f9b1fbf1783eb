package deploy

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/deploy"
)

var strict = flag.Bool("strict", false, "hold everything to its time, on a computer that does nothing else")

// within holds that something was quick enough, where that can be told.
func within(t *testing.T, what string, took, most time.Duration) {
	t.Helper()
	t.Logf("%s took %v", what, took.Round(time.Millisecond))
	if *strict && took > most {
		t.Errorf("%s took %v, want %v at most", what, took, most)
	}
}

// crowd is how many releases are started at once.
const crowd = 50

// TestOneAtATime: of many releases at once one runs, and the others say whose it
// is. When the one that runs is killed, the next can soon.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "one at a time")
	p.Min, p.Desired, p.Watch = 1, 1, time.Second
	image := version(t)
	errs, took := make([]error, crowd), make([]time.Duration, crowd)
	var running sync.WaitGroup
	for i := range crowd {
		running.Go(func() {
			d, began := deployerAt(""), time.Now()
			d.Holder = fmt.Sprintf("deployer %d", i)
			_, errs[i] = d.Run(t.Context(), p.Environment, deploy.Wanted{Image: image})
			took[i] = time.Since(began)
		})
	}
	running.Wait()
	var slowest time.Duration
	winner, refused := "", map[string]int{}
	for i, err := range errs {
		held := new(deploy.HeldError)
		switch {
		case err == nil:
			winner += fmt.Sprintf("deployer %d", i)
		case errors.As(err, &held):
			refused[held.Holder]++
			slowest = max(slowest, took[i])
		default:
			t.Errorf("deployer %d: %v", i, err)
		}
	}
	if diff := cmp.Diff(map[string]int{winner: crowd - 1}, refused); diff != "" {
		t.Errorf("refused, by whose lease it was: %s", diff)
	}
	within(t, "to say whose the lease is", slowest, 2*time.Second)
	p.serves(t, 1, image)

	c := p.start(t, "", version(t))
	await(t, "the lease", func() bool { return strings.Contains(c.said.String(), "has the lease") })
	killed := time.Now()
	c.cmd.Process.Kill()
	d := p.deployer(t, "anna@laptop")
	tell, taken := d.Notify, time.Time{}
	d.Notify = func(e deploy.Event) {
		if strings.HasPrefix(e.Text, "has the lease") {
			taken = e.At
		}
		tell(e)
	}
	if err := d.Tidy(t.Context(), p.Environment); err != nil {
		t.Fatal(err)
	}
	within(t, "for the lease of one that was killed to be free", taken.Sub(killed), 30*time.Second)
	p.serves(t, 1, image)
}

// TestPaused: a release that was paused for so long that another took over
// changes nothing when it goes on, wherever it was.
func TestPaused(t *testing.T) {
	steps := []string{"watch", "prove"}
	if !*everywhere {
		steps = steps[:1]
	}
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "paused in "+step)
			p.Min, p.Desired = 1, 1
			p.release(t, version(t))
			tap := newTap(t)
			watch := p.Watch
			p.Watch = time.Minute
			c := p.start(t, tap.server.URL, version(t))
			p.Watch = watch
			await(t, step, func() bool { return strings.Contains(c.said.String(), " "+step+" ") })
			if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			image := version(t)
			r := p.release(t, image)
			before, changes := p.inventory(t), tap.changes()
			if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			<-c.gone
			if said := c.said.String(); c.cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(said, deploy.ErrLost.Error()+"\n") {
				t.Errorf("it ended with %v\n%s", c.cmd.ProcessState, said)
			}
			if diff := cmp.Diff(changes, tap.changes()); diff != "" {
				t.Errorf("it changed something when it went on: %s", diff)
			}
			if diff := cmp.Diff(before, p.inventory(t)); diff != "" {
				t.Errorf("something was changed: %s", diff)
			}
			p.serves(t, r.Release.Number, image)
		})
	}
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after two minutes: %s", what)
		}
	}
}
