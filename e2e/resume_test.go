package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// slowImage is a cloud whose images take some seconds.
const slowImage = "available=4s"

// resume goes on with a build, and checks that it made no other machine.
func resume(t *testing.T, dir string, args ...string) baked {
	t.Helper()
	machines := len(allMachines(t))
	b := bakeIn(t, dir, append([]string{"--resume"}, args...)...)
	if made := len(allMachines(t)) - machines; made != 0 {
		t.Errorf("%d machines were made, want none\n%s", made, b.log)
	}
	return b
}

// journals are the paths of the journals.
func journals(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(cloud.state, "journal", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// beingMade is the id of the one image that is pending.
func beingMade(t *testing.T) string {
	t.Helper()
	for _, what := range inventory(t) {
		if id, ok := strings.CutPrefix(what, "image "); ok && !available(t, id) {
			return id
		}
	}
	t.Fatal("no image is being made")
	return ""
}

// TestResumeKilled: a build that was killed while it waited for its image, or for
// the copy, is gone on with: the same image, no other machine, and nothing else is left.
func TestResumeKilled(t *testing.T) {
	slowly(t, slowImage)
	leavesNothing(t)
	dir := write(t, "t.json", template(admin+`, "ami_regions": ["eu-west-1"], "tags": {"Run": "{{uuid}}"}`, `{"type": "shell", "inline": ["echo {{timestamp}}"]}`))
	for n := 1; n <= 2; n++ { // at the image, and at its copy
		killedAt(t, dir, "created image", n, "build", "--local", "t.json")
		b := resume(t, dir)
		img := describe(t, client(t), nameOf(t, b.id))
		copied := describe(t, clientIn(t, "eu-west-1"), *img.Name)
		if id := tag(copied.Tags, "Run"); id == "" || id != tag(img.Tags, "Run") || tag(copied.Tags, "imago:expires") != "never" {
			t.Errorf("the copy's tags are %v, the image's %v", copied.Tags, img.Tags)
		}
		remove(t, client(t), b.id)
		remove(t, clientIn(t, "eu-west-1"), *copied.ImageId)
		if left := journals(t); len(left) > 0 {
			t.Errorf("journals left: %q", left)
		}
	}
}

// nameOf is the name of an image.
func nameOf(t *testing.T, id string) string {
	t.Helper()
	out, err := client(t).DescribeImages(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if err != nil || len(out.Images) != 1 {
		t.Fatalf("describe %s: %v", id, err)
	}
	return *out.Images[0].Name
}

// TestWaitIsOver: an image that is still being made when the wait for it is over
// stays, a collection leaves it, and the command that imago prints goes on with
// it, here twice, since the first time is too short as well.
func TestWaitIsOver(t *testing.T) {
	slowly(t, "available=25s")
	leavesNothing(t)
	dir := write(t, "t.json", template(admin+`, "aws_polling": {"delay_seconds": 3, "max_attempts": 1}`, ``))
	args := []string{"build", "--local", "t.json"}
	made := ""
	for try := 1; try <= 2; try++ {
		r := cloud.exec(t.Context(), dir, args...)
		hint := regexp.MustCompile(`(?m)^imago: hint: to go on with it: imago (build --resume --local t.json)$`).FindStringSubmatch(r.stderr)
		id := beingMade(t)
		if r.code != 4 || r.stdout != "" || hint == nil || made != "" && id != made ||
			!strings.Contains(r.stderr, "capture "+id+": "+id+" in us-east-1 is still pending after 3s; it stays, and AWS goes on making it\n") {
			t.Fatalf("exit %d, want 4, and nothing on stdout; stdout %q, stderr:\n%s", r.code, r.stdout, r.stderr)
		}
		if removed := collect(t); len(removed) > 0 {
			t.Errorf("a collection took away %q", removed)
		}
		made, args = id, strings.Fields(hint[1])
	}
	await(t, "available", func() bool { return available(t, made) })
	b := resume(t, dir)
	removeImage(t, b.id)
	if b.id != made {
		t.Errorf("got %s, want %s", b.id, made)
	}
}

// TestResumeByTags: where the journal is lost, the image is found by its name and tags.
func TestResumeByTags(t *testing.T) {
	slowly(t, slowImage)
	leavesNothing(t)
	dir := write(t, "t.json", strings.Replace(template(admin, ``), "{{timestamp}} {{uuid}}", "by tags", 1))
	killed(t, dir, "created image", "build", "--local", "t.json")
	for _, path := range journals(t) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	want := beingMade(t)
	b := resume(t, dir)
	removeImage(t, b.id)
	if b.id != want {
		t.Errorf("got %s, want %s", b.id, want)
	}
}

// TestResumeForce: an image that is to replace another one still does.
func TestResumeForce(t *testing.T) {
	slowly(t, slowImage)
	leavesNothing(t)
	dir := write(t, "t.json", strings.Replace(template(admin+`, "force_delete_snapshot": true`, ``), "{{timestamp}} {{uuid}}", "force", 1))
	bakeIn(t, dir)
	killed(t, dir, "created image", "build", "--local", "-force", "t.json")
	b := resume(t, dir, "-force")
	removeImage(t, b.id)
	if img := describe(t, client(t), "e2e force"); *img.ImageId != b.id {
		t.Errorf("%s has the name, want %s", *img.ImageId, b.id)
	}
}

// TestNothingToResume: what is of another template is left alone, and said; the build is made anew.
func TestNothingToResume(t *testing.T) {
	slowly(t, slowImage)
	leavesNothing(t)
	dir := write(t, "t.json", template(admin, `{"type": "shell", "inline": ["echo one"]}`))
	if b := bakeIn(t, dir, "--resume"); !strings.Contains(b.log, "there is nothing to go on with: no image") {
		t.Errorf("it does not say that there is nothing:\n%s", b.log)
	} else {
		remove(t, client(t), b.id)
	}
	killed(t, dir, "created image", "build", "--local", "t.json")
	old := beingMade(t)
	changed := template(admin, `{"type": "shell", "inline": ["echo two"]}`)
	if err := os.WriteFile(filepath.Join(dir, "t.json"), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	b := bakeIn(t, dir, "--resume")
	removeImage(t, b.id)
	if b.id == old || !strings.Contains(b.log, "the template, a variable, a file or the source image has changed") {
		t.Errorf("made %s where %s was begun:\n%s", b.id, old, b.log)
	}
	if available(t, old) {
		removeImage(t, old)
	}
	collect(t)
}
