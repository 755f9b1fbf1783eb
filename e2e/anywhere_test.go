package e2e

import (
	"bufio"
	"bytes"
	"flag"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

var everywhere = flag.Bool("everywhere", false, "end builds at every point, and not at some that are drawn")

// point is a place of a bake: a call, before the cloud sees it or after its
// effect, or a line that says that a stage or a step begins.
type point struct {
	call  string // such as "RunInstances us-east-1 #1"
	after bool
	lost  bool // imago does not get the answer
	line  string
}

func (p point) String() string {
	switch {
	case p.line != "":
		return "at " + p.line
	case p.after:
		return "after " + p.call
	}
	return "before " + p.call
}

// makes says whether the point is a call that makes something.
func (p point) makes() bool {
	action, _, _ := strings.Cut(p.call, " ")
	return slices.Contains([]string{"ImportKeyPair", "CreateSecurityGroup", "RunInstances", "CreateImage", "CopyImage"}, action)
}

// theRegions are those of the bake that is ended.
var theRegions = []string{"us-east-1", "eu-west-1"}

// bakeThere is a bake with one upload, two scripts, one copy and sharing, through a tap.
type bakeThere struct {
	*tap
	cmd    *exec.Cmd
	state  string
	stdout bytes.Buffer
	said   strings.Builder
	reach  bool // the point was reached
}

// runThrough runs that bake, and lets end end it at a point.
func runThrough(t *testing.T, at point, end func(*bakeThere)) *bakeThere {
	t.Helper()
	b := &bakeThere{tap: newTap(t, at), state: t.TempDir()}
	dir := write(t, "tree/a/b", "contents\n", "t.json", template(admin+`, "custom_endpoint_ec2": "`+b.server.URL+`",
		"ami_regions": ["eu-west-1"], "ami_users": ["111122223333"], "snapshot_users": ["111122223333"]`,
		`{"type": "file", "source": "tree", "destination": "/tmp"}, {"type": "shell", "inline": ["echo one"]}, {"type": "shell", "inline": ["echo two"]}`))
	b.cmd = exec.CommandContext(t.Context(), cloud.bin, "build", "t.json")
	b.cmd.Dir, b.cmd.Env, b.cmd.Stdout = dir, b.environ(), &b.stdout
	stderr, err := b.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	b.strike = func() { once.Do(func() { b.reach = true; end(b) }) }
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(stderr); in.Scan(); b.said.WriteString(in.Text() + "\n") {
		if at.line != "" && in.Text() == at.line {
			b.strike()
		}
	}
	b.cmd.Wait()
	close(b.gone)
	b.open.Wait() // what the cloud has begun, it ends
	return b
}

// environ is that of an imago with a journal of its own.
func (b *bakeThere) environ() []string { return append(cloud.environ(), "IMAGO_STATE_DIR="+b.state) }

// has lists what the cloud has of the bake.
func (b *bakeThere) has(t *testing.T) (all []string) {
	t.Helper()
	for _, region := range theRegions {
		all = append(all, inventoryOf(t, clientIn(t, region), b.ours()...)...)
	}
	return all
}

// images are the bake's images that are available, with their snapshots, in the words of an inventory.
func (b *bakeThere) images(t *testing.T) (images, snapshots []string) {
	t.Helper()
	for _, region := range theRegions {
		out, err := clientIn(t, region).DescribeImages(after(t), &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: b.ours()})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range out.Images {
			if i.State != types.ImageStateAvailable {
				continue
			}
			images = append(images, "image "+*i.ImageId)
			for _, m := range i.BlockDeviceMappings {
				snapshots = append(snapshots, "snapshot "+*m.Ebs.SnapshotId)
			}
		}
	}
	return images, snapshots
}

// removeImages removes what is rightly left.
func (b *bakeThere) removeImages(t *testing.T) {
	t.Helper()
	for _, region := range theRegions {
		api := clientIn(t, region)
		for _, what := range inventoryOf(t, api, b.ours()...) {
			if id, ok := strings.CutPrefix(what, "image "); ok {
				remove(t, api, id)
			}
		}
	}
}

// ours is a filter for what is the bake's; of one that has named nothing yet, nothing is.
func (b *bakeThere) ours() []types.Filter {
	return []types.Filter{{Name: aws.String("tag:imago:build"), Values: append(b.names(), "none")}}
}

