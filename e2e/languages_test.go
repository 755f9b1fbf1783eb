package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// primalHCL is the article's primal manifest in HCL2. The source has the name that a JSON builder has without one, because
// scripts are told it (PACKER_BUILD_NAME).
const primalHCL = `
variable "INSTANCE_USER" { default = "admin" }
variable "SOURCE_ID" { default = "ami-22de994a" }
variable "NODE_VERSION" { default = "22" }
variable "NODE_SOURCE" { default = "" }
variable "NODE_MIRROR" { default = "" }
variable "NPM_REGISTRY" { default = "" }
variable "NPM_VERSION" { default = "" }
variable "NVM_VERSION" { default = "" }
variable "NVM_SOURCE" { default = "" }

source "amazon-ebs" "amazon-ebs" {
  region        = "us-east-1"
  source_ami    = var.SOURCE_ID
  instance_type = "t3.micro"
  ssh_username  = var.INSTANCE_USER
  ami_name      = "sample-primal-{{timestamp}}"
}

build {
  sources = ["source.amazon-ebs.amazon-ebs"]

  provisioner "file" {
    source      = "deploy/mailtube"
    destination = "/tmp/mailtube"
  }
  provisioner "shell" {
    script = "deploy/templates/primal"
    environment_vars = [
      "NODE_VERSION=${var.NODE_VERSION}",
      "NODE_SOURCE=${var.NODE_SOURCE}",
      "NODE_MIRROR=${var.NODE_MIRROR}",
      "NPM_REGISTRY=${var.NPM_REGISTRY}",
      "NPM_VERSION=${var.NPM_VERSION}",
      "NVM_VERSION=${var.NVM_VERSION}",
      "NVM_SOURCE=${var.NVM_SOURCE}",
    ]
  }
}
`

// TestBothLanguages: the primal manifest has the same plan, input by input, and the same fingerprint in JSON and in HCL2.
func TestBothLanguages(t *testing.T) {
	dir := project(t)
	const hcl = "deploy/templates/primal.pkr.hcl"
	if err := os.WriteFile(filepath.Join(dir, hcl), []byte(primalHCL), 0o644); err != nil {
		t.Fatal(err)
	}
	plan := func(name string, args ...string) string {
		out := imago(t, dir, append(append([]string{"plan", "--local", "--json"}, args...), name)...)
		out = regexp.MustCompile(`"name": "sample-primal-\d+"`).ReplaceAllString(out, `"name": "sample-primal-NOW"`)
		return regexp.MustCompile(`"build": "(amazon-ebs\.)?amazon-ebs"`).ReplaceAllString(out, `"build": "amazon-ebs"`)
	}
	first := ""
	for _, args := range [][]string{nil, {"-var", "NODE_VERSION=20"}} {
		inJSON, inHCL := plan("deploy/templates/primal.json", args...), plan(hcl, args...)
		if diff := cmp.Diff(inJSON, inHCL); diff != "" || !regexp.MustCompile(`"fingerprint": "[0-9a-f]{64}"`).MatchString(inJSON) {
			t.Errorf("%v: JSON and HCL2 (-json +hcl):\n%s\n%s", args, diff, inJSON)
		}
		if inJSON == first {
			t.Error("a variable changes nothing in the plan")
		}
		first = inJSON
	}
}
