package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

var (
	everywhere = flag.Bool("everywhere", false, "end builds at every point, and not at some that are drawn")
	drawSeed   = flag.Uint64("draw", 0, "draw the points with this seed; 0: another each time")
)

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
	return slices.Contains([]string{"ImportKeyPair", "CreateSecurityGroup", "RunInstances", "CreateImage", "CopyImage", "RegisterImage"}, action)
}

// points are all the places at which a bake can be ended, as one that is not ended shows them.
func points(t *testing.T, name string) (all []point) {
	t.Helper()
	b := runThrough(t, point{}, name, nil)
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
// something, and a few others; in replacing an image, of those that do that.
func drawn(t *testing.T, all []point, replacing bool) []point {
	t.Helper()
	if *everywhere {
		return all
	}
	if replacing {
		all = slices.DeleteFunc(all, func(p point) bool {
			action, _, _ := strings.Cut(p.call, " ")
			return !slices.Contains([]string{"RegisterImage", "DeregisterImage", "DeleteSnapshot", "CreateTags"}, action)
		})
	}
	seed := cmp.Or(*drawSeed, rand.Uint64())
	t.Logf("%d points; the same again with -draw %d", len(all), seed)
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
	return append(makes, others[:min(len(others), 3)]...)
}

// atOnce is how many of these bakes run at the same time.
const atOnce = 3

// anywhere ends a bake at each point that is drawn, and has check look at what is
// left. A point that a bake happened to pass by is tried twice more.
// Each bake replaces the image that older makes the name of, if it does.
func anywhere(t *testing.T, lost bool, older func(*testing.T) string, end func(*bakeThere), check func(*testing.T, *bakeThere)) {
	before := map[string][]string{}
	for _, region := range theRegions {
		before[region] = inventoryOf(t, clientIn(t, region))
	}
	name := older(t)
	all := drawn(t, points(t, name), name != "")
	turn := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for _, at := range all {
		at.lost = lost && at.line == ""
		running.Go(func() {
			t.Run(at.String(), func(t *testing.T) {
				for try := 1; ; try++ {
					turn <- struct{}{}
					b := runThrough(t, at, older(t), end)
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

// nothingOlder is for bakes that replace nothing.
func nothingOlder(*testing.T) string { return "" }

// kill is kill -9.
func kill(b *bakeThere) { b.cmd.Process.Kill() }

// TestKilledAnywhere: wherever a bake is killed, one collection takes away all
// that it made, but for an image that was available.
func TestKilledAnywhere(t *testing.T) {
	anywhere(t, true, nothingOlder, kill, func(t *testing.T, b *bakeThere) {
		had, _ := b.images(t)
		if lost := added(b.collected(t), had); len(lost) > 0 {
			t.Errorf("lost: %q", lost)
		}
	})
}

// TestKilledAnywhereInReplacing: wherever a bake is killed that replaces an image,
// one collection leaves exactly one image of that name, or that was to have it.
func TestKilledAnywhereInReplacing(t *testing.T) {
	var n atomic.Int32
	older := func(t *testing.T) string {
		name := fmt.Sprintf("e2e replaced %d", n.Add(1))
		_, err := client(t).CopyImage(t.Context(), &ec2.CopyImageInput{Name: &name, SourceImageId: aws.String(baseID), SourceRegion: aws.String("us-east-1")})
		if err != nil {
			t.Fatal(err)
		}
		await(t, "copied", func() bool { return len(ofTheName(t, name)) == 1 })
		return name
	}
	anywhere(t, true, older, kill, func(t *testing.T, b *bakeThere) {
		b.collected(t)
		of := ofTheName(t, b.name)
		if len(of) != 1 {
			t.Errorf("images of the name: %q, want one\n%s", of, b.said.String())
		}
		b.removeImages(t)
		for _, id := range ofTheName(t, b.name) { // the older one
			remove(t, client(t), id)
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
	anywhere(t, false, nothingOlder, term, func(t *testing.T, b *bakeThere) {
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
