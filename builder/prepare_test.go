package builder

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagobuild/imago/provision"
)

// diary is what steps did, and how long after the first of them.
type diary struct {
	began time.Time
	lines []string
}

func (d *diary) note(what string) {
	if d.began.IsZero() {
		d.began = time.Now()
	}
	d.lines = append(d.lines, time.Since(d.began).String()+" "+what)
}

func (d *diary) local(name string, err error) Local {
	return Local{Name: name, Do: func(context.Context, Facts, io.Writer, io.Writer) error { d.note(name); return err }}
}

// TestSequence: several steps that are one are tried again together, after
// pauses that grow, and before each of them the machine is ready: what was given
// up there is over.
func TestSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		left := &provision.Left{}
		m := &fakeMachine{left: left, ready: true}
		m.run = func(context.Context) error { d.note("run"); return nil }
		m.upload = func() error { d.note("upload"); return nil }
		cfg := trivial()
		cfg.Steps = []Step{Sequence{
			StepOptions: StepOptions{Where: "t.json:7", PauseBefore: time.Minute, MaxRetries: 6}, Name: "both",
			Steps: []Step{cfg.Steps[0], Upload{Trees: []provision.Tree{{Content: []byte("x"), Dest: "/x"}}}, d.local("here", errors.New("no")), d.local("never", nil)},
		}}
		_, err := newBuilder(t, newFake(), m).Build(t.Context(), cfg)
		if want := "provision: t.json:7: no"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if m.awaited != left {
			t.Error("what was left on the machine was not waited for")
		}
		var want diary
		for _, at := range []time.Duration{0, 61, 123, 187, 255, 331, 421} {
			for _, what := range []string{"run", "upload", "here"} {
				want.lines = append(want.lines, (at*time.Second).String()+" "+what)
			}
		}
		if !slices.Equal(d.lines, want.lines) {
			t.Errorf("it did\n%s\nwant\n%s", strings.Join(d.lines, "\n"), strings.Join(want.lines, "\n"))
		}
	})
}

// TestTimeoutOfSequence: the time is of all its steps, and of each try.
func TestTimeoutOfSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		m := &fakeMachine{run: func(ctx context.Context) error { d.note("run"); <-ctx.Done(); return context.Cause(ctx) }}
		cfg := trivial()
		cfg.Steps = []Step{Sequence{
			StepOptions: StepOptions{Where: "t.json:7", Timeout: 10 * time.Second, MaxRetries: 1}, Name: "both",
			Steps: []Step{Pause{For: 4 * time.Second}, cfg.Steps[0]},
		}}
		_, err := newBuilder(t, newFake(), m).Build(t.Context(), cfg)
		if want := "provision: t.json:7: not done after 10s"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if want := []string{"0s run", "11s run"}; !slices.Equal(d.lines, want) {
			t.Errorf("it did %q, want %q", d.lines, want)
		}
	})
}

// TestCheckedHere: what a step on this side lacks is said before anything is made.
func TestCheckedHere(t *testing.T) {
	cloud, cfg := newFake(), trivial()
	lacking := func(context.Context) error { return errors.New("no ansible here") }
	cfg.Steps = append(cfg.Steps, Local{StepOptions: StepOptions{Where: "t.json:7"}, Check: lacking})
	cfg.ErrorSteps = []Step{Local{StepOptions: StepOptions{Where: "t.json:9"}, Check: lacking}}
	_, err := newBuilder(t, cloud, &fakeMachine{}).Build(t.Context(), cfg)
	if want := "plan: t.json:7: no ansible here\nt.json:9: no ansible here"; err == nil || err.Error() != want || len(cloud.calls) > 0 {
		t.Errorf("error %v, want %s; made %v", err, want, cloud.calls)
	}
}
