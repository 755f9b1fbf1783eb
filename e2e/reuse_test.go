package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// reusable is a template whose image shows what it was made of.
var reusable = strings.Replace(template(admin+`, "tags": {"Release": "{{user `+"`release`"+`}}"}`, `
	{"type": "file", "source": "app", "destination": "/tmp/app"},
	{"type": "shell", "environment_vars": ["MODE={{user `+"`mode`"+`}}"], "script": "setup.sh"}`),
	`"builders"`, `"variables": {"mode": "a", "release": "1"}, "post-processors": [{"type": "manifest", "output": "manifest.json"}], "builders"`, 1)

// small writes the files that reusable takes.
func small(t *testing.T) (dir string) {
	t.Helper()
	return write(t, "t.json", reusable, "setup.sh", "echo $MODE > ~/mode\n", "app/a", "one\n", "app/lib/b", "two\n")
}

// launched counts the instances that there are and were.
func launched(t *testing.T) int {
	t.Helper()
	out, err := client(t).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	return len(instances(out))
}

// TestReuse: a build whose inputs are those of an image that is there launches
// nothing and has that image for its result, wherever and whenever it runs.
func TestReuse(t *testing.T) {
	leavesNothing(t)
	dir := small(t)
	first := imago(t, dir, "build", "--no-reuse=false", "--local", "t.json")
	removeImage(t, first)
	before := launched(t)

	elsewhere := filepath.Join(t.TempDir(), "moved")
	if out, err := exec.Command("cp", "-a", dir, elsewhere).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, file := range []string{"app/a", "setup.sh", "app/lib"} {
		if err := os.Chtimes(filepath.Join(elsewhere, file), time.Time{}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, elsewhere} {
		r := cloud.exec(t.Context(), d, "build", "--no-reuse=false", "--local", "t.json")
		if r.code != 0 || r.stdout != first+"\n" || !strings.Contains(r.stderr, "reusing "+first) || !strings.Contains(r.stderr, "--no-reuse") {
			t.Errorf("exit %d, stdout %q, want %s\n%s", r.code, r.stdout, first, r.stderr)
		}
	}
	if n := launched(t); n != before {
		t.Errorf("%d instances were launched", n-before)
	}
	checkManifest(t, filepath.Join(dir, "manifest.json"), first)
	if got := imago(t, dir, "plan", "--no-reuse=false", "--local", "t.json"); !strings.Contains(got, "reuse "+first) {
		t.Errorf("plan says\n%s", got)
	}
}

// checkManifest looks for a build and its reuse.
func checkManifest(t *testing.T, path, id string) {
	t.Helper()
	var m struct {
		Builds []struct {
			Artifact    string `json:"artifact_id"`
			Fingerprint string
			Reused      bool
		}
	}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil || len(m.Builds) != 2 {
		t.Fatalf("%v in %s", err, data)
	}
	baked, reused := m.Builds[0], m.Builds[1]
	if baked.Reused || !reused.Reused || baked.Artifact != "us-east-1:"+id || reused.Artifact != baked.Artifact ||
		len(baked.Fingerprint) != 64 || reused.Fingerprint != baked.Fingerprint {
		t.Errorf("the manifest says %+v", m.Builds)
	}
}

// TestRebake: what changes the image, and what asks for it, bakes; plan says why.
func TestRebake(t *testing.T) {
	leavesNothing(t)
	dir := small(t)
	ids := map[string]bool{}
	bakes := func(args ...string) {
		t.Helper()
		id := imago(t, dir, append(append([]string{"build", "--no-reuse=false", "--local"}, args...), "t.json")...)
		if ids[id] {
			t.Errorf("%q: no bake", args)
			return
		}
		ids[id] = true
		removeImage(t, id)
	}
	bakes()
	bakes("--no-reuse")
	bakes("-force")

	if err := os.WriteFile(filepath.Join(dir, "app/lib/b"), []byte("tw0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plan := imago(t, dir, "plan", "--no-reuse=false", "--local", "-var", "mode=b", "t.json")
	for _, want := range []string{
		"bake: there is no image of this fingerprint",
		": contents of lib/b\n",
		": variable MODE: changed\n",
	} {
		if !strings.Contains(plan+"\n", want) {
			t.Errorf("plan does not say %q:\n%s", want, plan)
		}
	}
	bakes()
}

// TestCompleted: an image that only lacks a copy, a permission or a tag gets it, and is not baked again.
func TestCompleted(t *testing.T) {
	leavesNothing(t)
	dir := small(t)
	first := imago(t, dir, "build", "--no-reuse=false", "--local", "t.json")
	removeImage(t, first)
	before := launched(t)

	wider := strings.Replace(reusable, `"source_ami"`, `"ami_regions": ["us-west-2"], "ami_users": ["111122223333"], "source_ami"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "t.json"), []byte(wider), 0o644); err != nil {
		t.Fatal(err)
	}
	var copies []string
	for range 2 {
		var got struct {
			Images []struct {
				ID     string
				Reused bool
				Copies map[string]string
			}
		}
		out := imago(t, dir, "build", "--no-reuse=false", "--local", "--json", "-var", "release=2", "t.json")
		if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Images) != 1 || got.Images[0].ID != first || !got.Images[0].Reused {
			t.Fatalf("%v in %s", err, out)
		}
		copies = append(copies, got.Images[0].Copies["us-west-2"])
	}
	west := client(t).Options().Copy()
	west.Region = "us-west-2"
	t.Cleanup(func() { remove(t, ec2.New(west), copies[0]) })
	if copies[0] == "" || copies[1] != copies[0] {
		t.Errorf("the copies are %q, want one twice", copies)
	}
	if n := launched(t); n != before {
		t.Errorf("%d instances were launched", n-before)
	}
	out, err := client(t).DescribeImages(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{first}, ExecutableUsers: []string{"111122223333"}})
	if err != nil || len(out.Images) != 1 || tag(out.Images[0].Tags, "Release") != "2" {
		t.Errorf("shared with 111122223333: %+v, %v", out, err)
	}
}
