package project_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/imagobuild/imago/builder/project"
)

// write puts files, given as path and contents in turn, into a new directory.
func write(t *testing.T, files ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read reads the project in a directory, in whose place errors have DIR.
func read(dir string, o project.Options) (*project.Project, error) {
	p, err := project.Read(filepath.Join(dir, "imago.hcl"), o)
	if err != nil {
		err = fmt.Errorf("%s", strings.ReplaceAll(err.Error(), dir+"/", ""))
	}
	return p, err
}

// shop is a project with a bit of everything.
const shop = `
application         = "shop"
default_environment = "staging"

variable "size" {
  type    = number
  default = 1
}
variable "token" {
  default   = "hunter2"
  sensitive = true
}
locals {
  app = "app-${var.size}"
}

image "carnivore" {
  from          = "primal"
  from_variable = "SOURCE_ID"
  template      = "web.json"
  only          = ["web"]
  var_files     = ["web.vars.json"]
  vars = {
    NODE_ENV = environment.name
    SIZE     = var.size
    APP      = local.app
    LIST     = ["a", "b"]
    HOME     = env("HOME")
    NONE     = null
    NAME     = upper(application)
  }
  build {
    command = "npm run build"
    dir     = "web"
    env     = { B = 2, A = "1" }
    inputs  = ["src/**", "package.json"]
    output  = "web/out"
  }
  retention {
    keep = 3
    days = 30
  }
}

image "primal" {
  template = "web.json"
}

environment "production" {
  region    = "eu-west-1"
  variables = { size = 3 }
  deploy {
    instance_type = "t3.small"
    min           = 2
    domain        = "${environment.name}.example.com"
    zone          = "example.com"
    certificate   = "arn:aws:acm:eu-west-1:1:certificate/c"
    port          = 8080
    health_path   = "/up"
    keep_warm     = "30m"
    watch         = "0s"
    timeout       = "3m"
    vpc_id        = "vpc-1"

    requests_per_target = 600
    version_header      = "X-Version"
    key_name            = "shop"
    instance_profile    = "web"

    subnet_ids    = ["subnet-1", "subnet-2"]
  }
}

environment "staging" {
  deploy {
    instance_type = "t3.micro"
  }
}

retention {
  keep = 9
}
`

func shopDir(t *testing.T) string {
	return write(t, "imago.hcl", shop, "web.json", "{}", "web.vars.json", "{}", "web/x", "")
}

func home(name string) (string, bool) { return "/home/baker", name == "HOME" }

// TestRead: a whole project, for an environment that is asked for.
func TestRead(t *testing.T) {
	dir := shopDir(t)
	got, err := read(dir, project.Options{Environment: "production", Env: home})
	if err != nil {
		t.Fatal(err)
	}
	production := project.Environment{Name: "production", Region: "eu-west-1", Deploy: &project.Deploy{
		Image: "carnivore", InstanceType: "t3.small", Min: 2, Max: project.DefaultMax, Desired: 2,
		Domain: "production.example.com", Zone: "example.com", Certificate: "arn:aws:acm:eu-west-1:1:certificate/c",
		Port: 8080, HealthPath: "/up", KeepWarm: 30 * time.Minute, Timeout: 3 * time.Minute,
		RequestsPerTarget: 600, VersionHeader: "X-Version", Key: "shop", Profile: "web",
		VPC: "vpc-1", Subnets: []string{"subnet-1", "subnet-2"},
	}}
	staging := project.Environment{Name: "staging", Deploy: &project.Deploy{
		Image: "carnivore", InstanceType: "t3.micro", Min: 1, Max: project.DefaultMax, Desired: 1,
		Port: project.DefaultPort, HealthPath: project.DefaultHealthPath, KeepWarm: project.DefaultKeepWarm, Watch: project.DefaultWatch,
		Timeout: project.DefaultTimeout, VersionHeader: project.DefaultVersionHeader,
	}}
	want := &project.Project{
		Path: filepath.Join(dir, "imago.hcl"), Dir: dir, Application: "shop",
		Environment: production, Environments: []project.Environment{production, staging},
		Images: []project.Image{
			{Name: "primal", Template: "web.json"},
			{
				Name: "carnivore", From: "primal", FromVariable: "SOURCE_ID", Template: "web.json",
				Only: []string{"web"}, VarFiles: []string{"web.vars.json"},
				Variables: map[string]string{
					"NODE_ENV": "production", "SIZE": "3", "APP": "app-3", "LIST": `["a","b"]`, "HOME": "/home/baker", "NAME": "SHOP",
				},
				Command: &project.Command{
					Line: "npm run build", Dir: filepath.Join(dir, "web"), Env: []string{"A=1", "B=2"},
					Inputs: []string{"src/**", "package.json"}, Output: filepath.Join(dir, "web/out"),
				},
				Retention: &project.Retention{Keep: 3, Days: 30},
			},
		},
		Sensitive: []string{"hunter2"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(project.Project{}, project.Image{})); diff != "" {
		t.Error(diff)
	}
}

// TestVariables: a value's sources, from the weakest to the strongest.
func TestVariables(t *testing.T) {
	dir := shopDir(t)
	env := map[string]string{}
	o := project.Options{Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }, Vars: map[string]string{}}
	check := func(want string) {
		t.Helper()
		p, err := read(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Images[1].Variables["SIZE"]; got != want {
			t.Errorf("the value is %s, want %s", got, want)
		}
	}
	check("1") // of staging, which says nothing
	o.Environment = "production"
	check("3")
	env["PKR_VAR_size"] = "4"
	check("4")
	o.VarFiles = []string{filepath.Join(write(t, "v.hcl", "size = 5\n"), "v.hcl")}
	check("5")
	o.Vars["size"] = "6"
	check("6")
}

// TestEnvironmentInLocals: what is said of the environment is said of the chosen one, wherever it is in the file.
func TestEnvironmentInLocals(t *testing.T) {
	dir := write(t, "t.json", "{}", "imago.hcl", `locals {
  name  = "${application}-${environment.name}-${environment.region}"
  place = "eu-west"
}
application         = "shop"
default_environment = "b"
environment "a" {
  region = "us-east-1"
}
environment "b" {
  region = "${local.place}-1"
}
environment "c" {
  deploy {
    instance_type = "t3.small"
    domain        = "${environment.name}.example.com"
  }
}
image "web" {
  template = "t.json"
  vars     = { name = local.name, here = environment.name }
}
`)
	p, err := read(dir, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"name": "shop-b-eu-west-1", "here": "b"}
	if diff := cmp.Diff(want, p.Images[0].Variables); diff != "" || p.Environments[2].Deploy.Domain != "c.example.com" {
		t.Errorf("%s; c is at %s", diff, p.Environments[2].Deploy.Domain)
	}
}

// TestRetention: an image's own goes before the project's.
func TestRetention(t *testing.T) {
	p, err := read(shopDir(t), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := []project.Retention{p.Retention("carnivore"), p.Retention("primal"), p.Retention("of another project")}
	if want := []project.Retention{{Keep: 3, Days: 30}, {Keep: 9}, {Keep: 9}}; !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	if got[0].All() || !(project.Retention{}).All() {
		t.Error("only the zero value keeps everything")
	}
}

// TestOrder: each image comes after the one below it, and otherwise as in the file.
func TestOrder(t *testing.T) {
	image := func(name, from string) string {
		if from != "" {
			from = fmt.Sprintf("from = %q\n", from)
		}
		return fmt.Sprintf("image %q {\ntemplate = \"t.json\"\n%s}\n", name, from)
	}
	dir := write(t, "t.json", "{}", "imago.hcl", "application = \"a\"\n"+
		image("d", "c")+image("x", "")+image("c", "b")+image("b", "")+image("y", "b"))
	p, err := read(dir, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ ask, want string }{
		{"", "x b y c d"},
		{"c", "b c"},
		{"x", "x"},
		{"y d", "b y c d"},
		{"b c b", "b c"},
	} {
		images, err := p.Select(strings.Fields(tt.ask)...)
		if err != nil {
			t.Error(err)
		}
		var got []string
		for _, i := range images {
			got = append(got, i.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q: %q, want %q", tt.ask, got, tt.want)
		}
	}
	if _, err := p.Select("b", "z1"); err == nil || !strings.HasSuffix(err.Error(), "has no image z1; it has x, b, y, c, d") {
		t.Error(err)
	}
}
