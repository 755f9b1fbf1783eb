package project_test

import (
	"fmt"
	"slices"
	"strings"
)

// quoted is a text as HCL has it.
func quoted(text string) string { return strings.ReplaceAll(fmt.Sprintf("%q", text), "${", "$${") }

// project is the project file.
func (m *model) project() string {
	ending := ".json"
	if m.hcl {
		ending = ".pkr.hcl"
	}
	from := "from_variable = \"base\""
	if !m.byVariable {
		from = ""
	}
	build := ""
	if m.command != "" {
		build = fmt.Sprintf("build {\n command = %q\n output = \"app\"\n }", m.command)
	}
	blocks := []string{
		fmt.Sprintf("application = %q", m.application),
		fmt.Sprintf("variable \"greeting\" {\n default = %s\n}", quoted(m.fallback())),
		fmt.Sprintf("image \"primal\" {\n template = \"primal%s\"\n vars = { base = %q, tuning = %s, size = %q }\n}", ending, m.base, m.tuning, m.size),
		fmt.Sprintf("image %q {\n template = \"carnivore%s\"\n from = \"primal\"\n %s\n %s\n vars = { mode = local.modes[environment.name], greeting = var.greeting, shape = %q }\n}", m.name, ending, from, build, m.shape),
		fmt.Sprintf("locals {\n modes = { staging = %q, production = %q }\n}", m.mode["staging"], m.mode["production"]),
		m.environmentBlock("staging"), m.environmentBlock("production"),
		fmt.Sprintf("retention {\n keep = %d\n}", m.keep),
	}
	if m.reverse {
		slices.Reverse(blocks)
	}
	between := "\n"
	if m.comments {
		between = "\n\n# A comment.\n\n"
	}
	return strings.Join(blocks, between) + "\n"
}

// fallback is the default of the variable greeting: its value, or something that is not used.
func (m *model) fallback() string {
	if m.where == "default" {
		return m.greeting[m.environment]
	}
	return "unused"
}

func (m *model) environmentBlock(name string) string {
	variables := ""
	if m.where == "environment" {
		variables = fmt.Sprintf("variables = { greeting = %s }", quoted(m.greeting[name]))
	}
	return fmt.Sprintf("environment %q {\n %s\n deploy {\n instance_type = \"t3.small\"\n port = %d\n }\n}", name, variables, m.port)
}

// templates are primal's and carnivore's, in one of the two languages.
func (m *model) templates() (primal, carnivore string) {
	base := "null"
	if !m.byVariable {
		base = `"ami-unused"`
	}
	if m.hcl {
		base = "default = " + base
		if m.byVariable {
			base = ""
		}
		return fmt.Sprintf(primalHCL, m.tag, m.scriptName), fmt.Sprintf(carnivoreHCL, base, m.tag, quoted(m.user))
	}
	return fmt.Sprintf(primalJSON, m.tag, m.scriptName), fmt.Sprintf(carnivoreJSON, base, m.tag, m.user)
}

// The templates, with the tags' value, and the name of a script or the default of base; carnivore's with user-data, too.
const (
	primalJSON = `{
  "variables": {"base": null, "tuning": null, "size": null},
  "builders": [{"type": "amazon-ebs", "region": "us-east-1", "source_ami": "{{user ` + "`base`" + `}}", "instance_type": "{{user ` + "`size`" + `}}",
    "ssh_username": "admin", "ami_name": "primal {{timestamp}}", "tags": {"T": "%s"}}],
  "provisioners": [{"type": "shell", "script": "%s", "environment_vars": ["TUNING={{user ` + "`tuning`" + `}}"]}]
}`
	primalHCL = `
variable "base" {}
variable "tuning" {}
variable "size" {}
source "amazon-ebs" "amazon-ebs" {
  region        = "us-east-1"
  source_ami    = var.base
  instance_type = var.size
  ssh_username  = "admin"
  ami_name      = "primal ${replace(timestamp(), ":", "-")}"
  tags          = { T = "%s" }
}
build {
  sources = ["source.amazon-ebs.amazon-ebs"]
  provisioner "shell" {
    script           = "%s"
    environment_vars = ["TUNING=${var.tuning}"]
  }
}
`
	carnivoreJSON = `{
  "variables": {"base": %s, "mode": "", "greeting": "", "shape": null},
  "builders": [{"type": "amazon-ebs", "region": "us-east-1", "source_ami": "{{user ` + "`base`" + `}}", "instance_type": "{{user ` + "`shape`" + `}}",
    "ssh_username": "admin", "ami_name": "web {{timestamp}}", "tags": {"T": "%s"}, "user_data": %[3]q}],
  "provisioners": [
    {"type": "file", "source": "app", "destination": "/tmp/app"},
    {"type": "shell", "inline": ["true"], "environment_vars": ["MODE={{user ` + "`mode`" + `}}", "GREETING={{user ` + "`greeting`" + `}}"]}
  ]
}`
	carnivoreHCL = `
variable "base" {
  %s
}
variable "mode" {}
variable "greeting" {}
variable "shape" {}
source "amazon-ebs" "amazon-ebs" {
  region        = "us-east-1"
  source_ami    = var.base
  instance_type = var.shape
  ssh_username  = "admin"
  ami_name      = "web ${replace(timestamp(), ":", "-")}"
  tags          = { T = "%s" }
  user_data     = %s
}
build {
  sources = ["source.amazon-ebs.amazon-ebs"]
  provisioner "file" {
    source      = "app"
    destination = "/tmp/app"
  }
  provisioner "shell" {
    environment_vars = ["GREETING=${var.greeting}", "MODE=${var.mode}"]
    inline           = ["true"]
  }
}
`
)
