package template_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

// parse writes text to t.json in a new directory and parses it there.
func parse(t *testing.T, text string, change func(dir string, o *template.Options)) *template.Template {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t.json"), text)
	o := options(nil)
	o.Getwd = dir
	if change != nil {
		change(dir, &o)
	}
	got, err := template.Parse("t.json", o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestPrecedence: the default, then the files in their order, then -var.
func TestPrecedence(t *testing.T) {
	text := bake("", `, "variables": {"a": "default", "b": "default", "c": "default {{user `+"`d`"+`}}", "d": "default", "e": null, "f": 1.50}`)
	got := parse(t, text, func(dir string, o *template.Options) {
		write(t, filepath.Join(dir, "1.json"), `{"a": "one", "b": "one", "d": 1, "unknown": "fine"}`)
		write(t, filepath.Join(dir, "2.json"), `{"b": "two", "e": "{{env `+"`OWNER`"+`}}"}`)
		o.VarFiles = []string{"1.json", "2.json"}
		o.Vars = map[string]string{"d": "flag"}
	})
	values := map[string]string{}
	for _, v := range got.Variables {
		values[v.Name] = v.Value
	}
	want := map[string]string{"a": "one", "b": "two", "c": "default flag", "d": "flag", "e": "Zoë", "f": "1.5"}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestSeed: with the same seed and time a template says the same, and so does each of its builds alone.
func TestSeed(t *testing.T) {
	text := `{"builders": [{"type": "amazon-ebs", "name": "a", "ami_name": "a {{uuid}} {{uuid}}"}, {"type": "amazon-ebs", "name": "b", "ami_name": "b {{uuid}}"}]}`
	text = strings.ReplaceAll(text, `"ami_name"`, `"region": "us-east-1", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name"`)
	images := func(seed string, only ...string) (all []string) {
		for _, b := range parse(t, text, func(_ string, o *template.Options) { o.Seed, o.Only = seed, only }).Builds {
			all = append(all, b.Config.Output.Name)
		}
		return all
	}
	first, alone, other := images("one"), images("one", "b"), images("two")
	if diff := cmp.Diff(first, images("one")); diff != "" || alone[0] != first[1] || other[0] == first[0] {
		t.Errorf("%q, alone %q, with another seed %q\n%s", first, alone, other, diff)
	}
	if uuids := strings.Fields(first[0]); uuids[1] == uuids[2] {
		t.Errorf("the same twice in %q", first[0])
	}
}

// TestUndeclared: a variable that is only used may be given; not given, it is
// empty, and there is a warning.
func TestUndeclared(t *testing.T) {
	text := bake(", \"profile\": \"{{user `p`}}\", \"vpc_id\": \"{{user `q`}}\"", "")
	got := parse(t, text, func(_ string, o *template.Options) { o.Vars = map[string]string{"p": "bakery"} })
	if b := got.Builds[0]; b.Access.Profile != "bakery" || b.Config.Network.VPC != "" {
		t.Errorf("profile is %q, vpc_id %q", b.Access.Profile, b.Config.Network.VPC)
	}
	want := []string{"t.json: variable q is used, but it is neither declared nor given: it is empty"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestIdle: options without an effect are told, not passed over.
func TestIdle(t *testing.T) {
	got := parse(t, bake(`, "skip_region_validation": true, "ssh_file_transfer_method": "scp"`, `, "push": {"name": "x"}`), nil)
	want := []string{
		"t.json: push has no effect: the service it was for is gone",
		"t.json: skip_region_validation has no effect: regions are not validated beforehand",
		"t.json: ssh_file_transfer_method has no effect: files always travel by SFTP",
	}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

const three = `{
  "builders": [
    {"type": "amazon-ebs", "name": "a", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "aaa"},
    {"type": "amazon-ebs", "name": "b", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "bbb"},
    {"type": "docker"}
  ],
  "provisioners": [
    {"type": "shell", "inline": ["true"], "only": ["a", "docker"]},
    {"type": "ansible", "playbook_file": "x", "only": ["docker"]}
  ],
  "post-processors": ["manifest", {"type": "manifest", "name": "m2", "except": ["a"]}, {"type": "vagrant", "only": ["docker"]}]
}`

// TestSelection: what is not selected is not looked at.
func TestSelection(t *testing.T) {
	tests := []struct {
		only, except []string
		want         []string
	}{
		{only: []string{"b", "a"}, want: []string{"a: 1 steps, [manifest]", "b: 0 steps, [manifest m2]"}},
		{only: []string{"b"}, want: []string{"b: 0 steps, [manifest m2]"}},
		{except: []string{"docker", "m2"}, want: []string{"a: 1 steps, [manifest]", "b: 0 steps, [manifest]"}},
		{except: []string{"docker", "a", "manifest"}, want: []string{"b: 0 steps, []"}},
	}
	for _, tt := range tests {
		got := parse(t, three, func(_ string, o *template.Options) { o.Only, o.Except = tt.only, tt.except })
		var builds []string
		for _, b := range got.Builds {
			var posts []string
			for _, p := range b.PostProcessors {
				posts = append(posts, p.Name)
			}
			builds = append(builds, fmt.Sprintf("%s: %d steps, %v", b.Name, len(b.Config.Steps), posts))
		}
		if !slices.Equal(builds, tt.want) {
			t.Errorf("only %v, except %v: %q, want %q", tt.only, tt.except, builds, tt.want)
		}
	}
}

// TestInspect: the shape is there without values, files or required variables.
func TestInspect(t *testing.T) {
	const web = "web-{{user `a`}}"
	text := `{
  "variables": {"a": null, "b": "{{env ` + "`OWNER`" + `}}"},
  "builders": [{"type": "amazon-ebs", "name": "` + web + `", "ssh_private_key_file": "gone"}, {"type": "docker"}],
  "provisioners": [{"type": "shell", "script": "gone"}, {"type": "ansible"}]
}`
	got := parse(t, text, func(_ string, o *template.Options) { o.Inspect = true })
	b := "{{env `OWNER`}}"
	want := &template.Template{
		Path: "t.json", Variables: []template.Variable{{Name: "a", Required: true}, {Name: "b", Default: &b}},
		Builds:       []template.Build{{Name: web, ScriptName: web, Type: "amazon-ebs"}, {Name: "docker", ScriptName: "docker", Type: "docker"}},
		Provisioners: []string{"shell", "ansible"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

// TestForce: -force replaces an older image of the same name.
func TestForce(t *testing.T) {
	got := parse(t, bake("", ""), func(_ string, o *template.Options) { o.Force = true })
	if !got.Builds[0].Config.Output.ReplaceExisting {
		t.Error("the older image stays")
	}
}
