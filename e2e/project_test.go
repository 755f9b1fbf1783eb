package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/google/go-cmp/cmp"
)

// shop is a project of two images. Each release shows what it is made of.
const shop = `
application = "shop"

image "carnivore" {
  from          = "primal"
  from_variable = "base"
  template      = "carnivore.json"
  vars          = { mode = environment.name }
  build {
    command = "echo build >> log; mkdir -p out; cp app/* out"
    inputs  = ["app/*"]
    output  = "out"
  }
}

image "primal" {
  template = "primal.json"
}

environment "staging" {}
`

// shopDir writes the project.
func shopDir(t *testing.T) string {
	t.Helper()
	carnivore := strings.Replace(template(`, "source_ami": "{{user `+"`base`"+`}}", "ssh_username": "admin"`, `
	{"type": "file", "source": "out", "destination": "/tmp/app"},
	{"type": "shell", "inline": ["cat ~/base /tmp/app/* > ~/release", "echo $MODE"], "environment_vars": ["MODE={{user `+"`mode`"+`}}"]}`),
		`"builders"`, `"variables": {"base": null, "mode": null}, "builders"`, 1)
	return write(t, "imago.hcl", shop, "carnivore.json", carnivore,
		"primal.json", template(admin, `{"type": "shell", "script": "primal.sh"}`), "primal.sh", "echo base > ~/base\n", "app/a", "one\n")
}

// namedIDs are stdout's images: ids by name.
func namedIDs(stdout string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(stdout) {
		name, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[name] = id
	}
	return all
}

