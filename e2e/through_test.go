package e2e

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// theRegions are those of the bake that is ended.
var theRegions = []string{"us-east-1", "eu-west-1"}

// bakeThere is a bake with one upload, two scripts, one copy and sharing, through a tap.
type bakeThere struct {
	*tap
	cmd    *exec.Cmd
	state  string
	name   string // of the image that it replaces, if it does
	stdout bytes.Buffer
	said   strings.Builder
	reach  bool // the point was reached
}

// runThrough runs that bake, and lets end end it at a point. With the name of an
// image that is there, it replaces that one, and copies nothing.
func runThrough(t *testing.T, at point, name string, end func(*bakeThere)) *bakeThere {
	t.Helper()
	b := &bakeThere{tap: newTap(t, at), state: t.TempDir(), name: name}
	options, args := `"ami_regions": ["eu-west-1"]`, []string{"build", "t.json"}
	if name != "" {
		options, args = `"force_delete_snapshot": true`, []string{"build", "-force", "t.json"}
	}
	text := template(admin+`, "custom_endpoint_ec2": "`+b.server.URL+`", `+options+`, "ami_users": ["111122223333"], "snapshot_users": ["111122223333"]`,
		`{"type": "file", "source": "tree", "destination": "/tmp"}, {"type": "shell", "inline": ["echo one"]}, {"type": "shell", "inline": ["echo two"]}`)
	if name != "" {
		text = strings.Replace(text, "e2e {{timestamp}} {{uuid}}", name, 1)
	}
	dir := write(t, "tree/a/b", "contents\n", "t.json", text)
	b.cmd = exec.CommandContext(t.Context(), cloud.bin, args...)
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

// collected runs imago gc once, and checks that nothing is left but available images, which it returns.
func (b *bakeThere) collected(t *testing.T) (images []string) {
	t.Helper()
	gc := exec.CommandContext(t.Context(), cloud.bin, "gc")
	gc.Env = b.environ()
	if out, err := gc.CombinedOutput(); err != nil {
		t.Errorf("imago gc: %v\n%s", err, out)
	}
	images, snapshots := b.images(t)
	if b.name != "" { // those of the older image may be the build's already: they were to go with it
		snapshots = append(snapshots, snapshotsOf(t, ofTheName(t, b.name))...)
	}
	if left := added(append(images, snapshots...), b.has(t)); len(left) > 0 {
		t.Errorf("left behind: %q\n%s", left, b.said.String())
	}
	return images
}

// snapshotsOf are the snapshots of images, in the words of an inventory.
func snapshotsOf(t *testing.T, images []string) (all []string) {
	t.Helper()
	if len(images) == 0 {
		return nil
	}
	out, err := client(t).DescribeImages(after(t), &ec2.DescribeImagesInput{ImageIds: images})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range out.Images {
		for _, m := range i.BlockDeviceMappings {
			all = append(all, "snapshot "+*m.Ebs.SnapshotId)
		}
	}
	return all
}

// ofTheName are the available images that have a name, or are to have it.
func ofTheName(t *testing.T, name string) (ids []string) {
	t.Helper()
	for _, filter := range []string{"name", "tag:imago:draft-of"} {
		out, err := client(t).DescribeImages(after(t), &ec2.DescribeImagesInput{
			Owners: []string{"self"}, Filters: []types.Filter{{Name: &filter, Values: []string{name}}, {Name: aws.String("state"), Values: []string{"available"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range out.Images {
			ids = append(ids, *i.ImageId)
		}
	}
	return ids
}
