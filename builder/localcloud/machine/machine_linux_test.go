package machine_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// TestBoot is the life of one machine: login, cloud-init, reboot, stop and start with what it wrote, kill, removal.
func TestBoot(t *testing.T) {
	c := newCloud(t)
	conf := c.config("i-boot")
	c.userData[conf.Addr] = "#cloud-config\nwrite_files: [{path: /etc/from-user-data, content: hello}]\nruncmd: [[touch, /run/ran]]\n"
	if err := c.CheckEgress(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}

	m, sh := c.start(conf) // which logs how long that takes
	wantLines(t, sh.run("cloud-init status --wait >/dev/null; cloud-init status; cat /etc/from-user-data; echo; ls /run/ran; hostname; systemctl is-system-running --wait; systemctl --failed --quiet"),
		"status: done", "hello", "/run/ran", "i-boot", "running")
	if _, err := c.Start(t.Context(), conf); err == nil || err.Error() != "the machine i-boot is running" {
		t.Errorf("a second start: %v", err)
	}

	const boot = "cat /proc/sys/kernel/random/boot_id; journalctl --list-boots | wc -l"
	boots := sh.run(boot)
	sh.run("echo kept | sudo tee /etc/kept; sudo hostnamectl set-hostname renamed")
	keys := sh.run("cat /etc/ssh/ssh_host_*.pub; cat /etc/machine-id")
	sh.try("sudo systemctl reboot")
	<-m.Done()
	if m.Exit() != machine.Reboot {
		t.Fatalf("after a reboot: %v", m.Exit())
	}
	m, sh = c.start(conf)
	if err := m.Stop(within(t, time.Minute), 20*time.Second); err != nil || m.Exit() != machine.Poweroff {
		t.Fatalf("stop: %v, %v", m.Exit(), err)
	}
	m, sh = c.start(conf)
	wantLines(t, sh.run("cat /etc/kept; hostname"), "kept", "renamed")
	if again := sh.run("cat /etc/ssh/ssh_host_*.pub; cat /etc/machine-id"); again != keys {
		t.Errorf("the machine's keys and id changed from\n%s\nto\n%s", keys, again)
	}
	if again := sh.run(boot); again[:36] == boots[:36] || again[36:] != "\n4" {
		t.Errorf("the boot id and number went from\n%s\nto\n%s", boots, again)
	}
	if err := m.Kill(); err != nil || m.Exit() != machine.Killed {
		t.Errorf("kill: %v, %v", m.Exit(), err)
	}

	console, err := c.Console("i-boot")
	if err != nil || strings.Count(string(console), "Welcome to Debian") != 3 || !strings.Contains(string(console), "SSH HOST KEY FINGERPRINTS") {
		t.Errorf("%v, console:\n%s", err, console)
	}
	if err := c.Remove("i-boot"); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(c.dir + "/*"); len(left) > 0 {
		t.Errorf("left after Remove: %q", left)
	}
}

func wantLines(t *testing.T, got string, want ...string) {
	t.Helper()
	if text := strings.Join(want, "\n"); got != text {
		t.Errorf("got:\n%s\nwant:\n%s", got, text)
	}
}

// TestDebian13 boots the other base: its cloud-init runs as one process.
func TestDebian13(t *testing.T) {
	base := suiteOf(t, "debian-13")
	c := newCloud(t)
	_, sh := c.start(c.config("i-13", base))
	wantLines(t, sh.run("cloud-init status --wait >/dev/null; cloud-init status; systemctl is-system-running --wait; . /etc/os-release; echo $VERSION_ID; sudo sysctl -n -w vm.swappiness=7 net.ipv4.tcp_fin_timeout=9; sudo systemctl is-active cron"),
		"status: done", "running", "13", "7", "9", "active")
}
