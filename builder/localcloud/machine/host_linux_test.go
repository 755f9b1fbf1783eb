package machine_test

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// TestKilled kills the process that owns a machine. The machine dies with it, Sweep removes the rest, and the machine's disk
// is there for the next process.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("IMAGO_TEST_OWNER"); dir != "" {
		own(t, dir)
	}
	base := baseOf(t)
	before := inventory(t)
	dir := t.TempDir()
	owner := exec.Command("/proc/self/exe", "-test.run=^TestKilled$")
	owner.Env = append(os.Environ(), "IMAGO_TEST_OWNER="+dir, "IMAGO_TEST_BASE="+base)
	owner.Stderr = os.Stderr
	said, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && lines.Text() != "started" {
		t.Log(lines.Text())
	}
	if err := machine.Sweep(dir); err == nil || !strings.HasPrefix(err.Error(), "sweep "+dir+": a live process of imago has it open: stop that first: ") {
		t.Errorf("sweep under a live process: %v", err)
	}
	if _, err := machine.Open(t.Context(), machine.HostConfig{Dir: dir}); err == nil || !strings.HasPrefix(err.Error(), "state directory "+dir+" is in use by another process of imago: stop it") {
		t.Errorf("open under a live process: %v", err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	for range 2 {
		if err := machine.Sweep(dir); err != nil {
			t.Error(err)
		}
	}
	sameInventory(t, before, inventory(t))
	if text, err := os.ReadFile(filepath.Join(dir, "i-orphan/upper/etc/hostname")); err != nil || string(text) != "orphan\n" {
		t.Errorf("the disk of the machine: %q, %v", text, err)
	}
}

// own is the process that is killed.
func own(t *testing.T, dir string) {
	h, err := machine.Open(t.Context(), machine.HostConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	addr := h.Gateway().Next()
	if _, err := h.Start(t.Context(), machine.Config{ID: "i-orphan", Layers: []string{os.Getenv("IMAGO_TEST_BASE")}, Addr: addr, Hostname: "orphan"}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // so that it has processes, and cgroups within its own
	fmt.Println("started")
	select {}
}

// TestSideBySide opens two hosts at once. Each has its own subnet, and closing one leaves the other's machines on line.
func TestSideBySide(t *testing.T) {
	baseOf(t)
	before := inventory(t)
	t.Run("hosts", func(t *testing.T) {
		a, b := newCloud(t), newCloud(t)
		if a.Prefix().Overlaps(b.Prefix()) {
			t.Fatalf("%s and %s", a.Prefix(), b.Prefix())
		}
		_, shA := a.start(a.config("i-one"))
		_, shB := b.start(b.config("i-one"))
		wantLines(t, shA.run("hostname")+"\n"+shB.run("hostname"), "i-one", "i-one")
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.CheckEgress(within(t, 10*time.Second)); err != nil {
			t.Error(err)
		}
	})
	sameInventory(t, before, inventory(t))
}

// TestFullDisk fills a bounded disk, and captures it.
func TestFullDisk(t *testing.T) {
	c := newCloud(t)
	conf := c.config("i-small")
	conf.DiskBytes = 64 << 20
	m, sh := c.start(conf)
	if out, err := sh.try("dd if=/dev/zero of=fill bs=1M count=100"); err == nil || !strings.Contains(out, "No space left on device") {
		t.Errorf("filling 64 MiB with 100: %v: %s", err, out)
	}
	sh.run("rm fill; echo small | sudo tee /etc/small")
	live, still := filepath.Join(c.dir, "live"), filepath.Join(c.dir, "still")
	if err := c.CaptureLive(t.Context(), "i-small", live); err != nil {
		t.Error(err)
	}
	if err := m.Stop(within(t, time.Minute), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := c.Capture("i-small", still); err != nil {
		t.Fatal(err)
	}
	for _, layer := range []string{live, still} {
		if text, err := os.ReadFile(filepath.Join(layer, "etc/small")); string(text) != "small\n" {
			t.Errorf("%s: %q, %v", layer, text, err)
		}
	}
	conf.Layers = append([]string{still}, conf.Layers...)
	_, sh = c.start(conf)
	wantLines(t, sh.run("cat /etc/small; df --output=size / | tail -1 | awk '{print ($1 < 70000)}'"), "small", "1")
}

// isolated runs the rest of a test in network and mount namespaces of its own, with an empty /run, in another process.
// It is true there, and false in the process that waits for it.
func isolated(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("namespaces need root")
	}
	if os.Getenv("IMAGO_TEST_ISOLATED") == t.Name() {
		if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "IMAGO_TEST_ISOLATED="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Cloneflags: unix.CLONE_NEWNET}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return false
}

// TestForwardDropped opens a host where the computer's firewall, Docker's for example, drops what is forwarded.
func TestForwardDropped(t *testing.T) {
	if !isolated(t) {
		return
	}
	const forward = "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }"
	const docker = forward + "; add chain ip filter DOCKER-USER; insert rule ip filter FORWARD jump DOCKER-USER"
	for _, tc := range []struct{ chain, rules, head string }{
		{"FORWARD", forward, "type filter hook forward priority filter; policy drop;\n"},
		{"DOCKER-USER", docker, ""},
	} {
		nft(t, "flush ruleset; "+tc.rules)
		before := nft(t, "list ruleset")
		h, err := machine.Open(t.Context(), machine.HostConfig{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		tables := strings.Fields(nft(t, "list tables ip"))
		bridge := tables[len(tables)-1]
		rule := ` "` + bridge + `" counter packets 0 bytes 0 accept comment "` + bridge + `"` + "\n"
		want := "table ip filter {\nchain " + tc.chain + " {\n" + tc.head + "oifname" + rule + "iifname" + rule + "}\n}\n"
		if got := strings.ReplaceAll(nft(t, "list chain ip filter "+tc.chain), "\t", ""); got != want {
			t.Errorf("while open:\n%s\nwant:\n%s", got, want)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		wantLines(t, nft(t, "list ruleset"), before)
	}
}

func nft(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("nft", script).CombinedOutput()
	if err != nil {
		t.Fatalf("nft %s: %v: %s", script, err, out)
	}
	return string(out)
}

// TestNoSubnet opens a host beside a network that has all of 10.0.0.0/8, and then beside one that has the first subnets.
func TestNoSubnet(t *testing.T) {
	if !isolated(t) {
		return
	}
	vpn := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "vpn"}}
	if err := netlink.LinkAdd(vpn); err != nil {
		t.Fatal(err)
	}
	addr, _ := netlink.ParseAddr("10.1.2.3/8")
	if err := netlink.AddrAdd(vpn, addr); err != nil {
		t.Fatal(err)
	}
	_, err := machine.Open(t.Context(), machine.HostConfig{Dir: t.TempDir()})
	if err == nil || !strings.HasPrefix(err.Error(), "no free subnet: every 10.77.N.0/24 overlaps an address or a route of this computer") {
		t.Errorf("beside 10.0.0.0/8: %v", err)
	}
	if err := netlink.AddrDel(vpn, addr); err != nil {
		t.Fatal(err)
	}
	addr, _ = netlink.ParseAddr("10.77.1.9/23")
	if err := netlink.AddrAdd(vpn, addr); err != nil {
		t.Fatal(err)
	}
	h, err := machine.Open(t.Context(), machine.HostConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if want := netip.MustParsePrefix("10.77.2.0/24"); h.Prefix() != want {
		t.Errorf("the prefix is %s, want %s", h.Prefix(), want)
	}
	if err := h.CheckEgress(within(t, 10*time.Second)); err == nil || !strings.HasPrefix(err.Error(), "machines cannot reach the internet: ") {
		t.Errorf("egress without a network: %v", err)
	}
}
