package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imagobuild/imago/provision/provisiontest"
)

var (
	cutBakes = flag.Int("cut-bakes", 1, "how many bakes TestCut does")
	cutSeed  = flag.Uint64("cut-seed", 0, "what its moments are made of; 0: another each time")
)

const (
	cutsPerBake = 20
	cutWithin   = 12 * time.Second // what is uploaded and run takes longer
)

// TestCut cuts the connection at 20 random moments of a bake, while a tree is
// uploaded and while scripts run: the bake succeeds, each script has run once,
// all of its output has come once and in order, and the tree is whole.
func TestCut(t *testing.T) {
	from := *cutSeed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("to cut at the same moments again: -cut-seed %d", from)
	r := rand.New(rand.NewPCG(from, 1))
	for range *cutBakes {
		cutBake(t, r)
	}
}

func cutBake(t *testing.T, r *rand.Rand) {
	leavesNothing(t)
	const counted = 600
	dir := write(t, "tree/a/small", "small\n", "tree/b/empty", "")
	noise := make([]byte, 24<<20)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	for i := range 6 {
		if err := os.WriteFile(filepath.Join(dir, "tree", fmt.Sprint("noise", i)), noise[i<<22:(i+1)<<22], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	way := startRelay(t, 8<<20)
	text := template(admin+way.options(), fmt.Sprintf(`
		{"type": "file", "source": "tree", "destination": "/home/admin/tree"},
		{"type": "shell", "inline": ["echo ran >> ~/first", "for i in $(seq %d); do echo out-$i; echo err-$i >&2; sleep 0.02; done"]},
		{"type": "shell", "execute_command": "sudo -n env {{ .Vars }} sh {{ .Path }}", "environment_vars": ["A=b"],
		 "inline": ["echo ran $A $(id -un) >> ~admin/second", "for i in $(seq 100); do echo root-$i; sleep 0.02; done"]},
		{"type": "shell", "inline": ["cd ~/tree && find . -type f | sort | xargs sha256sum > ~/sums"]},
		{"type": "file", "direction": "download", "source": "/home/admin/sums", "destination": "sums"},
		{"type": "file", "direction": "download", "source": "/home/admin/first", "destination": "first"},
		{"type": "file", "direction": "download", "source": "/home/admin/second", "destination": "second"}`, counted))
	if err := os.WriteFile(filepath.Join(dir, "t.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cuts, stop := way.cutAtRandom(r)
	built := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
	stop()
	if built.code != 0 {
		t.Fatalf("exit %d after %d cuts:\n%s", built.code, *cuts, built.stderr)
	}
	removeImage(t, strings.TrimSpace(built.stdout))
	t.Logf("cut %d times in %v", *cuts, built.took)
	if *cuts < cutsPerBake {
		t.Errorf("cut %d times only", *cuts)
	}
	for prefix, n := range map[string]int{"out-": counted, "err-": counted, "root-": 100} {
		var want []string
		for i := range n {
			want = append(want, fmt.Sprint(prefix, i+1))
		}
		if got := lines(built.stderr, prefix); !slices.Equal(got, want) {
			t.Errorf("of the script's lines came %q", got)
		}
	}
	sums := exec.Command("sh", "-c", "cd tree && find . -type f | sort | xargs sha256sum")
	sums.Dir = dir
	want, err := sums.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"sums": string(want), "first": "ran\n", "second": "ran b root\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s is %q (%v), want %q", file, got, err, want)
		}
	}
}

// cutAtRandom cuts a relay at random moments of the first seconds that it is used.
func (r *relay) cutAtRandom(random *rand.Rand) (cuts *int, stop func()) {
	cuts = new(int)
	moments := make([]time.Duration, cutsPerBake)
	for i := range moments {
		moments[i] = time.Duration(random.Int64N(int64(cutWithin)))
	}
	slices.Sort(moments)
	ended := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		var begun time.Time
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for *cuts < len(moments) {
			select {
			case <-tick.C:
			case <-ended:
				return
			}
			if begun.IsZero() && r.busy() {
				begun = time.Now()
			}
			if !begun.IsZero() && time.Since(begun) >= moments[*cuts] && r.busy() {
				r.cut()
				*cuts++
			}
		}
	})
	return cuts, func() { close(ended); cutter.Wait() }
}

// busy says whether anything is connected.
func (r *relay) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open) > 0
}

