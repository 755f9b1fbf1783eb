package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// host is what a local cloud could leave on this computer, as text.
func host(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `
		ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/link \1/' | grep -E 'imago|^link (lc|vi)' | sort
		ip -o -4 addr | awk '{print "address", $4}' | grep ' 10\.77\.' | sort
		findmnt -rn -t overlay,nsfs | sort
		nft list tables 2>/dev/null | grep imago | sort
		find /sys/fs/cgroup -type d -name '*imago*' 2>/dev/null | sort
		sysctl -n net.ipv4.ip_forward vm.swappiness fs.file-max kernel.hostname
		stat -c '%n %a %U %t:%T' /dev/null /dev/net/tun /dev/fuse /dev/console 2>/dev/null
		ps -eo args | grep -E '[i]mago-machine|[l]ocal serve' | sort`).Output()
	if err != nil {
		t.Logf("looking at the host: %v", err) // grep finds nothing: fine
	}
	return string(out)
}

// another returns a local cloud beside the suite's own, sharing its base.
func another(t *testing.T) *localCloud {
	t.Helper()
	c := &localCloud{bin: cloud.bin, state: filepath.Join(t.TempDir(), "state")}
	t.Cleanup(c.down)
	if err := c.up(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTwoClouds: clouds with different state directories run side by side, and
// going down leaves nothing on the host that was not there before.
func TestTwoClouds(t *testing.T) {
	before := host(t)
	c := another(t)
	running(t, c)
	if got := host(t); got == before {
		t.Fatal("a second cloud with a running machine looks like none: the comparison sees nothing")
	}
	c.down()
	if after := host(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestKilledServer: kill -9 of the server, then up and down, leaves nothing.
func TestKilledServer(t *testing.T) {
	before := host(t)
	c := another(t)
	running(t, c)
	var status struct{ PID int }
	r := c.exec(t.Context(), "", "local", "status", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &status); err != nil || status.PID < 2 {
		t.Fatalf("imago local status --json: %v in %s%s", err, r.stdout, r.stderr)
	}
	if err := syscall.Kill(status.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := c.exec(t.Context(), "", "local", "up"); r.code != 0 {
		t.Fatalf("imago local up: exit %d\n%s", r.code, r.stderr)
	}
	c.down()
	if after := host(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// running starts a machine in c with awscli.
func running(t *testing.T, c *localCloud) {
	t.Helper()
	r := c.awscli(t, "ec2", "run-instances", "--image-id", baseID, "--instance-type", "t3.micro")
	if r.code != 0 {
		t.Fatalf("run-instances: exit %d\n%s", r.code, r.stderr)
	}
}

// TestLocalAsAnotherUser: without root, `imago local up` says what to do.
func TestLocalAsAnotherUser(t *testing.T) {
	var stderr bytes.Buffer
	bin := filepath.Join(t.TempDir(), "imago")
	if out, err := exec.Command("cp", cloud.bin, bin).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for dir := filepath.Dir(bin); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.Background(), bin, "local", "up")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "IMAGO_STATE_DIR=/nonexistent/state"}
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "sudo") {
		t.Errorf("as nobody: %v, stderr %q, want the word sudo", err, stderr.String())
	}
}
