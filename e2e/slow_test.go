package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// slowly gives a test a cloud of its own that takes as long as delays say.
func slowly(t *testing.T, delays string) {
	t.Helper()
	t.Setenv("IMAGO_LOCAL_DELAYS", delays)
	shared := cloud
	cloud = &localCloud{bin: shared.bin, state: filepath.Join(t.TempDir(), "state")}
	t.Cleanup(func() { cloud.down(); cloud = shared })
	if err := cloud.up(); err != nil {
		t.Fatal(err)
	}
}

// TestKilledWhileWaiting: images that are on their way go, here and in another
// region; the one that was available when the copy began stays.
func TestKilledWhileWaiting(t *testing.T) {
	slowly(t, "available=6s")
	dir := write(t, "t.json", template(admin+`, "ami_regions": ["eu-west-1"]`, ``))
	for n, want := range [][]string{
		{"ami-", "i-", "key-", "sg-", "snap-", "vol-"}, // the first image is on its way
		{"ami-", "key-", "sg-", "snap-"},               // it is available, and its copy is not
	} {
		killedAt(t, dir, "created image", n+1, "build", "--local", "t.json")
		var kinds []string
		for _, id := range collect(t) {
			kind, _, _ := strings.Cut(id, "-")
			kinds = append(kinds, kind+"-")
		}
		slices.Sort(kinds)
		if n == 1 { // the machine may not have gone yet, with its volume
			kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == "i-" || k == "vol-" })
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("killed at image %d: removed %q, want %q", n+1, kinds, want)
		}
	}
	images := 0
	for _, what := range inventory(t) {
		if strings.HasPrefix(what, "image ") {
			images++
		}
	}
	if images != 2 { // the base, and the one that became available
		t.Errorf("%d images are there, want 2", images)
	}
}

// TestSecondSignal: the second ends imago at once, which is before its machine has
// gone, and it prints the command that takes away what it leaves.
func TestSecondSignal(t *testing.T) {
	slowly(t, "terminated=6s")
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo READY", "sleep 300"]}`))
	cmd := exec.CommandContext(t.Context(), cloud.bin, "build", "--local", "t.json")
	cmd.Dir, cmd.Env = dir, cloud.environ()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for in := bufio.NewScanner(stderr); in.Scan(); said.WriteString(in.Text() + "\n") {
		switch {
		case strings.Contains(in.Text(), "READY"):
			cmd.Process.Signal(os.Interrupt)
		case strings.HasPrefix(in.Text(), "imago: canceling"):
			time.Sleep(1500 * time.Millisecond) // a signal that comes twice within a second is one
			cmd.Process.Signal(os.Interrupt)
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 4 {
		t.Errorf("exit %d, want 4", code)
	}
	hint := regexp.MustCompile(`(?m)^imago: hint: imago (gc --local --build [0-9a-f]{12})$`).FindStringSubmatch(said.String())
	left := regexp.MustCompile(`(?m)^imago: left behind: instance i-[0-9a-f]+ in us-east-1 \(amazon-ebs\)$`).MatchString(said.String())
	if hint == nil || !left {
		t.Fatalf("stderr:\n%s", said.String())
	}
	imago(t, "", strings.Fields(hint[1])...)
}