// TestReboot: a step after one that reboots the machine begins in another boot,
// whether the script sees that or has ended before.
func TestReboot(t *testing.T) {
	leavesNothing(t)
	for name, reboot := range map[string]string{
		"at once": "sudo systemctl reboot", "in the script": "sudo systemctl reboot; sleep 300",
		"as root": "sudo reboot -f",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			boot := `$(cat /proc/sys/kernel/random/boot_id) $(cut -d' ' -f22 /proc/1/stat)`
			dir := write(t, "t.json", template(admin, `
				{"type": "shell", "inline": ["echo `+boot+` > ~/boot"]},
				{"type": "shell", "expect_disconnect": true, "inline": ["`+reboot+`"]},
				{"type": "shell", "inline": ["echo before $(cat ~/boot)", "echo after `+boot+`", "test \"$(cat ~/boot)\" != \"`+boot+`\"", "ls -d /tmp/imago-*/state", "cloud-init status --wait > /dev/null"]}`))
			r := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
			if r.code != 0 {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			removeImage(t, strings.TrimSpace(r.stdout))
			if states := lines(r.stderr, "/tmp/imago-"); len(states) != 1 {
				t.Errorf("scripts on the machine after the reboot: %q, want only the one that asks", states)
			}
			t.Logf("%q, %q", lines(r.stderr, "before "), lines(r.stderr, "after "))
		})
	}
}

// TestRebootNotExpected: a script under which the machine reboots has not succeeded.
func TestRebootNotExpected(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["sudo reboot -f", "sleep 300"]}`))
	r := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
	if r.code != 1 || !strings.Contains(r.stderr, "the machine rebooted under it") {
		t.Errorf("exit %d, want 1 and that the machine rebooted:\n%s", r.code, r.stderr)
	}
}

// TestManInTheMiddle has another real sshd at the address where the build looks
// for its machine. It lets in whoever comes, and nobody does.
func TestManInTheMiddle(t *testing.T) {
	leavesNothing(t)
	fake := provisiontest.Start(t, provisiontest.Options{Config: []string{"LogLevel DEBUG3", "PasswordAuthentication yes"}})
	host, port, _ := strings.Cut(fake.Addr, ":")
	dir := write(t, "t.json", template(admin+fmt.Sprintf(`, "ssh_host": %q, "ssh_port": %s`, host, port), `{"type": "shell", "inline": ["echo SECRET"]}`))
	r := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
	if r.code != 1 || !strings.Contains(r.stderr, "(host key): another machine answers, somebody is in between, or ") || !strings.Contains(r.stderr, fake.HostKey.Fingerprint) {
		t.Errorf("exit %d, want 1 and the key of the wrong machine, %s:\n%s", r.code, fake.HostKey.Fingerprint, r.stderr)
	}
	log := fake.Log()
	if !strings.Contains(log, "SSH2_MSG_KEXINIT received") {
		t.Errorf("it has not been spoken to:\n%s", log)
	}
	for _, told := range []string{"userauth-request", "service-request", "SECRET"} {
		if strings.Contains(log, told) {
			t.Errorf("it has heard a %s:\n%s", told, log)
		}
	}
}

// TestStalledPhases: a machine that never lets us in yields how far we came, and its console's end.
func TestStalledPhases(t *testing.T) {
	leavesNothing(t)
	for name, tt := range map[string]struct{ options, want string }{
		"refused": {`, "ssh_timeout": "20s", "user_data": "#cloud-config\nbootcmd: [[systemctl, mask, --now, ssh.service, ssh.socket]]\n"`, "(refused): the machine is there, and nothing listens at port 22"},
		"login":   {`, "ssh_handshake_attempts": 60, "ssh_timeout": "1m"`, `(login): the machine does not know us: is "nobody-of-that-name" the image's user`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := admin + tt.options
			if name == "login" {
				options = strings.Replace(options, `"admin"`, `"nobody-of-that-name"`, 1)
			}
			dir := write(t, "t.json", template(options, ``))
			r := cloud.exec(t.Context(), dir, "build", "--local", "t.json")
			if r.code != 1 || !strings.Contains(r.stderr, tt.want) || !strings.Contains(r.stderr, "the last lines on the machine's console:") {
				t.Errorf("exit %d, want 1, %q and the console's end:\n%s", r.code, tt.want, r.stderr)
			}
		})
	}
}
