package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

var claimants = flag.Int("claimants", 6, "how many bakes of one image TestClaim starts at once")

// contest is several bakes of one image by processes of their own.
type contest struct {
	*testing.T
	name, dir string
}

// newContest is one over an image that no other contest makes.
func newContest(t *testing.T, name, script string) contest {
	return contest{t, name, write(t, "t.json", template(
		admin+fmt.Sprintf(`, "run_tags": {"Contest": %q}`, name),
		fmt.Sprintf(`{"type": "shell", "inline": ["echo %s", %q]}`, name, script)))}
}

func (c contest) filters() []types.Filter {
	return []types.Filter{{Name: aws.String("tag:Contest"), Values: []string{c.name}}}
}

// machines are all that were launched, also those that have gone.
func (c contest) machines() []types.Instance {
	c.Helper()
	out, err := client(c.T).DescribeInstances(after(c.T), &ec2.DescribeInstancesInput{Filters: c.filters()})
	if err != nil {
		c.Fatal(err)
	}
	return instances(out)
}

// won checks that id is the only image, of which there is to be one, and takes it away in the end.
func (c contest) won(id string) {
	c.Helper()
	out, err := client(c.T).DescribeImages(after(c.T), &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: c.filters()})
	if err != nil {
		c.Fatal(err)
	}
	for _, i := range out.Images {
		removeImage(c.T, *i.ImageId)
	}
	if len(out.Images) != 1 || *out.Images[0].ImageId != id {
		c.Errorf("there are %d images, want only %s", len(out.Images), id)
	}
}

// claimant is a bake under way.
type claimant struct {
	contest
	cmd    *exec.Cmd
	ended  chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
	stdout bytes.Buffer
}

// begin starts a bake.
func (c contest) begin() *claimant {
	c.Helper()
	r := &claimant{contest: c, cmd: exec.Command(cloud.bin, "build", "--no-reuse=false", "--local", "t.json"), ended: make(chan struct{})}
	r.cmd.Dir, r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = c.dir, cloud.environ(), &r.stdout, r
	if err := r.cmd.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { r.cmd.Process.Kill(); <-r.ended })
	go func() { defer close(r.ended); r.cmd.Wait() }()
	return r
}

// Write takes what it says to people.
func (r *claimant) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stderr.Write(p)
}

func (r *claimant) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stderr.String()
}

// until waits until the bake has said something, for as long as taking over may take.
func (r *claimant) until(text string) {
	r.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !strings.Contains(r.said(), text); time.Sleep(100 * time.Millisecond) {
		select {
		case <-r.ended:
			if !strings.Contains(r.said(), text) {
				r.Fatalf("it ended without saying %q:\n%s", text, r.said())
			}
		default:
		}
		if time.Now().After(deadline) {
			r.Fatalf("it does not say %q:\n%s", text, r.said())
		}
	}
}

// id waits for the bake, and returns its image.
func (r *claimant) id() string {
	r.Helper()
	<-r.ended
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.Fatalf("exit %d\n%s", code, r.said())
	}
	return strings.TrimSuffix(r.stdout.String(), "\n")
}

// TestClaim: of several builds that would bake the same image, one does, and the
// others have its image for their result.
func TestClaim(t *testing.T) {
	leavesNothing(t)
	t.Run("at once", func(t *testing.T) {
		t.Parallel()
		c := newContest(t, "at once", "sleep 2")
		var all []*claimant
		for range *claimants {
			all = append(all, c.begin())
		}
		id, waited := all[0].id(), 0
		c.won(id)
		for i, r := range all {
			if got := r.id(); got != id {
				t.Errorf("the bakes have %s and %s for their results", id, got)
			}
			if strings.Contains(all[i].said(), "another build bakes this image") {
				waited++
			}
		}
		if n := len(c.machines()); n != 1 {
			t.Errorf("%d machines were launched, want 1", n)
		}
		t.Logf("%d of %d bakes have waited for the other", waited, len(all))
	})
	t.Run("killed", testClaimOfKilled)
	t.Run("stopped", testClaimOfStopped)
}

// testClaimOfKilled: when the one that bakes is killed, one that waits bakes
// instead; imago gc takes what is left of the first, and nothing of the second.
// One that is canceled while it waits is gone at once.
func testClaimOfKilled(t *testing.T) {
	t.Parallel()
	c := newContest(t, "killed", "echo READY; sleep 4")
	first := c.begin()
	first.until("READY")
	second := c.begin()
	third := c.begin()
	for _, r := range []*claimant{second, third} {
		r.until("another build bakes this image")
	}
	third.cmd.Process.Signal(syscall.SIGINT)
	if <-third.ended; third.cmd.ProcessState.ExitCode() != 130 || third.stdout.Len() > 0 || strings.Contains(third.said(), "created ") {
		t.Errorf("the one that is canceled: %v, %q\n%s", third.cmd.ProcessState, &third.stdout, third.said())
	}
	first.cmd.Process.Kill()
	killed := time.Now()
	second.until("taking over")
	t.Logf("taken over %v after the kill", time.Since(killed).Round(time.Second))
	second.until("created instance")
	for _, id := range collect(t) {
		if strings.Contains(second.said(), "created instance "+id) {
			t.Errorf("gc has taken %s away, which is the second's", id)
		}
	}
	c.won(second.id())
	if n := len(c.machines()); n != 2 {
		t.Errorf("%d machines were launched, want the two of both", n)
	}
}

// testClaimOfStopped: one that has slept while another took over makes no second
// image, and has the other's for its result.
func testClaimOfStopped(t *testing.T) {
	t.Parallel()
	c := newContest(t, "stopped", "echo READY; sleep 4")
	first := c.begin()
	first.until("READY")
	second := c.begin()
	second.until("another build bakes this image")
	first.cmd.Process.Signal(syscall.SIGSTOP)
	id := second.id()
	first.cmd.Process.Signal(syscall.SIGCONT)
	if got := first.id(); got != id || !strings.Contains(first.said(), "has taken over") {
		t.Errorf("the results are %s and %s\n%s", id, got, first.said())
	}
	c.won(id)
}

// TestClaimOfImage: when the one that bakes is killed while AWS makes its image,
// that image is the next one's, and is not made again. It takes a minute.
func TestClaimOfImage(t *testing.T) {
	if *claimants < 20 {
		t.Skip("see make accept")
	}
	slowly(t, "available=50s")
	c := newContest(t, "image", "true")
	first := c.begin()
	first.until("created image")
	second := c.begin()
	second.until("another build bakes this image")
	first.cmd.Process.Kill()
	second.until("going on with ami-")
	c.won(second.id())
	if n := len(c.machines()); n != 1 {
		t.Errorf("%d machines were launched, want 1", n)
	}
	collect(t)
}
