package builder

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagobuild/imago/provision"
)

// TestLease: how long a machine has, from each time it hears from us.
func TestLease(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Builder, *Config)
		want   time.Duration
	}{
		"default":   {func(*Builder, *Config) {}, time.Hour},
		"chosen":    {func(b *Builder, _ *Config) { b.OrphanTimeout = time.Minute }, time.Minute},
		"for ever":  {func(b *Builder, _ *Config) { b.OrphanTimeout = -1 }, 0},
		"abort":     {func(b *Builder, _ *Config) { b.OnError = Abort }, Lifetime},
		"for debug": {func(b *Builder, _ *Config) { b.PauseAt = func(context.Context, Stage) {} }, Lifetime},
		"spot":      {func(_ *Builder, c *Config) { c.Instance.Spot = &Spot{} }, time.Hour + DefaultImageTimeout},
		"pause":     {func(_ *Builder, c *Config) { c.SSH.PauseBeforeConnecting = time.Hour }, 2 * time.Hour},
	} {
		b, cfg := &Builder{}, trivial()
		tt.change(b, &cfg)
		p := Plan{Config: cfg}
		if got := b.lease(p); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		if first := b.firstLease(p); first != tt.want+DefaultSSHTimeout && first != 0 {
			t.Errorf("%s: %v from the boot on", name, first)
		}
	}
}

// TestSpeakFor: the machine hears from us at once and then well before its time
// is over, as long as the build takes and no longer; when the connection is
// lost under a script, over another.
func TestSpeakFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := make(chan struct{})
		first, second := &fakeMachine{done: lost}, &fakeMachine{}
		first.run = func(context.Context) error {
			time.Sleep(12 * time.Minute) // heard at 0, 5 and 10 minutes
			close(lost)
			time.Sleep(10 * time.Minute) // at 15 and 20
			return errors.New("over")
		}
		b := newBuilder(t, newFake(), first)
		machines := []Machine{first, second}
		b.Dial = func(context.Context, string, provision.Identity) (Machine, error) {
			m := machines[0]
			machines = machines[1:]
			return m, nil
		}
		b.Build(t.Context(), trivial())
		time.Sleep(time.Hour)
		want := renewal(time.Hour)
		if !slices.Equal(first.said, []string{want, want, want}) || !slices.Equal(second.said, []string{want, want}) {
			t.Errorf("the machine heard from us %d times, and %d over the second connection", len(first.said), len(second.said))
		}
	})
}

// TestLeaseScript runs the count itself, in a directory of its own and ten times as fast.
func TestLeaseScript(t *testing.T) {
	for name, says := range map[string][]string{ // one each 0.4 s
		"nobody speaks": nil, "garbage": {"x", "", "99999999999", "08"},
		"somebody does, and stops": {"9", "9", "9", "9", "9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			run, ended := filepath.Join(dir, "imago"), filepath.Join(dir, "ended")
			script := strings.NewReplacer(
				"/run/imago", run, "/dev/console", filepath.Join(dir, "console"),
				`sleep "$tick"`, "sleep 0.1; tick=1", "systemctl poweroff", "touch "+ended,
			).Replace(leaseScript)
			start := func() {
				if out, err := exec.Command("sh", "-c", script, "lease", "6").CombinedOutput(); err != nil || len(out) > 0 {
					t.Fatalf("%v: %s", err, out)
				}
			}
			start()
			start() // a second time it counts no faster
			for _, s := range says {
				if err := os.WriteFile(filepath.Join(run, "lease"), []byte(s+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				time.Sleep(400 * time.Millisecond)
			}
			_, err := os.Stat(ended)
			if len(says) > 3 && says[0] == "9" && err == nil {
				t.Error("it ended although somebody spoke for it")
			}
			for deadline := time.Now().Add(20 * time.Second); os.IsNotExist(err) && time.Now().Before(deadline); _, err = os.Stat(ended) {
				time.Sleep(50 * time.Millisecond)
			}
			if err != nil {
				t.Error("it does not end")
			}
		})
	}
}
