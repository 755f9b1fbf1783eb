//go:build linux

package provision_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	if args[0] == "-tt" {
		return c.program("ssh", "-tt", "127.0.0.1", args[1])
	}
	return c.program("ssh", append([]string{"127.0.0.1"}, args...)...)
}

// program is ssh, or what uses it.
func (c client) program(name string, args ...string) *exec.Cmd {
	return exec.Command(name, slices.Concat(c.options, args)...)
}

// TestGate: OpenSSH's client does on the machine what it does at the gate.
func TestGate(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	g, err := h.OpenGate(provision.GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, g)
	cmd := c.command("pwd; cat; echo wrong >&2; exit 3")
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader("given\n"), &stderr
	out, err := cmd.Output()
	if want := s.Home + "\ngiven\n"; string(out) != want || stderr.String() != "wrong\n" || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it said %q and %q with %v, want %q, wrong and status 3", out, &stderr, err, want)
	}
	if out, err := c.command("-tt", "tty; kill -9 $$").CombinedOutput(); !strings.HasPrefix(string(out), "/dev/pts/") || err == nil {
		t.Errorf("in a terminal: %q, %v", out, err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for i := range 10 {
				cmd := c.command("sh -c 'wc -c'")
				cmd.Stdin = strings.NewReader(strings.Repeat("x", i*10_000))
				if out, err := cmd.CombinedOutput(); string(out) != fmt.Sprintln(i*10_000) {
					t.Errorf("%d bytes: %q, %v", i*10_000, out, err)
				}
			}
		})
	}
	all.Wait()
	file := filepath.Join(t.TempDir(), "big")
	noiseFile(t, file, 3<<20)
	for name, copied := range map[string]*exec.Cmd{
		"by sftp": c.program("scp", file, "127.0.0.1:by-sftp"), "by scp": c.program("scp", "-O", file, "127.0.0.1:by-scp"),
	} {
		if out, err := copied.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if out, err := exec.Command("cmp", file, filepath.Join(s.Home, strings.ReplaceAll(name, " ", "-"))).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if out, err := c.command("true").CombinedOutput(); err == nil {
		t.Errorf("it is open when it is closed: %s", out)
	}
}

// TestGateAbandoned: whoever leaves before a command is over has it ended, with
// what it has started, and what was over is not touched.
func TestGateAbandoned(t *testing.T) {
	t.Parallel()
	_, h := machine(t, provisiontest.Options{})
	g, err := h.OpenGate(provision.GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, g)
	if out, err := c.command("setsid sleep 301 > /dev/null 2>&1 < /dev/null & echo on").CombinedOutput(); string(out) != "on\n" {
		t.Fatalf("%q, %v", out, err)
	}
	slow := c.command("trap '' HUP TERM; (sleep 302; true) & echo on; sleep 303; sleep 304")
	out, err := slow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if got := output(t, h, "pgrep -f 'sleep 30[1-4]' | wc -l"); got == "0\n" {
		t.Error("nothing runs")
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	slow.Wait()
	if got := output(t, h, "pgrep -ax sleep"); strings.Join(strings.Fields(got)[1:], " ") != "sleep 301" {
		t.Errorf("still running: %q", got)
	}
	output(t, h, "pkill -x sleep")
}

// TestGateOptions: another port than one that is taken, other keys, another SFTP server.
func TestGateOptions(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{NoSFTP: true})
	first, err := h.OpenGate(provision.GateOptions{KeyType: "rsa"})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	own, err := provision.NewECDSAKey("own")
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.OpenGate(provision.GateOptions{
		Port: first.Port, HostKey: s.HostKey.Private, Authorized: []byte(own.Public), SFTP: "/usr/lib/openssh/sftp-server -e",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Port <= first.Port || second.Port >= first.Port+10 || second.Key.Private != nil || !strings.HasPrefix(s.HostKey.Public, second.HostKey) {
		t.Errorf("port %d after %d, host key %s, private key %q", second.Port, first.Port, second.HostKey, second.Key.Private)
	}
	if out, err := newClient(t, first).command("echo in").CombinedOutput(); err != nil || string(out) != "in\n" {
		t.Errorf("with an RSA key: %q, %v", out, err)
	}
	stranger := newClient(t, second)
	if out, err := stranger.command("echo in").CombinedOutput(); err == nil || !strings.Contains(string(out), "Permission denied") {
		t.Errorf("without the key: %q, %v", out, err)
	}
	second.Key.Private = own.Private
	if out, err := newClient(t, second).program("scp", "/etc/hostname", "127.0.0.1:name").CombinedOutput(); err != nil {
		t.Errorf("with the SFTP server of the options: %v: %s", err, out)
	}
}

// TestGateImpostor: nobody comes through the gate to another machine, whatever he believes himself.
func TestGateImpostor(t *testing.T) {
	t.Parallel()
	real := provisiontest.Start(t, provisiontest.Options{})
	fake := impostor(t, real)
	w := startWire(t, real.Addr, 0)
	h := connect(t, w.addr, real.Identity())
	g, err := h.OpenGate(provision.GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.target.Store(fake.Addr)
	c := newClient(t, g)
	c.options = append([]string{"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"}, c.options...)
	out, err := c.command("true").CombinedOutput()
	if err == nil {
		t.Errorf("it went through: %s", out)
	}
	if err := g.Close(); !errors.Is(err, provision.ErrHostKey) {
		t.Errorf("Close = %v, want %v", err, provision.ErrHostKey)
	}
	heardNothing(t, fake)
}

// TestLogin: what another client needs, unless it could not get there.
func TestLogin(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	host, port, _ := strings.Cut(s.Addr, ":")
	l, ok := h.Login()
	key, _, _ := strings.Cut(s.HostKey.Public, " host")
	if got := fmt.Sprint(l.Host, " ", l.Port, " ", l.User, " ", l.HostKey, " ", string(l.Key)); !ok || got != fmt.Sprint(host, " ", port, " baker ", key, " ", string(s.Key.Private)) {
		t.Errorf("Login = %v, %s", ok, got)
	}
	id := s.Identity()
	id.HostKey = provision.HostKey{Insecure: true}
	if l, ok := connect(t, s.Addr, id).Login(); !ok || l.HostKey != key {
		t.Errorf("without a pinned key: %v, %s; want the key that it has shown", ok, l.HostKey)
	}
	id.Bastion = &provision.Bastion{Addr: s.Addr, Identity: s.Identity()}
	through := connect(t, s.Addr, id)
	if l, ok := through.Login(); ok {
		t.Errorf("through a bastion: %v", l)
	}
	g, err := through.OpenGate(provision.GateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if out, err := newClient(t, g).command("pwd").CombinedOutput(); err != nil || string(out) != s.Home+"\n" {
		t.Errorf("the gate, through a bastion: %q, %v", out, err)
	}
}
