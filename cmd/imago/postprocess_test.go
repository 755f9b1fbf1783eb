package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// postProcessed runs post-processors on an image, and returns what was shown and the error.
func postProcessed(t *testing.T, all ...template.PostProcessor) (shown string, err error) {
	shown, _, err = processed(t, all...)
	return shown, err
}

// processed returns what they made, too.
func processed(t *testing.T, all ...template.PostProcessor) (shown string, made []artifact, err error) {
	t.Helper()
	var out strings.Builder
	c := newClock()
	b := &bake{session: newSession(strings.NewReader(""), io.Discard, &out), runID: "run-1"}
	b.secrets.Hide("hunter2")
	b.view = newTestView(c, nil)
	b.view.out = &plain{w: &out, format: layout{}.format, clean: b.view.clean, now: c.now}
	b.made.record("web", builder.Record{Act: builder.Made, Kind: builder.KindInstance, ID: "i-1"})
	build := template.Build{Name: "web", ScriptName: "web", Type: "amazon-ebs", PostProcessors: all}
	build.Config.SSH.User = "admin"
	made, err = b.postProcess(t.Context(), build, someResults()[0].image)
	return out.String(), made, err
}

// TestPostProcessorsStop: one that does not succeed ends its list, says where it
// stands in the template and that the image stays, and is no leak. Other lists run.
func TestPostProcessorsStop(t *testing.T) {
	ran := ""
	shell := func(name string, err error) template.PostProcessor {
		return template.PostProcessor{Name: name, Type: "shell-local", Where: "web.json:7", Shell: func(_ context.Context, _ builder.Facts, _ []string, stdout, stderr io.Writer) error {
			ran += name + " "
			fmt.Fprint(stdout, "hello ")
			fmt.Fprint(stdout, "from "+name+"\nhunt")
			fmt.Fprint(stdout, "er2\nhun\nter2")
			return err
		}}
	}
	other := shell("four", nil)
	other.Sequence = 1
	shown, err := postProcessed(t, shell("one", nil), shell("two", errors.New("exited with status 7")), shell("three", nil), other)
	if want := "web.json:7: post-processor two: exited with status 7; the image ami-2 stays"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if code := exitCode(err); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if ran != "one two four " {
		t.Errorf("ran %q", ran)
	}
	want := `==> web: post-processor one
    web: hello from one
    web: <sensitive>
    web: <sensitive>
    web: <sensitive>
==> web: post-processor two
    web: hello from two
    web: <sensitive>
    web: <sensitive>
    web: <sensitive>
==> web: post-processor four
    web: hello from four
    web: <sensitive>
    web: <sensitive>
    web: <sensitive>
`
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPostProcessorEnvironment: a script learns which image it is about.
func TestPostProcessorEnvironment(t *testing.T) {
	var env []string
	var facts builder.Facts
	_, err := postProcessed(t, template.PostProcessor{Name: "x", Shell: func(_ context.Context, f builder.Facts, e []string, _, _ io.Writer) error {
		env, facts = e, f
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PACKER_BUILD_NAME=web", "PACKER_BUILDER_TYPE=amazon-ebs", "PACKER_RUN_UUID=run-1",
		"IMAGO_IMAGE_ID=ami-2", "IMAGO_IMAGE_NAME=web hunter2", "IMAGO_REGION=us-west-2",
		"IMAGO_ARTIFACT_ID=eu-west-1:ami-3,us-west-2:ami-2", "IMAGO_SOURCE_IMAGE_ID=ami-1",
		"IMAGO_FINGERPRINT=",
		"IMAGO_REUSED=false",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment (-want +got)\n%s", diff)
	}
	wantFacts := builder.Facts{ID: "i-1", User: "admin", Region: "us-west-2", Source: builder.SourceImage{ID: "ami-1"}, RunID: "run-1"}
	if diff := cmp.Diff(wantFacts, facts); diff != "" {
		t.Errorf("facts (-want +got)\n%s", diff)
	}
}

func TestManifestPostProcessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "manifest.json")
	if _, err := postProcessed(t, template.PostProcessor{Name: "manifest", Manifest: &template.Manifest{Output: path, StripTime: true}}); err != nil {
		t.Fatal(err)
	}
	want := `{
  "builds": [
    {
      "name": "web",
      "builder_type": "amazon-ebs",
      "files": null,
      "artifact_id": "eu-west-1:ami-3,us-west-2:ami-2",
      "packer_run_uuid": "run-1",
      "custom_data": null
    }
  ],
  "last_run_uuid": "run-1"
}
`
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, string(got)))
	}
	if others, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(others) != 1 {
		t.Errorf("beside the manifest there is %q", others)
	}
}

