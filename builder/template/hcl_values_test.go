package template_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

// TestPrecedenceHCL: the default, the environment, the automatic files by name, the named files in their order, -var.
func TestPrecedenceHCL(t *testing.T) {
	files := map[string]string{
		"t.pkr.hcl": hclBake("", "", `variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
variable "d" { default = "default" }
variable "e" { default = "default" }
variable "f" { type = list(string) }
variable "g" { type = number }
variable "h" { type = bool }
variable "i" {
  type     = string
  default  = "kept"
  nullable = false
}
variable "j" {
  type    = string
  default = "x"
}`),
		"1.auto.pkrvars.hcl":  "c = \"auto 1\"\nd = \"auto 1\"\ne = \"auto 1\"\ni = null\nj = null",
		"2.auto.pkrvars.json": `{"d": "auto 2", "e": "auto 2", "g": "7", "unknown": 1}`,
		"x.pkrvars.hcl":       "e = \"file\"\nd = \"file\"",
	}
	got, err := parseHCL(t, files, func(o *template.Options) {
		o.VarFiles, o.Vars = []string{"x.pkrvars.hcl"}, map[string]string{"e": "flag ${not} a template", "h": "true"}
		o.Env = func(name string) (string, bool) {
			v, ok := map[string]string{"PKR_VAR_b": "env", "PKR_VAR_c": "env", "PKR_VAR_f": `["x", "y"]`}[name]
			return v, ok
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, v := range got.Variables {
		values[v.Name] = v.Value
	}
	want := map[string]string{
		"a": "default", "b": "env", "c": "auto 1", "d": "file", "e": "flag ${not} a template",
		"f": "[\n  \"x\",\n  \"y\",\n]", "g": "7", "h": "true", "i": "kept", "j": "null",
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestAutoFilesOfOneFile: a single file is the whole template, without the automatic variable files beside it.
func TestAutoFilesOfOneFile(t *testing.T) {
	o := options(nil)
	o.Getwd = t.TempDir()
	write(t, filepath.Join(o.Getwd, "t.pkr.hcl"), hclBake("  profile = var.p", "", `variable "p" { default = "default" }`))
	write(t, filepath.Join(o.Getwd, "x.auto.pkrvars.hcl"), `p = "auto"`)
	for path, want := range map[string]string{"t.pkr.hcl": "default", ".": "auto"} {
		got, err := template.Parse(path, o)
		if err != nil {
			t.Fatal(err)
		}
		if p := got.Builds[0].Access.Profile; p != want {
			t.Errorf("%s: profile %q, want %q", path, p, want)
		}
	}
}

// TestUndeclaredHCL: a value that no variable takes is told when asked for, and else passed over: files are shared.
func TestUndeclaredHCL(t *testing.T) {
	files := map[string]string{"t.pkr.hcl": hclBake("", "", `variable "region" { default = "" }`), "x.auto.pkrvars.hcl": "regon = \"x\"\n"}
	for warn, want := range map[bool][]string{false: nil, true: {`x.auto.pkrvars.hcl:1: there is no variable "regon"; did you mean "region"?`}} {
		got, err := parseHCL(t, files, func(o *template.Options) { o.WarnUndeclared = warn })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Warnings); diff != "" {
			t.Errorf("warnings (-want +got):\n%s", diff)
		}
	}
}

// TestTry: what is not there is no mistake where the template reckons with it.
func TestTry(t *testing.T) {
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": hclBake(`  profile = try(var.x, local.x, data.http.x.body, build.ID, "fallback")`, "", "")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Builds[0].Access.Profile; p != "fallback" {
		t.Errorf("profile %q", p)
	}
}

// TestSensitiveHCL: every text in a sensitive variable or local is hidden.
func TestSensitiveHCL(t *testing.T) {
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": hclBake("  profile = local.l", "", `variable "v" {
  type      = map(list(string))
  default   = { a = ["one", "two"], b = ["three"] }
  sensitive = true
}
local "l" {
  expression = "${var.v.a[0]}-${var.v.b[0]}"
  sensitive  = true
}`)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", "two", "three", "one-three"}, got.Sensitive); diff != "" {
		t.Errorf("sensitive (-want +got):\n%s", diff)
	}
}

// TestJSONSyntax: the same language, written as JSON.
func TestJSONSyntax(t *testing.T) {
	got, err := parseHCL(t, map[string]string{"t.pkr.json": `{
  "variable": {"sizes": {"type": "list(number)", "default": [8, 9]}},
  "locals": {"name": "web-${length(var.sizes)}"},
  "source": {"amazon-ebs": {"web": {
    "source_ami_filter": {"owners": ["self"], "filters": {"name": "x-*"}},
    "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "${local.name} {{timestamp}}",
    "launch_block_device_mappings": [{"device_name": "/dev/a"}, {"device_name": "/dev/b"}],
    "dynamic": {"tag": {"for_each": "${var.sizes}", "content": {"key": "k${tag.key}", "value": "${tag.value}"}}}
  }}},
  "build": {
    "sources": ["amazon-ebs.web"],
    "provisioner": [{"shell": {"inline": ["echo ${build.ID}"]}}, {"sleep": {"duration": "1s"}}],
    "post-processors": {"post-processor": {"manifest": {}}}
  }
}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := got.Builds[0]
	in, out := b.Config.Instance, b.Config.Output
	if in.BlockDevices[0].DeviceName != "/dev/a" || in.BlockDevices[1].DeviceName != "/dev/b" || len(b.Config.Steps) != 2 || len(b.PostProcessors) != 1 {
		t.Errorf("it is %s", readable(t, b))
	}
	if diff := cmp.Diff(map[string]string{"k0": "8", "k1": "9"}, out.Tags); diff != "" || out.Name != "web-2 1772600767" {
		t.Errorf("the image is called %q; tags (-want +got):\n%s", out.Name, diff)
	}
	if b.Config.Source.Filter.Filters["name"][0] != "x-*" {
		t.Errorf("the filter is %v", b.Config.Source.Filter)
	}
}

// TestInspectHCL: the shape is there without values, files or required variables.
func TestInspectHCL(t *testing.T) {
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": hclBake("  ssh_private_key_file = \"gone\"\n  profile = var.needed", `
  provisioner "shell" { script = "gone" }
  provisioner "ansible" {}
  post-processors {
    post-processor "manifest" {}
    post-processor "shell-local" {}
  }`, `variable "needed" {}
variable "list" { default = ["a"] }
locals {
  gone = file("gone")
  here = "${var.needed}!"
  list = concat(var.list, ["b"])
}`)}, func(o *template.Options) { o.Inspect = true })
	if err != nil {
		t.Fatal(err)
	}
	list := "[\n  \"a\",\n]"
	want := &template.Template{
		Path: ".",
		Variables: []template.Variable{
			{Name: "list", Default: &list, Value: list},
			{Name: "needed", Value: "<unknown>", Required: true},
		},
		Builds:       []template.Build{{Name: "amazon-ebs.web", ScriptName: "web", Type: "amazon-ebs"}},
		Provisioners: []string{"shell", "ansible"},
		Outline: &template.Outline{
			Locals: []template.Variable{
				{Name: "gone", Value: "<unknown>"}, {Name: "here", Value: "<unknown>"}, {Name: "list", Value: "[\n  \"a\",\n  \"b\",\n]"},
			},
			Builds: []template.OutlineBuild{{
				Sources: []string{"amazon-ebs.web"}, Provisioners: []string{"shell", "ansible"}, PostProcessors: [][]string{{"manifest", "shell-local"}},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

// TestSelectionHCL: builds are named by block, type and source, and selected by patterns.
func TestSelectionHCL(t *testing.T) {
	text := hclBake("", "", `source "docker" "web" {}
build {
  name = "release"
  sources = ["amazon-ebs.web", "docker.web"]
  source "amazon-ebs.web" { name = "second" }
  provisioner "ansible" { only = ["docker.web"] }
  provisioner "shell" {
    inline = ["true"]
    except = ["amazon-ebs.second"]
  }
}`)
	for _, tt := range []struct {
		only, except []string
		want         string
	}{
		{only: []string{"amazon-ebs.*"}, want: "amazon-ebs.web: 0"},
		{only: []string{"release.amazon-ebs.web"}, want: "release.amazon-ebs.web: 1"},
		{only: []string{"*.second", "amazon-ebs.web"}, want: "amazon-ebs.web: 0, release.amazon-ebs.second: 0"},
		{except: []string{"*docker*"}, want: "amazon-ebs.web: 0, release.amazon-ebs.web: 1, release.amazon-ebs.second: 0"},
	} {
		got, err := parseHCL(t, map[string]string{"t.pkr.hcl": text}, func(o *template.Options) { o.Only, o.Except = tt.only, tt.except })
		if err != nil {
			t.Fatal(err)
		}
		var builds []string
		for _, b := range got.Builds {
			builds = append(builds, b.Name+": "+string(rune('0'+len(b.Config.Steps))))
		}
		if s := strings.Join(builds, ", "); s != tt.want {
			t.Errorf("only %v, except %v: %s; want %s", tt.only, tt.except, s, tt.want)
		}
		if want := "t.pkr.hcl:13: the builder docker is not supported yet; release.docker.web is left out, as it is not selected"; len(got.Warnings) != 1 || got.Warnings[0] != want {
			t.Errorf("warnings %q", got.Warnings)
		}
	}
}
