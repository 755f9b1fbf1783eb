package machine_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/localcloud/machine"
)

// TestCapture captures a stopped machine and a running one, and boots machines from what was captured, all at once.
func TestCapture(t *testing.T) {
	c := newCloud(t)
	conf := c.config("i-first")
	m, sh := c.start(conf)
	sh.run("echo one | sudo tee /srv/file; sudo rm /etc/issue; sudo cp /usr/bin/python3 /srv/low; sudo setcap cap_net_raw+ep /srv/low")
	if err := c.Capture("i-first", filepath.Join(c.dir, "x")); err == nil || err.Error() != "capture: the machine i-first is running: stop it first" {
		t.Errorf("capture of a running machine: %v", err)
	}
	live, still := filepath.Join(c.dir, "live"), filepath.Join(c.dir, "still")
	began := time.Now()
	if err := c.CaptureLive(within(t, 20*time.Second), "i-first", live); err != nil {
		t.Fatal(err)
	}
	t.Logf("captured alive in %v", time.Since(began))
	sh.run("echo two | sudo tee /srv/file")
	if err := m.Stop(within(t, time.Minute), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	if err := c.Capture("i-first", still); err != nil {
		t.Fatal(err)
	}
	t.Logf("captured in %v", time.Since(began))

	conf.Layers = []string{still, c.base} // the captured machine goes on from its image
	confs := []machine.Config{conf, c.config("i-two", still, c.base), c.config("i-three", still, c.base), c.config("i-live", live, c.base)}
	shells := c.startAll(confs)
	for i, file := range []string{"two", "two", "two", "one"} {
		wantLines(t, shells[i].run("cat /srv/file; ls /etc/issue 2>&1; /sbin/getcap /srv/low; hostname"),
			file, "ls: cannot access '/etc/issue': No such file or directory", "/srv/low cap_net_raw=ep", confs[i].ID)
	}
	const identity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"
	if a, b := shells[1].run(identity), shells[2].run(identity); a == b {
		t.Errorf("two machines from one image have the same identity: %s", a)
	}
}

// startAll starts machines at once, and logs in to each.
func (c *cloud) startAll(confs []machine.Config) []*shell {
	c.t.Helper()
	began := time.Now()
	for _, conf := range confs {
		if _, err := c.Start(c.t.Context(), conf); err != nil {
			c.t.Fatal(err)
		}
	}
	shells := make([]*shell, len(confs))
	for i, conf := range confs {
		shells[i] = c.login(conf)
	}
	c.t.Logf("%d machines: start to the last login %v", len(confs), time.Since(began).Round(time.Millisecond))
	return shells
}

// changes are what ten images, each made of the one before, do to the disk: they add, remove and replace.
func changes() []string {
	return []string{
		"mkdir -p /srv/list /srv/gone /srv/moved; touch /srv/gone/a /srv/gone/b /srv/moved/file; echo x >/srv/turn; rm -r /usr/share/doc/apt",
		"rm -r /srv/gone; rm /srv/turn; mkdir /srv/turn; touch /srv/turn/in",
		"mkdir /srv/gone; touch /srv/gone/c; rm -r /srv/turn; ln -s list /srv/turn",
		"rm /srv/gone/c; mv /srv/moved /srv/elsewhere; mv /srv/elsewhere /srv/moved; chown www-data /srv/moved",
		"rm -r /etc/apt/apt.conf.d; mkdir -p /usr/share/doc/apt; touch /usr/share/doc/apt/new",
		"mkdir /etc/apt/apt.conf.d; touch /etc/apt/apt.conf.d/10mine; ln /srv/list/4 /srv/hard",
		"rm /etc/apt/apt.conf.d/10mine; chmod 750 /srv/list",
		"mv /opt /opt2; mkdir /opt; touch /opt/mine",
		"rmdir /opt2; echo moved >/srv/moved/file; rm -r /usr/share/doc/adduser; echo f >/usr/share/doc/adduser",
		"truncate -s 10M /srv/sparse; chmod 755 /srv/list",
	}
}

// runAsInit runs a script in a machine, in the place of systemd, until it ends.
func (c *cloud) runAsInit(conf machine.Config, script string) {
	c.t.Helper()
	layer := c.t.TempDir()
	init := filepath.Join(layer, "usr/sbin/init")
	if err := os.MkdirAll(filepath.Dir(init), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(init, []byte("#!/bin/sh -ex\n"+script+"\necho done\n"), 0o755); err != nil {
		c.t.Fatal(err)
	}
	conf.Layers = append([]string{layer}, conf.Layers...)
	m, err := c.Start(c.t.Context(), conf)
	if err != nil {
		c.t.Fatal(err)
	}
	<-m.Done()
	if console, _ := c.Console(conf.ID); !bytes.HasSuffix(console, []byte("+ echo done\r\ndone\r\n")) {
		c.t.Fatalf("%s:\n%s", script, console)
	}
}

// TestLayers stacks the layers of ten images, and makes one layer of them that shows the same.
func TestLayers(t *testing.T) {
	c := newCloud(t)
	conf := c.config("i-deep")
	for n, script := range changes() {
		c.runAsInit(conf, fmt.Sprintf("%s; echo %d >/srv/list/%[2]d", script, n))
		layer := filepath.Join(c.dir, fmt.Sprintf("layer%d", n))
		if err := c.Capture(conf.ID, layer); err != nil {
			t.Fatal(err)
		}
		conf.Layers = append([]string{layer}, conf.Layers...)
	}
	above, whole := filepath.Join(c.dir, "above"), filepath.Join(c.dir, "whole")
	began := time.Now()
	if err := machine.Flatten(t.Context(), conf.Layers[:10], above); err != nil {
		t.Fatal(err)
	}
	t.Logf("ten layers flattened in %v", time.Since(began))
	if err := machine.Flatten(t.Context(), conf.Layers, whole); err != nil {
		t.Fatal(err)
	}

	shells := c.startAll([]machine.Config{conf, c.config("i-above", above, c.base), c.config("i-whole", whole)})
	const look = "find /srv /opt /etc /usr/share -printf '%p %y %m %u %l\\n' | sort; cd /srv; cat list/* moved/file; stat -c '%h %s %b' hard sparse; find . -type f -printf '%p %s %T@\\n' | sort"
	want := shells[0].run(asRoot(look))
	for i, name := range []string{"above the base", "with the base"} {
		if diff := cmp.Diff(want, shells[i+1].run(asRoot(look))); diff != "" {
			t.Errorf("flattened %s (-ten layers +one):\n%s", name, diff)
		}
	}
	wantLines(t, shells[2].run("cat /srv/list/*; ls /srv /opt /etc/apt/apt.conf.d; ls -d /usr/share/doc/a[dp]*; stat -c '%h %s %b' /srv/hard /srv/sparse"),
		"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
		"/etc/apt/apt.conf.d:", "", "/opt:", "mine", "", "/srv:", "gone", "hard", "list", "moved", "sparse", "turn",
		"/usr/share/doc/adduser", "/usr/share/doc/apt", "2 2 8", "1 10485760 0")
}
