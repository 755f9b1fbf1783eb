package e2e

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// killed runs imago until a line of its stderr holds some text, and kills it then as by kill -9.
func killed(t *testing.T, dir, at string, args ...string) {
	t.Helper()
	killedAt(t, dir, at, 1, args...)
}

// killedAt is killed at the n-th such line.
func killedAt(t *testing.T, dir, at string, n int, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), cloud.bin, args...)
	cmd.Dir, cmd.Env = dir, cloud.environ()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for in := bufio.NewScanner(stderr); n > 0 && in.Scan(); said.WriteString(in.Text() + "\n") {
		if strings.Contains(in.Text(), at) {
			n--
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if n > 0 {
		t.Fatalf("imago did not say %q (often enough):\n%s", at, said.String())
	}
}

// collect runs `imago gc --local` and returns the ids of what went.
func collect(t *testing.T, args ...string) (removed []string) {
	t.Helper()
	var out struct{ Remove []struct{ ID string } }
	text := imago(t, "", append([]string{"gc", "--local", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for _, r := range out.Remove {
		removed = append(removed, r.ID)
	}
	return removed
}

// TestKilled: whenever a build is killed, imago gc takes away all that it made,
// but for an image that became available.
func TestKilled(t *testing.T) {
	for name, at := range map[string]string{
		"with a key or a group alone": "created ", "with a machine": "created instance", "in a script": "READY", "with an image": "created image",
	} {
		t.Run(name, func(t *testing.T) {
			lookalikes(t)
			before := inventory(t)
			dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo READY", "sleep 2"]}`))
			killed(t, dir, at, "build", "--no-reuse=false", "--local", "t.json") // which claims its image

			if left := added(before, inventory(t)); len(left) == 0 {
				t.Fatal("the build has left nothing to collect")
			}
			removed := collect(t)
			for _, what := range added(before, inventory(t)) {
				id, isImage := strings.CutPrefix(what, "image ")
				switch {
				case isImage && available(t, id):
					removeImage(t, id)
				case !strings.HasPrefix(what, "snapshot "): // the image's; removeImage takes it
					t.Errorf("left behind: %s", what)
				}
			}
			if len(removed) == 0 || len(collect(t)) != 0 {
				t.Errorf("the first gc removed %q, and the second something too", removed)
			}
			if files, _ := filepath.Glob(filepath.Join(cloud.state, "journal", "*")); len(files) > 0 {
				t.Errorf("journals left: %q", files)
			}
		})
	}
}

// lookalikes makes what could be taken for a build's by less than its exact tags,
// and checks at the end that it is still there.
func lookalikes(t *testing.T) {
	t.Helper()
	api := client(t)
	for name, tags := range map[string][]types.Tag{
		"imago-0123456789ab": {{Key: aws.String("Name"), Value: aws.String("imago web")}},
		"imago-expired":      {{Key: aws.String("imago:expires"), Value: aws.String("2020-01-01T00:00:00Z")}},
		"imago-other": {{Key: aws.String("imago:build"), Value: aws.String("mine")},
			{Key: aws.String("imago:expires"), Value: aws.String("2020-01-01T00:00:00Z")}},
	} {
		_, err := api.CreateKeyPair(t.Context(), &ec2.CreateKeyPairInput{
			KeyName: &name, TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeKeyPair, Tags: tags}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			out, err := api.DescribeKeyPairs(after(t), &ec2.DescribeKeyPairsInput{KeyNames: []string{name}})
			if err != nil || len(out.KeyPairs) != 1 {
				t.Errorf("the key pair %s is gone: %v", name, err)
			}
			api.DeleteKeyPair(after(t), &ec2.DeleteKeyPairInput{KeyName: &name})
		})
	}
}

// available says whether an image is.
func available(t *testing.T, id string) bool {
	t.Helper()
	out, err := client(t).DescribeImages(after(t), &ec2.DescribeImagesInput{ImageIds: []string{id}})
	return err == nil && len(out.Images) == 1 && out.Images[0].State == types.ImageStateAvailable
}

// TestLostComputer: without the journal, what a build left goes when its tags
// say so, and not before.
func TestLostComputer(t *testing.T) {
	leavesNothing(t)
	before := inventory(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo READY", "sleep 300"]}`))
	killed(t, dir, "READY", "build", "--local", "t.json")
	journals, err := filepath.Glob(filepath.Join(cloud.state, "journal", "*"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("journals %q, %v", journals, err)
	}
	if out, err := exec.Command("rm", journals[0]).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if removed := collect(t); len(removed) > 0 {
		t.Errorf("%q went before its time", removed)
	}
	ids := []string{}
	for _, what := range added(before, inventory(t)) {
		if kind, id, _ := strings.Cut(what, " "); kind == "instance" || kind == "volume" {
			ids = append(ids, id)
		}
	}
	var group, key string
	groups, err := client(t).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{"imago:build"}}}})
	if err == nil && len(groups.SecurityGroups) == 1 {
		group = *groups.SecurityGroups[0].GroupId
	}
	keys, err := client(t).DescribeKeyPairs(t.Context(), &ec2.DescribeKeyPairsInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{"imago:build"}}}})
	if err == nil && len(keys.KeyPairs) == 1 {
		key = *keys.KeyPairs[0].KeyPairId
	}
	ids = append(ids, group, key)
	if _, err := client(t).CreateTags(t.Context(), &ec2.CreateTagsInput{
		Resources: ids, Tags: []types.Tag{{Key: aws.String("imago:expires"), Value: aws.String(time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))}},
	}); err != nil {
		t.Fatalf("%q: %v", ids, err)
	}
	if removed := collect(t); len(removed) != 4 {
		t.Errorf("removed %q, want %q", removed, ids)
	}
}

