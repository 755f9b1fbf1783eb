//go:build unix

package template_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// TestLate: what needs the machine is evaluated when it is there.
func TestLate(t *testing.T) {
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": hclBake("", `
  name = "release"
  provisioner "shell" {
    inline           = ["echo ${upper(build.ID)} on ${source.name} of ${build.name}"]
    environment_vars = ["HOST=${build.Host}:${build.Port}"]
    override         = { web = { inline_shebang = "/bin/${build.User}" } }
  }
  provisioner "shell" { inline = ["echo ${build.name}"] }
  provisioner "shell-local" { inline = ["echo ${build.ID} $PACKER_BUILD_NAME"] }
  post-processor "manifest" { custom_data = { id = build.ID, base = build.SourceAMI } }`, "")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	steps := got.Builds[0].Config.Steps
	run := steps[0].(builder.Run)
	scripts, err := run.Late(facts())
	if err != nil {
		t.Fatal(err)
	}
	if want := "#!/bin/admin\necho I-0ABC on web of release\n"; string(scripts[0].Body) != want {
		t.Errorf("the script is %q, want %q", scripts[0].Body, want)
	}
	if diff := cmp.Diff([]string{"HOST=192.0.2.9:22", "PACKER_BUILDER_TYPE=amazon-ebs", "PACKER_BUILD_NAME=web"}, scripts[0].Env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if steps[1].(builder.Run).Late != nil {
		t.Error("a script without facts is read again")
	}
	var out strings.Builder
	if err := steps[2].(builder.Local).Do(t.Context(), facts(), &out, &out); err != nil || out.String() != "i-0abc web\n" {
		t.Errorf("shell-local wrote %q, %v", &out, err)
	}
	data, err := got.Builds[0].PostProcessors[0].Manifest.Data(facts())
	if diff := cmp.Diff(map[string]string{"id": "i-0abc", "base": "ami-0abc"}, data); diff != "" || err != nil {
		t.Errorf("%v, custom data (-want +got):\n%s", err, diff)
	}
}

// TestLateTogether: builds that run at the same time evaluate what they need at the same time.
func TestLateTogether(t *testing.T) {
	text := hclBake("", `
  source "amazon-ebs.web" { name = "second" }
  provisioner "shell" {
    inline   = ["echo ${local.greeting} ${source.name} ${build.ID} ${aws_secretsmanager("login", "user")}"]
    override = { second = { inline_shebang = "/bin/bash" }, nowhere = {} }
  }`, `locals { greeting = upper("hello") }`)
	w := &world{}
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": text}, func(o *template.Options) { o.Lookup = w })
	if err != nil {
		t.Fatal(err)
	}
	bodies := make([]string, len(got.Builds))
	var g sync.WaitGroup
	for i, b := range got.Builds {
		g.Go(func() {
			scripts, err := b.Config.Steps[0].(builder.Run).Late(facts())
			if err != nil {
				t.Error(err)
				return
			}
			bodies[i] = string(scripts[0].Body)
		})
	}
	g.Wait()
	want := []string{"#!/bin/sh -e\necho HELLO web i-0abc joe\n", "#!/bin/bash\necho HELLO second i-0abc joe\n"}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("scripts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"secret login"}, w.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// world answers questions, and counts them.
type world struct{ asked []string }

func sortedCopy(s []string) []string { return slices.Sorted(slices.Values(s)) }

func (w *world) Image(a template.Access, f builder.ImageFilter) (builder.SourceImage, error) {
	w.asked = append(w.asked, "image "+f.Filters["name"][0]+" in "+a.Region)
	return builder.SourceImage{ID: "ami-0abc", Name: "debian", Tags: map[string]string{"Name": "base"}}, nil
}

func (w *world) Parameter(_ template.Access, name string, decrypt bool) (template.Parameter, error) {
	w.asked = append(w.asked, "parameter "+name)
	if !decrypt {
		return template.Parameter{}, errors.New("it is encrypted")
	}
	return template.Parameter{Value: "p-value", ARN: "arn:p", Version: 7}, nil
}

func (w *world) Secret(_ template.Access, q template.SecretQuery) (template.Secret, error) {
	w.asked = append(w.asked, "secret "+q.Name)
	return template.Secret{Text: `{"user": "joe", "on": true}`, Binary: []byte{1, 2}, VersionID: "v1"}, nil
}

func (w *world) Fetch(r template.Request) (template.Response, error) {
	w.asked = append(w.asked, r.URL+" "+r.Headers["Accept"])
	return template.Response{Body: `{"tag": "v1.2"}`, Headers: map[string]string{"Server": "x"}}, nil
}

const asking = `
data "amazon-ami" "base" {
  filters = { name = "debian-${local.release}" }
  owners  = ["self"]
  region  = "eu-west-1"
}
data "amazon-parameterstore" "p" {
  name            = "/p/${data.amazon-ami.base.name}"
  with_decryption = true
}
data "amazon-secretsmanager" "s" {
  name = "login"
  key  = "user"
}
data "http" "h" {
  url             = "https://example.com"
  request_headers = { Accept = "application/json" }
}
data "http" "unused" { url = "https://example.com/unused" }
locals {
  release = "12"
  latest  = trimprefix(jsondecode(data.http.h.body).tag, "v")
  unused  = data.http.unused.body
}
`

const asks = `  source_ami = data.amazon-ami.base.id
  instance_type = "t3.micro"
  ssh_username = "admin"
  ami_name = "web-${local.latest}"
  tags = {
    Name      = data.amazon-ami.base.tags["Name"]
    Parameter = "${data.amazon-parameterstore.p.value} ${data.amazon-parameterstore.p.version}"
    Secret    = "${data.amazon-secretsmanager.s.value} ${data.amazon-secretsmanager.s.version_id} ${aws_secretsmanager("other", "on")}"
    Raw       = aws_secretsmanager_raw("raw")
    Server    = data.http.h.request_headers.Server
  }`

// TestLookup: data sources are asked for what a build uses, and each once.
func TestLookup(t *testing.T) {
	w := &world{}
	text := "source \"amazon-ebs\" \"web\" {\n" + asks + "\n}\nbuild { sources = [\"amazon-ebs.web\"] }\n" + asking
	got, err := parseHCL(t, map[string]string{"t.pkr.hcl": text}, func(o *template.Options) { o.Lookup = w })
	if err != nil {
		t.Fatal(err)
	}
	c := got.Builds[0].Config
	if c.Source.ID != "ami-0abc" || c.Output.Name != "web-1.2" {
		t.Errorf("source %s, name %s", c.Source.ID, c.Output.Name)
	}
	want := map[string]string{
		"Name": "base", "Parameter": "p-value 7", "Secret": "joe v1 true", "Raw": `{"user": "joe", "on": true}`, "Server": "x",
	}
	if diff := cmp.Diff(want, c.Output.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	asked := []string{"https://example.com application/json", "image debian-12 in eu-west-1", "parameter /p/debian", "secret login", "secret raw", "secret other"}
	if diff := cmp.Diff(sortedCopy(asked), sortedCopy(w.asked)); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sortedCopy([]string{`{"user": "joe", "on": true}`, "joe", "true"}), sortedCopy(got.Sensitive)); diff != "" {
		t.Errorf("sensitive (-want +got):\n%s", diff)
	}
}

// TestNobodyToAsk: while nobody may be asked, what a data source says is open, and no mistake.
func TestNobodyToAsk(t *testing.T) {
	text := "source \"amazon-ebs\" \"web\" {\n" + asks + "\n}\nbuild { sources = [\"amazon-ebs.web\"] }\n" + asking
	if _, err := parseHCL(t, map[string]string{"t.pkr.hcl": text}, nil); err != nil {
		t.Error(err)
	}
}

// TestMistakesFirst: nobody is asked for a template that is wrong elsewhere.
func TestMistakesFirst(t *testing.T) {
	w := &world{}
	text := "source \"amazon-ebs\" \"web\" {\n" + asks + "\n  regoin = \"x\"\n}\nbuild { sources = [\"amazon-ebs.web\"] }\n" + asking
	_, err := parseHCL(t, map[string]string{"t.pkr.hcl": text}, func(o *template.Options) { o.Lookup = w })
	if err == nil || len(w.asked) > 0 {
		t.Errorf("error %v; asked %q", err, w.asked)
	}
}

// TestNoAnswer: what a server says is told where the question stands.
func TestNoAnswer(t *testing.T) {
	_, err := parseHCL(t, map[string]string{"t.pkr.hcl": hclBake("  profile = data.amazon-parameterstore.p.value", "", "data \"amazon-parameterstore\" \"p\" { name = \"x\" }")},
		func(o *template.Options) { o.Lookup = &world{} })
	want := "t.pkr.hcl:13:1: data source amazon-parameterstore.p: it is encrypted\n  13 | data \"amazon-parameterstore\" \"p\" { name = \"x\" }\n     | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}