// TestProject: imago bake makes what has changed and nothing else.
func TestProject(t *testing.T) {
	leavesNothing(t)
	dir := shopDir(t)
	var last map[string]string // the images of the last bake
	started, builds := launched(t), 0
	bakes := func(what string, r result, names ...string) {
		t.Helper()
		got := namedIDs(r.stdout)
		for name, id := range got {
			if id != last[name] {
				removeImage(t, id)
			}
		}
		if r.code != 0 || len(got) != 2 || !strings.HasPrefix(r.stdout, "primal\tami-") || !strings.Contains(r.stdout, "\ncarnivore\tami-") {
			t.Fatalf("%s: exit %d, %q\n%s", what, r.code, r.stdout, r.stderr)
		}
		var anew []string
		for _, name := range []string{"primal", "carnivore"} {
			if got[name] != last[name] {
				anew = append(anew, name)
			}
		}
		if diff := cmp.Diff(names, anew); diff != "" {
			t.Errorf("%s: %s\n%s", what, diff, r.stderr)
		}
		if n := launched(t); n != started+len(names) {
			t.Errorf("%s: %d instances were launched, want %d", what, n-started, len(names))
		}
		t.Logf("%s: %v", what, r.took)
		last, started = got, launched(t)
	}
	bake := func(args ...string) result {
		return cloud.exec(t.Context(), dir, append([]string{"bake", "--no-reuse=false", "--local"}, args...)...)
	}
	change := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	commands := func(what string, more int) {
		t.Helper()
		data, _ := os.ReadFile(filepath.Join(dir, "log"))
		if n := strings.Count(string(data), "build\n"); n != builds+more {
			t.Errorf("%s: the build command was run %d times", what, n-builds)
		}
		builds += more
	}

	plan := imago(t, dir, "bake", "--plan", "--no-reuse=false", "--local")
	if !strings.HasSuffix(plan, "\nbake: the image that it is made from, primal, is baked first") {
		t.Errorf("the plan is\n%s", plan)
	}
	commands("a plan", 0)
	bakes("the first time", bake(), "primal", "carnivore")
	commands("the first time", 1)
	bakes("again", bake())
	commands("again", 0)
	if plan := imago(t, dir, "bake", "--plan", "--no-reuse=false", "--local"); !strings.Contains(plan, "reuse "+last["primal"]) || !strings.Contains(plan, "reuse "+last["carnivore"]) {
		t.Errorf("the plan is\n%s", plan)
	}
	checkOwner(t, last["carnivore"])

	for _, file := range []string{"app/a", "primal.sh", "imago.hcl", "primal.json", "out/a"} {
		if err := os.Chtimes(filepath.Join(dir, file), time.Time{}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
	bakes("after other times", bake())
	elsewhere := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, elsewhere); err != nil {
		t.Fatal(err)
	}
	dir = elsewhere
	bakes("at another place", bake())
	builds++ // nobody knows there whether it has been run
	bakes("on another computer", onAnotherComputer(t, dir))

	change("app/a", "tw0\n")
	commands("meanwhile", 0)
	bakes("a byte of an uploaded file", bake(), "carnivore")
	commands("a byte of an uploaded file", 1)
	change("primal.sh", "echo other > ~/base\n")
	bakes("primal's script", bake(), "primal", "carnivore")
	bakes("when it is asked for", bake("--no-reuse", "carnivore"), "carnivore")
}

// onAnotherComputer bakes a copy of a project with another home, host name and state directory, and finds the cloud by the
// environment alone.
func onAnotherComputer(t *testing.T, dir string) result {
	t.Helper()
	other := t.TempDir()
	if out, err := exec.Command("cp", "-a", dir+"/.", other).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return cloud.command(t.Context(), other, "unshare", "--uts", "sh", "-c",
		`hostname elsewhere && exec env HOME="$0" IMAGO_STATE_DIR="$0" "$1" bake --no-reuse=false`, t.TempDir(), cloud.bin)
}

// checkOwner looks for the tags that say whose an image is.
func checkOwner(t *testing.T, id string) {
	t.Helper()
	out, err := client(t).DescribeImages(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	tags := out.Images[0].Tags
	got := []string{tag(tags, "imago:application"), tag(tags, "imago:image"), tag(tags, "imago:environment")}
	if want := []string{"shop", "carnivore", "staging"}; !cmp.Equal(want, got) {
		t.Errorf("its tags: %s", cmp.Diff(want, got))
	}
}

// TestProjectResumed: a bake that was killed while it waited for an image goes on with that one, and takes the one below as it is.
func TestProjectResumed(t *testing.T) {
	slowly(t, slowImage)
	leavesNothing(t)
	dir := shopDir(t)
	killedAt(t, dir, "created image", 2, "bake", "--no-reuse=false", "--local")
	started := len(allMachines(t))
	made := beingMade(t)
	r := cloud.exec(t.Context(), dir, "bake", "--no-reuse=false", "--local", "--resume")
	got := namedIDs(r.stdout)
	for _, id := range got {
		removeImage(t, id)
	}
	if r.code != 0 || len(got) != 2 || got["carnivore"] != made || len(allMachines(t)) != started {
		t.Errorf("exit %d, %v, want carnivore to be %s, after %d machines more\n%s", r.code, got, made, len(allMachines(t))-started, r.stderr)
	}
}

// TestProjectFailure: what does not succeed stops what is made from it and nothing else; Ctrl-C stops all.
func TestProjectFailure(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "good.json", template(admin, `{"type": "shell", "inline": ["true"]}`), "bad.json", template(admin, `{"type": "shell", "inline": ["exit 7"]}`),
		"slow.json", template(admin, `{"type": "shell", "inline": ["echo READY", "sleep 600"]}`), "imago.hcl", `
application = "shop"
image "bad" {
  template = "bad.json"
}
image "above" {
  template = "good.json"
  from     = "bad"
}
image "beside" {
  template = "good.json"
}
image "slow" {
  template = "slow.json"
}
image "late" {
  template = "good.json"
  from     = "slow"
}
`)
	r := cloud.exec(t.Context(), dir, "bake", "--local", "--json", "above", "beside")
	var got struct {
		Application string
		Images      []struct{ Build, ID string }
		Errors      []struct{ Build, Message string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 1 || got.Application != "shop" || len(got.Images) != 1 || len(got.Errors) != 2 {
		t.Fatalf("exit %d, %v, %+v\n%s", r.code, err, got, r.stderr)
	}
	removeImage(t, got.Images[0].ID)
	if got.Images[0].Build != "beside" || got.Errors[0].Build != "bad" || !strings.Contains(got.Errors[0].Message, "exited with status 7") ||
		got.Errors[1].Build != "above" || got.Errors[1].Message != "not baked, since bad, which it is made from, did not succeed" {
		t.Errorf("%+v", got)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	r = cloud.exec(ctx, dir, "bake", "--local", "late")
	if r.code != 130 || r.stdout != "" || strings.Contains(r.stderr, "late: plan") {
		t.Errorf("exit %d, stdout %q\n%s", r.code, r.stdout, r.stderr)
	}
}
