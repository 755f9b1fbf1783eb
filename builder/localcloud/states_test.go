package localcloud

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

func TestStatesOfAnInstance(t *testing.T) {
	c := openTest(t, func(o *Options) {
		o.Delays = map[string]time.Duration{"stopped": 50 * time.Millisecond, "terminated": 50 * time.Millisecond}
	})
	id := c.run(c.base())
	change := func(action string, pairs ...string) string {
		t.Helper()
		item := c.ok(action, append([]string{"InstanceId.1", id}, pairs...)...).all("instancesSet/item")[0]
		return item.text("previousState/name") + " " + item.text("currentState/code") + " " + item.text("currentState/name")
	}
	expect := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect(change("StartInstances"), "running 16 running")
	expect(change("StopInstances"), "running 64 stopping")
	c.until(id, "stopped")
	described := c.ok("DescribeInstances", "InstanceId.1", id).all("reservationSet/item/instancesSet/item")[0]
	expect(described.text("instanceState/code"), "80")
	expect(described.text("stateReason/code"), "Client.UserInitiatedShutdown")
	expect(described.text("ipAddress"), "")
	expect(described.text("privateIpAddress"), "127.77.0.2")
	if reason := described.text("reason"); !strings.HasPrefix(reason, "User initiated (") {
		t.Errorf("reason is %q", reason)
	}
	expect(c.fault("RebootInstances", "InstanceId.1", id),
		"400 IncorrectInstanceState: The instance '"+id+"' is not in a state from which it can be rebooted: it is stopped.")
	expect(change("StartInstances"), "stopped 0 pending")
	c.until(id, "running")
	expect(change("TerminateInstances"), "running 32 shutting-down")
	expect(c.fault("StartInstances", "InstanceId.1", id),
		"400 IncorrectInstanceState: The instance '"+id+"' is not in a state from which it can be started: it is shutting-down.")
	c.until(id, "terminated")
	expect(change("TerminateInstances"), "terminated 48 terminated")
	if volumes := c.ok("DescribeVolumes").all("volumeSet/item"); len(volumes) != 0 {
		t.Errorf("%d volumes are left", len(volumes))
	}
	expect(strings.Join(c.machines.removed, " "), id)
	expect(c.fault("StopInstances", "InstanceId.1", "i-00000000000000000"),
		"400 InvalidInstanceID.NotFound: The instance ID 'i-00000000000000000' does not exist")
}

func TestTerminatedInstancesAreListedForAnHour(t *testing.T) {
	c := openTest(t)
	id := c.run(c.base())
	c.ok("TerminateInstances", "InstanceId.1", id)
	c.until(id, "terminated")
	c.mu.Lock()
	c.now = func() time.Time { return time.Now().Add(10 * time.Minute) } // within the skew of a signature
	c.state.Instances[id].TerminatedAt = time.Now().Add(-55 * time.Minute)
	c.mu.Unlock()
	if all := c.ok("DescribeInstances").all("reservationSet/item"); len(all) != 0 {
		t.Error("it is still listed after an hour")
	}
}

func TestMachineThatEndsByItself(t *testing.T) {
	c := openTest(t)
	image := c.base()
	for name, test := range map[string]struct {
		behavior, want, reason string
		exit                   machine.Exit
	}{
		"powers off":                    {"stop", "stopped", "Client.InstanceInitiatedShutdown", machine.Poweroff},
		"powers off and is not kept":    {"terminate", "terminated", "Client.InstanceInitiatedShutdown", machine.Poweroff},
		"dies":                          {"stop", "stopped", "Client.InstanceInitiatedShutdown", machine.Killed},
		"reboots, whatever the setting": {"terminate", "running", "", machine.Reboot},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.with(t)
			id := c.run(image, "InstanceInitiatedShutdownBehavior", test.behavior)
			c.machines.guest(id).end(test.exit)
			if test.want == "running" {
				eventually(t, "it is started again", func() bool { return len(c.machines.startsOf(id)) == 2 })
			}
			c.until(id, test.want)
			got := c.ok("DescribeInstances", "InstanceId.1", id).text("reservationSet/item/instancesSet/item/stateReason/code")
			if got != test.reason {
				t.Errorf("the reason is %q, want %q", got, test.reason)
			}
		})
	}
}

func TestRebootFromOutside(t *testing.T) {
	c := openTest(t)
	id := c.run(c.base())
	c.ok("RebootInstances", "InstanceId.1", id)
	eventually(t, "it is started again", func() bool { return len(c.machines.startsOf(id)) == 2 })
	c.until(id, "running")
}