// TestCollectBesideABuild: two collections at once take away what one build left,
// and do not touch the other, which runs.
func TestCollectBesideABuild(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo READY", "sleep 6"]}`))
	var all sync.WaitGroup
	var built result
	all.Go(func() { built = cloud.exec(t.Context(), dir, "build", "--local", "t.json") })
	killed(t, dir, "READY", "build", "--local", "t.json")
	for range 2 {
		all.Go(func() {
			if r := cloud.exec(t.Context(), "", "gc", "--local"); r.code != 0 {
				t.Errorf("gc: exit %d\n%s", r.code, r.stderr)
			}
		})
	}
	all.Wait()
	if built.code != 0 {
		t.Fatalf("the other build: exit %d\n%s", built.code, built.stderr)
	}
	removeImage(t, strings.TrimSpace(built.stdout))
	if removed := collect(t); len(removed) > 0 {
		t.Errorf("not taken away at once: %q", removed)
	}
}

// TestOrphan: a machine whose builder is killed ends itself, and nobody collects.
func TestOrphan(t *testing.T) {
	leavesNothing(t)
	before := inventory(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo READY", "sleep 300"]}`))
	killed(t, dir, "READY", "build", "--local", "--orphan-timeout", "10s", "t.json")
	machine := ""
	for _, what := range added(before, inventory(t)) {
		if id, ok := strings.CutPrefix(what, "instance "); ok {
			machine = id
		}
	}
	if machine == "" {
		t.Fatal("there is no machine")
	}
	await(t, "ended", func() bool { return stateOf(t, machine) == types.InstanceStateNameTerminated })
	collect(t)
}

// TestLeaseStaysOut: a build that takes longer than its machine may be alone is
// not disturbed, nor is the user's own user-data, and nothing of it is in the image.
func TestLeaseStaysOut(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "t.json", template(admin+`, "user_data": "#!/bin/sh\necho mine > /var/mine\n"`,
		`{"type": "shell", "inline": ["cloud-init status --wait > /dev/null", "test -d /run/imago", "cat /var/mine", "sleep 25"]}`))
	id := imago(t, dir, "build", "--local", "--orphan-timeout", "10s", "t.json")
	removeImage(t, id)
	host, _ := start(t, id)
	out, err := host.Output(t.Context(), `cat /var/mine; ls -d /run/imago 2>&1 | grep -v 'No such'; sudo grep -rl /run/imago / --include='*' --exclude-dir=proc --exclude-dir=sys --exclude-dir=log 2> /dev/null; true`)
	if err != nil || out != "mine\n" {
		t.Errorf("the machine of the image says %q, %v; want mine", out, err)
	}
}
