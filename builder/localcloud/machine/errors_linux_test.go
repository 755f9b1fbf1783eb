package machine_test

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// TestRefused holds the messages for what people meet.
func TestRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("machines need root")
	}
	dir := t.TempDir()
	open := func(c machine.HostConfig) error {
		h, err := machine.Open(t.Context(), c)
		return errors.Join(err, closeHost(h))
	}
	build := func(c machine.BaseConfig) error {
		_, err := machine.BuildBase(t.Context(), c)
		return err
	}
	for _, tc := range []struct {
		name string
		try  func() error
		want string
	}{
		{"no directory", func() error { return open(machine.HostConfig{}) }, "local machines need a state directory"},
		{"not root", func() error { return asNobody(func() error { return open(machine.HostConfig{Dir: dir}) }) },
			"local machines need root (namespaces, mounts, a bridge): run it again with sudo"},
		{"base not as root", func() error {
			return asNobody(func() error { return build(machine.BaseConfig{Suite: "debian-12", Dir: dir}) })
		}, "building a base needs root: run it again with sudo"},
		{"unknown base", func() error { return build(machine.BaseConfig{Suite: "plan-9", Dir: dir}) },
			`there is no base "plan-9": the bases are debian-12 and debian-13`},
		{"no mmdebstrap", func() error {
			t.Setenv("PATH", dir)
			return build(machine.BaseConfig{Suite: "debian-12", Dir: dir})
		}, "build the base bookworm: mmdebstrap, which makes the base, is not on this computer: apt-get install mmdebstrap"},
		{"flatten nothing", func() error { return machine.Flatten(t.Context(), nil, dir) }, "flatten: there are no layers"},
		{"flatten over something", func() error { return machine.Flatten(t.Context(), []string{dir}, dir) }, "flatten: " + dir + " exists"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.try(); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func closeHost(h *machine.Host) error {
	if h == nil {
		return nil
	}
	return h.Close()
}

// asNobody runs f as an ordinary user, on this thread only.
func asNobody(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const keep, nobody = ^uintptr(0), 65534
	unix.RawSyscall(unix.SYS_SETRESUID, keep, nobody, keep)
	defer unix.RawSyscall(unix.SYS_SETRESUID, keep, 0, keep)
	return f()
}

// TestStartRefused starts machines that cannot be. Nothing of them is left.
func TestStartRefused(t *testing.T) {
	c := newCloud(t)
	empty := t.TempDir()
	addr := c.Gateway().Next()
	all := machine.Config{ID: "../x", Layers: []string{empty + "/none"}, Addr: netip.MustParseAddr("192.0.2.1")}
	_, err := c.Start(t.Context(), all)
	wantLines(t, err.Error(),
		`machine id "../x": use letters, digits, '.', '_' and '-', at most 63 of them`,
		"machine ../x: its layer "+empty+"/none is not a directory",
		"machine ../x: its address 192.0.2.1 is not a free one of "+c.Prefix().String())

	_, err = c.Start(t.Context(), machine.Config{ID: "i-empty", Layers: []string{empty}, Addr: addr, Hostname: "x"})
	if err == nil || !strings.HasPrefix(err.Error(), "start the machine i-empty: ") || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("a machine of an empty layer: %v", err)
	}
	if _, err := c.Start(within(t, time.Nanosecond), machine.Config{ID: "i-late", Layers: []string{c.base}, Addr: addr, Hostname: "x"}); err == nil || !strings.Contains(err.Error(), "context deadline exceeded") {
		t.Errorf("a start that was too late: %v", err)
	}
	for _, id := range []string{"i-empty", "i-late"} {
		if err := c.Remove(id); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Start(t.Context(), machine.Config{ID: "i-late", Layers: []string{c.base}, Addr: addr, Hostname: "x"}); err != nil {
		t.Errorf("a start after refused ones: %v", err)
	}
}