// TestPostProcessorsHandOn: artifice and checksum hand files on to the rest of
// their list; the next list has the image again.
func TestPostProcessorsHandOn(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"dist/a.txt": "hi\n", "dist/b.txt": "ho\n", "c.bin": ""} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	parsed := parsedPostProcessors(t, `["manifest", [
		{"type": "artifice", "files": ["dist/*.txt", "c.bin"]},
		{"type": "checksum", "checksum_types": ["md5", "sha256"], "output": "sums/{{.BuildName}}.{{.ChecksumType}}"},
		{"type": "manifest", "output": "files.json", "strip_path": true, "strip_time": true}
	], {"type": "manifest", "output": "again.json"}]`)
	for range 2 { // the second time nothing is added to the sums
		_, made, err := processed(t, parsed...)
		if err != nil {
			t.Fatal(err)
		}
		files := []string{"dist/a.txt", "dist/b.txt", "c.bin"}
		sums := append(files, "sums/web.md5", "sums/web.sha256")
		want := []artifact{
			{kind: "packer.post-processor.artifice", text: "Created artifact from files: dist/a.txt, dist/b.txt, c.bin", files: files},
			{kind: "packer.post-processor.checksum", text: "Created artifact from files: dist/a.txt, dist/b.txt, c.bin, sums/web.md5, sums/web.sha256", files: sums},
		}
		if diff := cmp.Diff(want, made, cmp.AllowUnexported(artifact{})); diff != "" {
			t.Fatalf("made (-want +got)\n%s", diff)
		}
	}
	text, err := os.ReadFile("sums/web.md5")
	if want := "764efa883dda1e11db47671c4a3bbd9e\ta.txt\n79e7e210bdf335bb8651a46b9a8417ab\tb.txt\nd41d8cd98f00b204e9800998ecf8427e\tc.bin\n"; err != nil || string(text) != want {
		t.Errorf("sums: %v %s, want %s", err, text, want)
	}
	var got, again manifest
	for path, m := range map[string]*manifest{"files.json": &got, "again.json": &again} {
		data, err := os.ReadFile(path)
		if err := errors.Join(err, json.Unmarshal(data, m)); err != nil {
			t.Fatal(err)
		}
	}
	want := manifestBuild{Name: "web", BuilderType: "amazon-ebs", RunUUID: "run-1", Files: []manifestFile{{"a.txt", 3}, {"b.txt", 3}, {"c.bin", 0}, {"web.md5", 117}, {"web.sha256", 213}}}
	if diff := cmp.Diff(want, got.Builds[0]); diff != "" {
		t.Errorf("manifest of files (-want +got)\n%s", diff)
	}
	if b := again.Builds[0]; b.ArtifactID != "eu-west-1:ami-3,us-west-2:ami-2" || b.Files != nil {
		t.Errorf("manifest of the image: %+v", b)
	}
}

// TestArtificeFindsNothing: what no pattern matches is an error.
func TestArtificeFindsNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := postProcessed(t, parsedPostProcessors(t, `[{"type": "artifice", "files": ["*.img"]}]`)...)
	if want := "post-processor artifice: files: nothing here is called *.img; the image ami-2 stays"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// parsedPostProcessors reads a template's section.
func parsedPostProcessors(t *testing.T, section string) []template.PostProcessor {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.json")
	text := `{"builders": [{"type": "amazon-ebs", "name": "web", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "web"}],
		"post-processors": ` + section + `}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed, err := template.Parse(path, template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Builds[0].PostProcessors
}

// TestManifestSensitive: what is sensitive is not in the manifest, and somebody who wanted it there is told.
func TestManifestSensitive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.json")
	custom := map[string]string{"auth": "user:hunter2", "branch": "main"}
	shown, err := postProcessed(t, template.PostProcessor{Name: "manifest", Manifest: &template.Manifest{Output: path, CustomData: custom}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	var got manifest
	if err := errors.Join(err, json.Unmarshal(data, &got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"auth": "user:<sensitive>", "branch": "main"}, got.Builds[0].CustomData); diff != "" {
		t.Errorf("custom_data (-want +got)\n%s", diff)
	}
	if want := "==> web: warning: custom_data: auth holds a sensitive variable; " + path + " has <sensitive> in its place\n"; !strings.Contains(shown, want) {
		t.Errorf("shown is %q, without %q", shown, want)
	}
	if custom["auth"] != "user:hunter2" {
		t.Error("the template's own data has changed")
	}
}

// TestManifestGrows: builds are appended, until a run with -force begins anew.
func TestManifestGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.json")
	for _, step := range []struct {
		name, run string
		fresh     bool
		want      string
	}{
		{"web", "run-1", false, "web run-1"},
		{"db", "run-1", false, "web db run-1"},
		{"web", "run-2", false, "web db web run-2"},
		{"web", "run-3", true, "web run-3"},
		{"db", "run-3", true, "web db run-3"},
	} {
		b := manifestBuild{Name: step.name, BuilderType: "amazon-ebs", BuildTime: 1762000000, RunUUID: step.run, CustomData: map[string]string{"a": "<b>"}}
		if err := addToManifest(t.Context(), path, b, step.fresh); err != nil {
			t.Fatal(err)
		}
		if got := manifestNames(t, path); got != step.want {
			t.Errorf("after %s of %s: %s, want %s", step.name, step.run, got, step.want)
		}
	}
}

// TestManifestTogether: builds that end at the same time all are in it.
func TestManifestTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.json")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := addToManifest(t.Context(), path, manifestBuild{Name: "web", RunUUID: "run-1"}, true); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if want := strings.Repeat("web ", 20) + "run-1"; manifestNames(t, path) != want {
		t.Errorf("got %s", manifestNames(t, path))
	}
}

// TestManifestIsNotOne: what is not a manifest is left alone.
func TestManifestIsNotOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("my notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := addToManifest(t.Context(), path, manifestBuild{Name: "web"}, true)
	if err == nil || !strings.Contains(err.Error(), path+" is not a manifest") {
		t.Errorf("error %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "my notes" {
		t.Errorf("now it holds %q", got)
	}
}

// manifestNames are the names of a manifest's builds and its last run.
func manifestNames(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range m.Builds {
		names = append(names, b.Name)
	}
	return strings.Join(append(names, m.LastRunUUID), " ")
}
