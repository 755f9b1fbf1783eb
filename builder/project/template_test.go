package project_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/scripts"
)

// one is a template of one image, with a variable for the image below.
const one = `{
  "variables": {"SOURCE_ID": null, "MODE": "a", "KEY": ""}, "sensitive-variables": ["KEY"],
  "builders": [{"type": "amazon-ebs", "region": "us-east-1", "source_ami": "{{user ` + "`SOURCE_ID`" + `}}", "instance_type": "t3.micro",
    "ssh_username": "admin", "ami_name": "shop", "tags": {"Team": "web"}}],
  "provisioners": [{"type": "file", "source": "out/app", "destination": "/tmp/app"}, {"type": "shell", "inline": ["echo {{user ` + "`MODE`" + `}}"]}]
}`

// now is when all templates are read.
func now() template.Options {
	return template.Options{Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
}

// image reads a project, and returns one of its images.
func image(t *testing.T, dir, name, environment string) (*project.Project, project.Image) {
	t.Helper()
	p, err := read(dir, project.Options{Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(p.Images, func(i project.Image) bool { return i.Name == name })
	return p, p.Images[i]
}

// TestTemplate: the id of the image below goes where the project says, with the environment's region and whose the image is.
func TestTemplate(t *testing.T) {
	for name, tt := range map[string]struct{ source, how, want string }{
		"by variable": {"null", `from_variable = "SOURCE_ID"`, "ami-below"},
		"by override": {`"ami-base"`, "", "ami-below"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, "t.json", strings.Replace(one, "null", tt.source, 1), "imago.hcl", `application = "shop"
variable "key" {
  default = "hunter2"
  sensitive = true
}
image "web" {
  template = "t.json"
  from = "base"
  `+tt.how+`
  vars = { MODE = environment.name, KEY = "secret key" }
  build {
    command = "true"
    output = "out"
  }
}
image "base" {
  template = "t.json"
  vars = { SOURCE_ID = "ami-1" }
}
environment "staging" {
  region = "eu-west-1"
}
`)
			p, web := image(t, dir, "web", "")
			got, err := p.Template(web, "ami-below", now())
			if err != nil {
				t.Fatal(err)
			}
			want := builder.Config{
				Name: "web", Region: "eu-west-1", Source: builder.Source{ID: tt.want},
				Instance: builder.Instance{Type: "t3.micro"}, SSH: builder.SSH{User: "admin"},
				Output: builder.Output{Name: "shop", Tags: map[string]string{
					"Team": "web", builder.TagApplication: "shop", builder.TagImage: "web", builder.TagEnvironment: "staging",
				}},
				Sensitive: []string{"secret key", "hunter2"},
			}
			have := got.Builds[0].Config
			steps := have.Steps
			have.Steps, have.SSH.ForwardAgent = nil, false
			if diff := cmp.Diff(want, have); diff != "" {
				t.Error(diff)
			}
			if run := steps[1].(builder.Run); !strings.HasSuffix(string(run.Scripts[0].Body), "echo staging\n") {
				t.Errorf("the script is %q", run.Scripts[0].Body)
			}
			if b := got.Builds[0]; b.Name != "web" || b.ScriptName != "amazon-ebs" || b.Access.Region != "eu-west-1" {
				t.Errorf("the build is %s, for scripts %s, in %s", b.Name, b.ScriptName, b.Access.Region)
			}
		})
	}
}

// TestTemplateMistakes: what is wrong with a template is told in the words of the project file, at its place there.
func TestTemplateMistakes(t *testing.T) {
	two := strings.Replace(one, `"builders": [`, `"builders": [{"name": "b", "type": "amazon-ebs", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "x", "ami_name": "two"}, `, 1)
	dir := write(t, "out/app", "", "t.json", one, "two.json", two, "fixed.json", strings.ReplaceAll(one, "{{user `SOURCE_ID`}}", "ami-fixed"),
		"skip.json", strings.Replace(one, `"ami_name"`, `"skip_create_ami": true, "ami_name"`, 1), "imago.hcl", `application = "shop"
image "base" {
  template = "t.json"
  vars = { SOURCE_IDS = "ami-1" }
  var_files = ["imago.hcl"]
  except = ["a"]
}
image "web" {
  template = "t.json"
  from = "base"
}
image "two" {
  template = "two.json"
  vars = { SOURCE_ID = "ami-1" }
}
image "fixed" {
  template = "fixed.json"
  from = "base"
  from_variable = "SOURCE_ID"
}
image "skip" {
  template = "skip.json"
  vars = { SOURCE_ID = "ami-1" }
}
`)
	for name, want := range map[string]string{
		"base": `imago.hcl:4:10: image base: vars: SOURCE_IDS: t.json has no such variable; did you mean "SOURCE_ID"?
  4 |   vars = { SOURCE_IDS = "ami-1" }
    |          ^^^^^^^^^^^^^^^^^^^^^^^^
imago.hcl:6:12: image base: except: a: t.json has no such build or post-processor
  6 |   except = ["a"]
    |            ^^^^^
imago.hcl:1:1: 'a' where a value should be
t.json:2:30: variable SOURCE_ID has no value; give one in vars of image base, SOURCE_ID=VALUE or var_files`,
		"web": `t.json:2:30: variable SOURCE_ID has no value; if the id of base is to go there, name it in from_variable; else give one in vars of image web, SOURCE_ID=VALUE or var_files`,
		"two": `imago.hcl:13:14: image two: two.json makes 2 images, and must make one: choose it with only = ["NAME"], of b, amazon-ebs
  13 |   template = "two.json"
     |              ^^^^^^^^^^`,
		"fixed": `imago.hcl:19:19: image fixed: from_variable is "SOURCE_ID", but the source image of fixed.json is not that variable: make it so, or leave from_variable out
  19 |   from_variable = "SOURCE_ID"
     |                   ^^^^^^^^^^^`,
		"skip": `imago.hcl:22:14: image skip: skip.json says skip_create_ami, so that there is no image
  22 |   template = "skip.json"
     |              ^^^^^^^^^^^`,
	} {
		p, i := image(t, dir, name, "")
		_, err := p.Template(i, project.Unknown, now())
		if err == nil {
			t.Errorf("%s is taken", name)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), dir+"/", ""); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestRecipes: a recipe is what the templates of a new project say.
func TestRecipes(t *testing.T) {
	files, err := scripts.Project("shop")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, f.Path, string(f.Content))
	}
	dir := write(t, append(all, "tmp/appserver/x", "", "imago.hcl", `application = "shop"
image "primal" {
  template = "deploy/templates/primal.json"
}
image "carnivore" {
  template = "deploy/templates/carnivore.json"
  from = "primal"
  from_variable = "SOURCE_ID"
}
image "base" {
  recipe = "primal"
  source_ami = "ami-22de994a"
  packages = ["deploy/mailtube/package.json"]
}
image "web" {
  recipe = "carnivore"
  from = "base"
  app = "tmp/appserver"
  config = "deploy/env/staging.json"
}
environment "staging" {}
`)...)
	for name, recipe := range map[string]string{"primal": "base", "carnivore": "web"} {
		p, as := image(t, dir, name, "")
		_, is := image(t, dir, recipe, "")
		want, err := p.Template(as, "ami-below", now())
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Template(is, "ami-below", now())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(essence(t, want.Builds[0].Config), essence(t, got.Builds[0].Config)); diff != "" {
			t.Errorf("the recipe %s (-the template, +the recipe):\n%s", name, diff)
		}
	}
}

