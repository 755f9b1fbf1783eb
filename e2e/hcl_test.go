package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hclVariables = `
variable "greeting" {
  type = string
}
`

const hclTemplate = `
packer {
  required_plugins {
    amazon = {
      version = ">= 1.2.8"
      source  = "github.com/hashicorp/amazon"
    }
  }
}

data "amazon-ami" "base" {
  filters     = { name = "debian-12-amd64-*" }
  owners      = ["136693071363"]
  most_recent = true
  region      = "us-east-1"
}

locals {
  stamp = rfc3339_parse(timestamp()).unix
}

source "amazon-ebs" "web" {
  region        = "us-east-1"
  source_ami    = data.amazon-ami.base.id
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "e2e hcl ${local.stamp} {{build_name}}"
  tags          = { Base = "{{ .SourceAMIName }}", Name = data.amazon-ami.base.name }
}

build {
  name    = "release"
  sources = ["source.amazon-ebs.web"]

  dynamic "provisioner" {
    for_each = ["one", "two"]
    labels   = ["shell"]
    content {
      inline = ["echo ${provisioner.value} ${var.greeting} >> /tmp/said"]
    }
  }
  provisioner "shell" {
    inline           = ["echo ${build.ID} $WHO $PACKER_BUILD_NAME >> /tmp/said"]
    environment_vars = ["WHO=${build.User}"]
  }
  provisioner "file" {
    direction   = "download"
    source      = "/tmp/said"
    destination = "said"
  }
  provisioner "shell-local" {
    inline = ["echo ${build.ID} > here"]
  }
  post-processor "manifest" {
    custom_data = { id = build.ID }
  }
}
`

// TestHCL: a directory of HCL2 files bakes: what a data source says, what a variable file says, and what is known only
// once the machine is there have reached it.
func TestHCL(t *testing.T) {
	leavesNothing(t)
	dir := write(t, "web/web.pkr.hcl", hclTemplate, "web/variables.pkr.hcl", hclVariables, "web/web.auto.pkrvars.hcl", "greeting = \"hello\"\n")
	id := imago(t, dir, "build", "--local", "-only=release.amazon-ebs.*", "web")
	removeImage(t, id)

	here, err := os.ReadFile(filepath.Join(dir, "here"))
	if err != nil || !regexp.MustCompile(`^i-[0-9a-f]{17}\n$`).Match(here) {
		t.Fatalf("here = %q, %v; want the id of an instance", here, err)
	}
	instance := strings.TrimSpace(string(here))
	said, err := os.ReadFile(filepath.Join(dir, "said"))
	if want := "one hello\ntwo hello\n" + instance + " admin web\n"; err != nil || string(said) != want {
		t.Errorf("said = %q, %v; want %q", said, err, want)
	}
	var manifest struct {
		Builds []struct {
			Name       string            `json:"name"`
			Artifact   string            `json:"artifact_id"`
			CustomData map[string]string `json:"custom_data"`
		} `json:"builds"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "packer-manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &manifest); err != nil || len(manifest.Builds) != 1 {
		t.Fatalf("%v in %s", err, data)
	}
	b := manifest.Builds[0]
	if diff := cmp.Diff(map[string]string{"id": instance}, b.CustomData); diff != "" || b.Name != "web" || b.Artifact != "us-east-1:"+id {
		t.Errorf("the manifest says %s", data)
	}
}
