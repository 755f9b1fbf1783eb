package template_test

import "strings"

type badCase struct {
	name         string
	text         string
	files        map[string]string
	only, except []string
	vars, env    map[string]string
	varFiles     []string
	want         string
}

func badHCL() []badCase {
	return []badCase{
		{name: "no files", files: map[string]string{"readme": "x"}, want: `
.: the directory has no file called *.pkr.hcl or *.pkr.json
`},
		{name: "not HCL", text: "source \"amazon-ebs\" {\n", want: `
t.pkr.hcl:1:21: Unclosed configuration block: There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.
  1 | source "amazon-ebs" {
    |                     ^
`},
		{name: "unknown block", text: hclBake("", "", `vairable "x" {}`), want: `
t.pkr.hcl:13:1: a template has no block "vairable"; did you mean "variable"?
  13 | vairable "x" {}
     | ^^^^^^^^
`},
		{name: "unknown option", text: hclBake("  regoin = \"x\"", "", ""), want: `
t.pkr.hcl:7:3: builder amazon-ebs has no option "regoin"; did you mean "region"?
  7 |   regoin = "x"
    |   ^^^^^^
`},
		{name: "option with a tab before it", text: hclBake("\t\tsnapshot_tag { kee = \"é\" }", "", ""), want: "" +
			"t.pkr.hcl:7:18: snapshot_tag has no option \"kee\"; did you mean \"key\"?\n" +
			"  7 | \t\tsnapshot_tag { kee = \"é\" }\n" +
			"    | \t\t               ^^^\n"},
		{name: "no comments in names", text: hclBake("  _note = \"x\"", "", ""), want: `
t.pkr.hcl:7:3: builder amazon-ebs has no option "_note"
  7 |   _note = "x"
    |   ^^^^^
`},
		{name: "not supported", text: hclBake("  mfa_code = \"1\"", "", ""), want: `
t.pkr.hcl:7:14: mfa_code is not supported; get a session first, and pass it in AWS_SESSION_TOKEN
  7 |   mfa_code = "1"
    |              ^^^
`},
		{name: "a block as an argument", text: hclBake("  metadata_options = { http_tokens = \"required\" }", "", ""), want: `
t.pkr.hcl:7:3: metadata_options is a block: write metadata_options { … }, without the equals sign
  7 |   metadata_options = { http_tokens = "required" }
    |   ^^^^^^^^^^^^^^^^
`},
		{name: "an argument as a block", text: hclBake("  tags {\n    A = 1\n  }\n  metadata_option {}", "", ""), want: `
t.pkr.hcl:7:3: amazon-ebs has no block "tags"; an argument is written tags = …
  7 |   tags {
    |   ^^^^
t.pkr.hcl:10:3: amazon-ebs has no block "metadata_option"; did you mean "metadata_options"?
  10 |   metadata_option {}
     |   ^^^^^^^^^^^^^^^
`},
		{name: "one block too many", text: hclBake("  metadata_options {}\n  metadata_options {}", "", ""), want: `
t.pkr.hcl:8:3: metadata_options is here 2 times; keep one
  8 |   metadata_options {}
    |   ^^^^^^^^^^^^^^^^
`},
		{name: "a string for a list", text: hclBake("  ami_users = \"1\"", "", ""), want: `
t.pkr.hcl:7:15: ami_users must be a list of strings, not a string; write [ … ] around it
  7 |   ami_users = "1"
    |               ^^^
`},
		{name: "values", text: hclBake("  ssh_pty     = \"maybe\"\n  ssh_port    = \"x\"\n  ssh_timeout = 30\n  tags        = []\n  ami_regions = [1, [2]]", "", ""), want: `
t.pkr.hcl:7:17: ssh_pty is "maybe"; it must be true or false
  7 |   ssh_pty     = "maybe"
    |                 ^^^^^^^
t.pkr.hcl:8:17: ssh_port is "x"; it must be a whole number from 0 on
  8 |   ssh_port    = "x"
    |                 ^^^
t.pkr.hcl:9:17: ssh_timeout is "30"; it must be a duration such as 90s or 5m
  9 |   ssh_timeout = 30
    |                 ^^
t.pkr.hcl:11:21: ami_regions must be a string, not a list
  11 |   ami_regions = [1, [2]]
     |                     ^^^
`},
		{name: "references", text: hclBake("  profile = var.profil\n  vpc_id = local.vpc\n  subnet_id = data.amazon-ami.x.id\n  token = source.nam\n  user_data = build.ID", "", "variable \"profile\" { default = \"\" }"), want: `
t.pkr.hcl:7:13: there is no variable "profil"; did you mean "profile"?
  7 |   profile = var.profil
    |             ^^^^^^^^^^
t.pkr.hcl:8:12: there is no local "vpc"
  8 |   vpc_id = local.vpc
    |            ^^^^^^^^^
t.pkr.hcl:9:15: there is no data source "amazon-ami.x"
  9 |   subnet_id = data.amazon-ami.x.id
    |               ^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:10:17: Unsupported attribute: This object does not have an attribute named "nam".
  10 |   token = source.nam
     |                 ^^^^
t.pkr.hcl:11:15: build is known only inside a build block
  11 |   user_data = build.ID
     |               ^^^^^^^^
`},
		{name: "an unknown variable, far from all others", text: hclBake("  profile = var.x", "", ""), want: `
t.pkr.hcl:7:13: there is no variable "x"; declare it: variable "x" {}
  7 |   profile = var.x
    |             ^^^^^
`},
		{name: "functions", text: hclBake("  profile = uper(\"x\")\n  vpc_id = upper()\n  subnet_id = env(\"X\")\n  token = \"{{user `x`}}\"\n  user_data = \"{{template_dir}}\"", "", ""), want: `
t.pkr.hcl:7:13: Call to unknown function: There is no function named "uper". Did you mean "upper"?
  7 |   profile = uper("x")
    |             ^^^^
t.pkr.hcl:8:18: Not enough function arguments: Function "upper" expects 1 argument(s). Missing value for "str".
  8 |   vpc_id = upper()
    |                  ^
t.pkr.hcl:9:15: Error in function call: Call to function "env" failed: env may be called only in the default of a variable; declare one, and write var.NAME here.
  9 |   subnet_id = env("X")
    |               ^^^^
t.pkr.hcl:10:11: token: {{user}} is for JSON templates; write ${var.NAME}
  10 |   token = "{{user ` + "`" + `x` + "`" + `}}"
     |           ^^^^^^^^^^^^^^
t.pkr.hcl:11:15: user_data: {{template_dir}} is for JSON templates; write ${path.root}
  11 |   user_data = "{{template_dir}}"
     |               ^^^^^^^^^^^^^^^^^^
`},
		{name: "variables", text: hclBake("", "", `variable "a" {}
variable "a" {}
variable "n" {
  type    = number
  default = "x"
}
variable "o" {
  type    = object({ size = number })
  default = { sise = 3 }
}
variable "t" { type = strin }
variable "d" { defalt = 1 }
variable "r" { default = var.a }
locals {
  l = local.m
  m = local.l
  a = var.a
}
variable "v" {
  default = 3
  validation {
    condition     = var.v > 3
    error_message = "It must be more."
  }
}`), want: `
t.pkr.hcl:13:1: variable a has no value; give one with -var a=VALUE, -var-file or PKR_VAR_a
  13 | variable "a" {}
     | ^^^^^^^^^^^^
t.pkr.hcl:14:1: variable a is declared twice, first at t.pkr.hcl:13; give one of them another name
  14 | variable "a" {}
     | ^^^^^^^^^^^^
t.pkr.hcl:17:13: the default of variable n: it is a string, and must be a number
  17 |   default = "x"
     |             ^^^
t.pkr.hcl:21:13: the default of variable o: it is object({sise=number}), and must be object({size=number}) (attribute "size" is required)
  21 |   default = { sise = 3 }
     |             ^^^^^^^^^^^^
t.pkr.hcl:23:23: Invalid type specification: The keyword "strin" is not a valid type specification.
  23 | variable "t" { type = strin }
     |                       ^^^^^
t.pkr.hcl:24:16: a variable block has no argument "defalt"; did you mean "default"?
  24 | variable "d" { defalt = 1 }
     |                ^^^^^^
t.pkr.hcl:25:26: the default of variable r may not refer to var; write a local instead
  25 | variable "r" { default = var.a }
     |                          ^^^^^
t.pkr.hcl:28:7: local l needs its own value
  28 |   m = local.l
     |       ^^^^^^^
t.pkr.hcl:34:21: variable v: It must be more.
  34 |     condition     = var.v > 3
     |                     ^^^^^^^^^
`},
		{name: "values from outside", text: hclBake("", "", `variable "n" { type = number }
variable "l" { type = list(string) }
variable "s" { default = "" }`), vars: map[string]string{"n": "many", "ss": "x"}, env: map[string]string{"PKR_VAR_l": "[1"},
			files: map[string]string{"bad.pkrvars.hcl": "s = var.x\n", "x.auto.pkrvars.json": `{"n": []}`}, varFiles: []string{"bad.pkrvars.hcl", "gone.hcl", "v.txt"}, want: `
PKR_VAR_l: "[1" is not list(string), as HCL writes it: unterminated tuple constructor expression
-var-file v.txt: the name must end in .hcl or .json, which says how it is written
-var n: it is a string, and must be a number
-var ss: . has no such variable; did you mean "s"?
bad.pkrvars.hcl:1:5: Variables not allowed: Variables may not be used here.
  1 | s = var.x
    |     ^^^
gone.hcl: the file does not exist
x.auto.pkrvars.json:1:7: variable n: it is tuple([]), and must be a number
  1 | {"n": []}
    |       ^^
`},
		{name: "build blocks", text: hclBake("", `  sorces = []
  provisioner "shel" {}
  provisioner "shell" {
    inlin = ["x"]
  }
  provisioner "shell" {
    scripts = ["here.sh", "gone.sh"]
  }
  provisioner "file" {
    content     = build.ID
    destination = "/x"
  }
  provisioner "shell" {
    inline = [build.Pasword]
  }
  provisioner "ansible" {}
  post-processor "manifst" {}
  error-cleanup-provisioner "sleep" { duration = "1s" }
  error-cleanup-provisioner "sleep" { duration = "1s" }
  provsioner "x" {}`, "build {}\nbuild { sources = [\"amazon-ebs.wep\", 3] }"), files: map[string]string{"here.sh": ""}, want: `
t.pkr.hcl:11:3: a build block has no argument "sorces"; did you mean "sources"?
  11 |   sorces = []
     |   ^^^^^^
t.pkr.hcl:12:3: there is no provisioner "shel"; did you mean "shell"?
  12 |   provisioner "shel" {}
     |   ^^^^^^^^^^^^^^^^^^
t.pkr.hcl:13:3: provisioner shell needs inline, script or scripts
  13 |   provisioner "shell" {
     |   ^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:14:5: provisioner shell has no option "inlin"; did you mean "inline"?
  14 |     inlin = ["x"]
     |     ^^^^^
t.pkr.hcl:17:27: the script gone.sh does not exist in CWD
  17 |     scripts = ["here.sh", "gone.sh"]
     |                           ^^^^^^^^^
t.pkr.hcl:24:15: build.Pasword is not supported yet; there are BuildRegion, ConnType, Host, ID, PackerRunUUID, Password, Port, SSHAgentAuth, SSHPrivateKey, SSHPrivateKeyFile, SSHPublicKey, SourceAMI, SourceAMICreationDate, SourceAMIName, SourceAMIOwner, SourceAMIOwnerName, User, name; did you mean "Password"?
  24 |     inline = [build.Pasword]
     |               ^^^^^^^^^^^^^
t.pkr.hcl:26:3: provisioner ansible is not supported yet
  26 |   provisioner "ansible" {}
     |   ^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:27:3: there is no post-processor "manifst"; did you mean "manifest"?
  27 |   post-processor "manifst" {}
     |   ^^^^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:29:3: a build block has one error-cleanup-provisioner; the first is at line 28
  29 |   error-cleanup-provisioner "sleep" { duration = "1s" }
     |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:30:3: a build block has no block "provsioner"; did you mean "provisioner"?
  30 |   provsioner "x" {}
     |   ^^^^^^^^^^
t.pkr.hcl:32:1: the build block has no sources
  32 | build {}
     | ^^^^^
t.pkr.hcl:33:20: there is no source "amazon-ebs.wep"; did you mean "amazon-ebs.web"?
  33 | build { sources = ["amazon-ebs.wep", 3] }
     |                    ^^^^^^^^^^^^^^^^
t.pkr.hcl:33:38: sources must hold names such as "source.amazon-ebs.NAME", not a number
  33 | build { sources = ["amazon-ebs.wep", 3] }
     |                                      ^
`},
		{name: "sources", text: hclBake("", "  source \"amazon-ebs.web\" { ami_name = \"other\" }", `source "amazon-ebs" "web" {}
source "docker" "d" {}
source "amazon-abs" "e" {}
build { sources = ["docker.d", "amazon-abs.e"] }`), want: `
t.pkr.hcl:11:3: two builds are called amazon-ebs.web; the other is at t.pkr.hcl:10; give one another name, in the build block or in a source block inside it
  11 |   source "amazon-ebs.web" { ami_name = "other" }
     |   ^^^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:13:1: source amazon-ebs.web is declared twice, first at t.pkr.hcl:1; give one of them another name
  13 | source "amazon-ebs" "web" {}
     | ^^^^^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:14:1: builder docker is not supported yet; leave it out with -only or -except
  14 | source "docker" "d" {}
     | ^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:15:1: there is no builder "amazon-abs"; did you mean "amazon-ebs"?
  15 | source "amazon-abs" "e" {}
     | ^^^^^^^^^^^^^^^^^^^^^^^
`},
		{name: "-only", text: hclBake("", "", ""), only: []string{"web"}, except: []string{"x*"}, want: `
-only=web: . has no such build; it has amazon-ebs.web
-except=x*: . has no such build or post-processor; it has amazon-ebs.web
`},
		{name: "nothing left", text: hclBake("", "", ""), except: []string{"amazon-ebs.*"}, want: `
-only and -except leave no build of .
`},
		{name: "data sources", text: hclBake("  profile = data.amazon-ami.a.name\n  vpc_id = data.hcp-packer-image.b.id\n  subnet_id = data.http.c.body\n  user_data = data.null.d.output", "", `data "amazon-ami" "a" { most_recnt = true }
data "hcp-packer-image" "b" {}
data "http" "c" { url = data.http.c.body }
data "null" "d" {}`), want: `
t.pkr.hcl:16:1: data source amazon-ami needs owners
  16 | data "amazon-ami" "a" { most_recnt = true }
     | ^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:16:25: data source amazon-ami has no option "most_recnt"; did you mean "most_recent"?
  16 | data "amazon-ami" "a" { most_recnt = true }
     |                         ^^^^^^^^^^
t.pkr.hcl:17:1: there is no data source of the type "hcp-packer-image" here; there are amazon-ami, amazon-parameterstore, amazon-secretsmanager, http, null
  17 | data "hcp-packer-image" "b" {}
     | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:18:25: data source http.c needs its own answer
  18 | data "http" "c" { url = data.http.c.body }
     |                         ^^^^^^^^^^^^^^^^
t.pkr.hcl:19:17: Missing required argument: The argument "input" is required, but no definition was found.
  19 | data "null" "d" {}
     |                 ^
`},
		{name: "versions", text: hclBake("", "", `packer {
  required_version = ">= 2.0"
  required_plugins {
    amazon = { version = "x", source = "github.com/hashicorp/amazon" }
    docker = 3
  }
}`), want: `
t.pkr.hcl:14:22: the template wants Packer >= 2.0; this reads the language of Packer 1.16.0
  14 |   required_version = ">= 2.0"
     |                      ^^^^^^^^
t.pkr.hcl:16:14: the version of plugin amazon: "x" is not a constraint such as ">= 1.7.0, < 2.0.0"
  16 |     amazon = { version = "x", source = "github.com/hashicorp/amazon" }
     |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
t.pkr.hcl:17:14: the plugin docker must be an object with a version and a source
  17 |     docker = 3
     |              ^
`},
		{name: "secrets are not shown", text: hclBake("  ssh_port = var.s\n  ssh_pty = \"hunter2\"", "", "variable \"s\" {\n  default = \"hunter2\"\n  sensitive = true\n}"), want: `
t.pkr.hcl:7:14: ssh_port is "<sensitive>"; it must be a whole number from 0 on
  7 |   ssh_port = var.s
    |              ^^^^^
t.pkr.hcl:8:13: ssh_pty is "<sensitive>"; it must be true or false
  8 |   ssh_pty = "<sensitive>"
    |             ^^^^^^^^^
`},
		{name: "too deep", text: "locals { x = " + strings.Repeat("[", 600) + " }\n", want: `
t.pkr.hcl: the file is nested deeper than 500 levels
`},
		{name: "too big a number", text: "locals { x = 1e999999999 }\n", want: `
t.pkr.hcl: the file holds a number with an exponent of more than 4 digits
`},
		{name: "too many operators", text: "locals { x = 1" + strings.Repeat("+1", 20000) + " }\n", want: `
t.pkr.hcl: the file holds more than 10000 operators
`},
	}
}
