package template_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
)

const lateHCL = `
source "amazon-ebs" "web" {
  region        = "us-east-1"
  source_ami    = "ami-1"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "name"
}

build {
  sources = ["source.amazon-ebs.web"]
  provisioner "file" {
    content     = "I am ${build.ID}"
    destination = "/tmp/${build.User}"
  }
  provisioner "file" {
    source      = "made-for-${build.ID}"
    destination = "/tmp/"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/var/log/x"
    destination = "${build.ID}.log"
  }
  provisioner "sleep" {
    duration = build.Port == "22" ? "1s" : "2s"
  }
  provisioner "breakpoint" {
    note = "ssh ${build.Host}"
  }
  provisioner "file" {
    content     = "the same"
    destination = "/tmp/same"
  }
}
`

const lateJSON = ", \"provisioners\": [" +
	"{\"type\": \"file\", \"content\": \"I am {{build `ID`}}\", \"destination\": \"/tmp/{{build `User`}}\"}," +
	"{\"type\": \"file\", \"source\": \"made-for-{{build `ID`}}\", \"destination\": \"/tmp/\"}," +
	"{\"type\": \"file\", \"direction\": \"download\", \"source\": \"/var/log/x\", \"destination\": \"{{build `ID`}}.log\"}," +
	"{\"type\": \"sleep\", \"duration\": \"{{if eq (build `Port`) `22`}}1s{{else}}2s{{end}}\"}," +
	"{\"type\": \"breakpoint\", \"note\": \"ssh {{build `Host`}}\"}," +
	"{\"type\": \"file\", \"content\": \"the same\", \"destination\": \"/tmp/same\"}]"

// TestLateSteps: what the file, sleep and breakpoint provisioners say of the machine is filled in when it is there, in both
// languages; a source that depends on it need not be there before.
func TestLateSteps(t *testing.T) {
	facts := builder.Facts{ID: "i-1", User: "baker", Host: "192.0.2.9", Port: 2222}
	for name, text := range map[string]string{"t.json": bake("", lateJSON), "t.pkr.hcl": lateHCL} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, name), text)
			o := options(nil)
			o.Getwd = dir
			got, err := template.Parse(name, o)
			if err != nil {
				t.Fatal(err)
			}
			steps := got.Builds[0].Config.Steps
			if last := steps[5].(builder.Upload); last.Late != nil {
				t.Error("what says nothing of the machine is made anew")
			}
			var late []builder.Step
			for _, s := range steps[:5] {
				late = append(late, filledIn(t, s, facts))
			}
			want := []builder.Step{
				builder.Upload{Trees: []provision.Tree{{Content: []byte("I am i-1"), Dest: "/tmp/baker"}}},
				builder.Upload{Trees: []provision.Tree{{Source: filepath.Join(dir, "made-for-i-1"), Dest: "/tmp/"}}},
				builder.Download{Files: []provision.Fetch{{Source: "/var/log/x", Dest: filepath.Join(dir, "i-1.log")}}},
				builder.Pause{For: 2 * time.Second},
				builder.Pause{Note: "ssh 192.0.2.9"},
			}
			if diff := cmp.Diff(want, late, cmpopts.IgnoreFields(builder.StepOptions{}, "Where"), cmpopts.IgnoreFields(builder.Upload{}, "Generated")); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// filledIn is a step with the facts in it.
func filledIn(t *testing.T, s builder.Step, f builder.Facts) builder.Step {
	t.Helper()
	var err error
	switch late := s.(type) {
	case builder.Upload:
		s, err = late.Late(f)
	case builder.Download:
		s, err = late.Late(f)
	case builder.Pause:
		s, err = late.Late(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