func TestMachineThatDoesNotStart(t *testing.T) {
	c := openTest(t)
	image := c.base()
	kept := c.run(image)
	c.ok("StopInstances", "InstanceId.1", kept)
	c.until(kept, "stopped")
	c.machines.mu.Lock()
	c.machines.startErr = errors.New("no memory")
	c.machines.mu.Unlock()

	c.ok("StartInstances", "InstanceId.1", kept)
	id := c.ok("RunInstances", "ImageId", image, "MinCount", "1", "MaxCount", "1").text("instancesSet/item/instanceId")
	c.until(id, "terminated")
	c.until(kept, "stopped")
	for _, one := range []string{id, kept} {
		item := c.ok("DescribeInstances", "InstanceId.1", one).all("reservationSet/item/instancesSet/item")[0]
		if got, want := item.text("stateReason/message"), "Server.InternalError: Internal error on launch: no memory"; got != want {
			t.Errorf("%s: the reason is %q, want %q", one, got, want)
		}
	}
}

func TestTerminateDuringADelay(t *testing.T) {
	for _, state := range []string{"running", "ssh"} {
		t.Run(state, func(t *testing.T) {
			c := openTest(t, func(o *Options) { o.Delays = map[string]time.Duration{state: time.Hour} })
			id := c.ok("RunInstances", "ImageId", c.base(), "MinCount", "1", "MaxCount", "1").text("instancesSet/item/instanceId")
			if state == "ssh" {
				c.until(id, "running")
			}
			c.ok("TerminateInstances", "InstanceId.1", id)
			c.until(id, "terminated")
			if n := len(c.machines.startsOf(id)); n != 0 {
				t.Errorf("its machine was started %d times", n)
			}
		})
	}
}

// slowGuest takes its time to shut down.
type slowGuest struct {
	*fakeGuest
	takes time.Duration
}

func (g slowGuest) Stop(ctx context.Context, grace time.Duration) error {
	time.Sleep(g.takes)
	return g.fakeGuest.Stop(ctx, grace)
}

// TestDelayHoldsTheShutdown: a machine that shuts down meanwhile makes a delay no
// longer, as an AWS state's time holds the machine's; one that takes longer does.
func TestDelayHoldsTheShutdown(t *testing.T) {
	for takes, want := range map[time.Duration]time.Duration{time.Second: 7 * time.Second, 9 * time.Second: 9 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(Options{StateDir: t.TempDir(), Delays: map[string]time.Duration{stopped: 7 * time.Second}})
			c.state = newState()
			c.state.Instances["i-1"] = &instance{ID: "i-1", State: stopping}
			l := c.lifeOf("i-1")
			l.guest = slowGuest{&fakeGuest{done: make(chan struct{})}, takes}
			start := time.Now()
			c.settle(t.Context(), "i-1", l)
			if got := time.Since(start); got != want || c.state.Instances["i-1"].State != stopped {
				t.Errorf("a machine that shuts down in %v is %s after %v, want %v", takes, c.state.Instances["i-1"].State, got, want)
			}
		})
	}
}

func TestCaptureRestartsTheMachine(t *testing.T) {
	c := openTest(t)
	id := c.run(c.base())
	if err := os.WriteFile(filepath.Join(c.machines.dir, id, "written"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	inst := c.state.Instances[id]
	c.mu.Unlock()
	layers, err := c.capture(t.Context(), inst, "layer-1", false)
	if diff := cmp.Diff([]string{"layer-1", "cache/debian-12-0123"}, layers); err != nil || diff != "" {
		t.Fatalf("%v, layers -want +got:\n%s", err, diff)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "state", "layers", "layer-1", "written")); err != nil {
		t.Error(err)
	}
	starts := c.machines.startsOf(id)
	if len(starts) != 2 || len(starts[1].Layers) != 2 || c.instanceState(id) != "running" {
		t.Errorf("after the capture: %s, started with %+v", c.instanceState(id), starts)
	}
	layers, err = c.capture(t.Context(), inst, "layer-2", true)
	if diff := cmp.Diff([]string{"layer-2", "layer-1", "cache/debian-12-0123"}, layers); err != nil || diff != "" {
		t.Errorf("%v, layers -want +got:\n%s", err, diff)
	}
	if n := len(c.machines.startsOf(id)); n != 2 {
		t.Errorf("a capture without a reboot left it with %d starts", n)
	}
}

func TestMachineThatDoesNotStopIsHurried(t *testing.T) {
	c := openTest(t)
	image := c.base()
	for name, hurry := range map[string][]string{
		"by force":   {"StopInstances", "Force", "true"},
		"by its end": {"TerminateInstances"},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.with(t)
			id := c.run(image)
			g := c.machines.guest(id)
			g.stubborn.Store(true)
			c.ok("StopInstances", "InstanceId.1", id)
			eventually(t, "the machine is asked to stop", func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.lives[id].ending != nil
			})
			if state := c.instanceState(id); state != "stopping" {
				t.Errorf("it is %s, want stopping", state)
			}
			c.ok(hurry[0], append([]string{"InstanceId.1", id}, hurry[1:]...)...)
			<-g.done
			if g.exit != machine.Killed {
				t.Errorf("the machine was %s, want killed", g.exit)
			}
			want := map[string]string{"StopInstances": "stopped", "TerminateInstances": "terminated"}[hurry[0]]
			c.until(id, want)
		})
	}
}
