//go:build linux

package provision_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// client is OpenSSH's, with the gate's key, and with one connection for all that it does.
type client struct {
	gate    *provision.Gate
	options []string
}

func newClient(t *testing.T, g *provision.Gate) client {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"key": string(g.Key.Private), "known_hosts": fmt.Sprintf("[127.0.0.1]:%d %s\n", g.Port, g.HostKey),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return client{g, []string{
		"-F", "none", "-i", filepath.Join(dir, "key"), "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + filepath.Join(dir, "known_hosts"), "-o", fmt.Sprint("Port=", g.Port),
		"-o", "ControlMaster=auto", "-o", "ControlPersist=60s", "-o", "ControlPath=" + filepath.Join(dir, "c"), "-o", "User=whoever",
	}}
}

// command is a command of the client's on the machine.
func (c client) command(args ...string) *exec.Cmd {
	return exec.Command("ssh", append(append([]string{}, c.options...), append([]string{"127.0.0.1"}, args...)...)...)
}

// TestGate: OpenSSH's client comes to the machine through the gate.
func TestGate(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	g, err := h.OpenGate(provision.GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, g)
	cmd := c.command("pwd; cat; echo wrong >&2; exit 3")
	cmd.Stdin = strings.NewReader("given\n")
	out, err := cmd.CombinedOutput()
	if want := s.Home + "\ngiven\nwrong\n"; string(out) != want || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it said %q with %v, want %q with status 3", out, err, want)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for i := range 10 {
				cmd := c.command("sh -c 'wc -c'")
				cmd.Stdin = strings.NewReader(strings.Repeat("x", i*1000))
				if out, err := cmd.CombinedOutput(); string(out) != fmt.Sprintln(i*1000) {
					t.Errorf("%d bytes: %q, %v", i*1000, out, err)
				}
			}
		})
	}
	all.Wait()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
