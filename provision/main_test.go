//go:build linux

package provision_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// connect dials as id, and hangs up at the end of the test.
func connect(t *testing.T, addr string, id provision.Identity) *provision.Host {
	t.Helper()
	h, err := provision.Dial(context.Background(), addr, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// machine starts a server and connects to it as User.
func machine(t *testing.T, o provisiontest.Options) (*provisiontest.Server, *provision.Host) {
	t.Helper()
	s := provisiontest.Start(t, o)
	return s, connect(t, s.Addr, s.Identity())
}

// output runs a command that has to succeed.
func output(t *testing.T, h *provision.Host, command string) string {
	t.Helper()
	out, err := h.Output(context.Background(), command)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// waitGone returns once dir is empty: what the machine clears away by itself may take a moment.
func waitGone(t *testing.T, dir string) {
	t.Helper()
	var left []os.DirEntry
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var err error
		if left, err = os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("left in %s: %v", dir, left)
}