// essence is what a machine sees of a bake: which image, each file by where it goes, the script and its variables.
func essence(t *testing.T, c builder.Config) map[string]string {
	t.Helper()
	all := map[string]string{"source": c.Source.ID, "type": c.Instance.Type, "user": c.SSH.User}
	for _, s := range c.Steps {
		switch s := s.(type) {
		case builder.Upload:
			for _, tree := range s.Trees {
				addFiles(t, all, tree)
			}
		case builder.Run:
			all["script"] = string(s.Scripts[0].Body)
			for _, kv := range s.Scripts[0].Env {
				if name, value, _ := strings.Cut(kv, "="); value != "" && !strings.HasPrefix(name, "PACKER_") {
					all["$"+name] = value
				}
			}
		}
	}
	return all
}

func addFiles(t *testing.T, all map[string]string, tree provision.Tree) {
	t.Helper()
	if tree.Source == "" {
		all[tree.Dest] = string(tree.Content)
		return
	}
	err := filepath.WalkDir(tree.Source, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, _ := filepath.Rel(tree.Source, path)
		data, err := os.ReadFile(path)
		all[filepath.Join(tree.Dest, below)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestUUIDs: with one seed, each image has its own, and the same ones each time.
func TestUUIDs(t *testing.T) {
	dir := write(t, "out/app", "", "t.json", strings.Replace(one, `"shop"`, `"{{uuid}}"`, 1), "imago.hcl", `application = "shop"
image "a" {
  template = "t.json"
  vars = { SOURCE_ID = "ami-1" }
}
image "b" {
  template = "t.json"
  vars = { SOURCE_ID = "ami-1" }
}
`)
	name := func(which string) string {
		t.Helper()
		p, i := image(t, dir, which, "")
		o := now()
		o.Seed = "seed"
		got, err := p.Template(i, "", o)
		if err != nil {
			t.Fatal(err)
		}
		return got.Builds[0].Config.Output.Name
	}
	if a, b := name("a"), name("b"); a == b || a != name("a") {
		t.Errorf("the names are %s and %s, and then %s", a, b, name("a"))
	}
}