// points are all the places at which a bake can be ended, as one that is not ended shows them.
func points(t *testing.T) (all []point) {
	t.Helper()
	b := runThrough(t, point{}, nil)
	if b.cmd.ProcessState.ExitCode() != 0 {
		t.Fatalf("the bake: %v\n%s", b.cmd.ProcessState, b.said.String())
	}
	b.removeImages(t)
	for _, call := range b.calls {
		all = append(all, point{call: call}, point{call: call, after: true})
	}
	for line := range strings.Lines(b.said.String()) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "==> ") && !strings.Contains(line, " after ") {
			all = append(all, point{line: line})
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d points: %v", len(all), all)
	}
	return all
}

// drawn is every point, or without -everywhere one side of each call that makes
// something, and as many others.
func drawn(t *testing.T, all []point) []point {
	t.Helper()
	if *everywhere {
		return all
	}
	seed := rand.Uint64()
	t.Logf("%d points; seed %d", len(all), seed)
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var makes, others []point
	for _, p := range all {
		same := func(x point) bool { return x.call == p.call }
		switch {
		case !p.makes():
			others = append(others, p)
		case !slices.ContainsFunc(makes, same):
			makes = append(makes, p)
		}
	}
	return append(makes, others[:len(makes)]...)
}

// atOnce is how many of these bakes run at the same time.
const atOnce = 3

// anywhere ends a bake at each point that is drawn, and has check look at what is
// left. A point that a bake happened to pass by is tried twice more.
func anywhere(t *testing.T, lost bool, end func(*bakeThere), check func(*testing.T, *bakeThere)) {
	before := map[string][]string{}
	for _, region := range theRegions {
		before[region] = inventoryOf(t, clientIn(t, region))
	}
	all := drawn(t, points(t))
	turn := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for _, at := range all {
		at.lost = lost && at.line == ""
		running.Go(func() {
			t.Run(at.String(), func(t *testing.T) {
				for try := 1; ; try++ {
					turn <- struct{}{}
					b := runThrough(t, at, end)
					<-turn
					check(t, b)
					b.removeImages(t)
					if b.reach {
						return
					}
					if try == 3 {
						t.Fatalf("never there:\n%s", strings.Join(b.calls, "\n"))
					}
				}
			})
		})
	}
	running.Wait()
	t.Logf("ended at %d points", len(all))
	for region, had := range before {
		if left := added(had, inventoryOf(t, clientIn(t, region))); len(left) > 0 {
			t.Errorf("left behind in %s:\n%s", region, strings.Join(left, "\n"))
		}
	}
}

// TestKilledAnywhere: wherever a bake is killed, one collection takes away all
// that it made, but for an image that was available.
func TestKilledAnywhere(t *testing.T) {
	kill := func(b *bakeThere) { b.cmd.Process.Kill() }
	anywhere(t, true, kill, func(t *testing.T, b *bakeThere) {
		had, _ := b.images(t)
		gc := exec.CommandContext(t.Context(), cloud.bin, "gc")
		gc.Env = b.environ()
		if out, err := gc.CombinedOutput(); err != nil {
			t.Errorf("imago gc: %v\n%s", err, out)
		}
		images, snapshots := b.images(t)
		if lost := added(images, had); len(lost) > 0 {
			t.Errorf("lost: %q", lost)
		}
		if left := added(append(images, snapshots...), b.has(t)); len(left) > 0 {
			t.Errorf("left behind: %q\n%s", left, b.said.String())
		}
	})
}

// TestTerminatedAnywhere: wherever a bake gets a SIGTERM, it leaves nothing, or
// else the image whose id it has printed, with its copy.
func TestTerminatedAnywhere(t *testing.T) {
	term := func(b *bakeThere) {
		b.cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(20 * time.Millisecond) // it is to notice before the call goes on
	}
	anywhere(t, false, term, func(t *testing.T, b *bakeThere) {
		images, snapshots := b.images(t)
		printed := strings.TrimSpace(b.stdout.String())
		code := b.cmd.ProcessState.ExitCode()
		switch {
		case printed == "" && (code != 130 || len(images) > 0):
			t.Errorf("exit %d, nothing printed, images %q\n%s", code, images, b.said.String())
		case printed != "" && (code != 0 && code != 130 || len(images) != len(theRegions) || !slices.Contains(images, "image "+printed)):
			t.Errorf("exit %d, printed %s, images %q\n%s", code, printed, images, b.said.String())
		}
		if left := added(append(images, snapshots...), b.has(t)); len(left) > 0 {
			t.Errorf("left behind: %q\n%s", left, b.said.String())
		}
	})
}
