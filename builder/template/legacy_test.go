package template_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// legacy is a rule of Packer's older language, and what comes of a template that uses it.
type legacy struct {
	name    string
	options string // of the builder
	rest    string // of the template
	vars    map[string]string
	want    func(*template.Build)
	warned  string
	err     string
}

// TestLegacyJSON goes through the rules of Packer's older language that are not functions (TestFunctions) or options
// (TestOptionsAreRead): what may stand at the root, where functions may be called, and what may stand for what.
func TestLegacyJSON(t *testing.T) {
	base := parse(t, bake("", ""), nil).Builds[0]
	for _, tt := range append(append(legacyRoot(), legacyFunctions()...), legacyTypes()...) {
		t.Run(tt.name, func(t *testing.T) { tt.check(t, base) })
	}
}

func (tt legacy) check(t *testing.T, want template.Build) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t.json"), bake(tt.options, tt.rest))
	o := options(tt.vars)
	o.Getwd = dir
	got, err := template.Parse("t.json", o)
	if tt.err != "" {
		if err == nil || !strings.HasSuffix(err.Error(), ": "+tt.err) {
			t.Errorf("error %v, want %s", err, tt.err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if tt.want != nil {
		tt.want(&want)
	}
	if diff := cmp.Diff(want, got.Builds[0]); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
	if warned := strings.ReplaceAll(strings.Join(got.Warnings, "; "), "t.json: ", ""); warned != tt.warned {
		t.Errorf("warnings %q, want %q", warned, tt.warned)
	}
}

func legacyRoot() []legacy {
	return []legacy{
		{name: "description", rest: `, "description": "a web server"`},
		{name: "comment", rest: `, "_comment": ["anything", {}]`},
		{name: "comment in a builder", options: `, "_why": 1`},
		{name: "push", rest: `, "push": {"name": "x"}`, warned: "push has no effect: the service it was for is gone"},
		{name: "min_packer_version", rest: `, "min_packer_version": "1.6.0"`},
		{name: "sensitive-variables", rest: `, "variables": {"a": "x"}, "sensitive-variables": ["a"]`, want: func(b *template.Build) { b.Config.Sensitive = []string{"x"} }},
		{name: "error-cleanup-provisioner", rest: `, "error-cleanup-provisioner": {"type": "sleep", "duration": "1s"}`, want: func(b *template.Build) {
			b.Config.ErrorSteps = []builder.Step{builder.Pause{StepOptions: builder.StepOptions{Where: "t.json:4"}, For: 1e9}}
		}},
		{name: "unknown at the root", rest: `, "builder": []`, err: `a template has no option "builder"; did you mean "builders"?`},
		{name: "twice at the root", rest: `, "description": "a", "description": "b"`, err: `"description" is here twice, first at line 4; keep one`},
		{name: "twice in a builder", options: `, "tags": {"a": "b", "a": "c"}`, err: `"a" is here twice, first at line 3; keep one`},
		{name: "comment that is none", rest: "// no", err: `JSON has no comments; write a name that starts with an underscore, such as "_comment"`},
	}
}

func legacyFunctions() []legacy {
	vpc := func(id string) func(*template.Build) { return func(b *template.Build) { b.Config.Network.VPC = id } }
	later := "not supported yet; give the value with -var or an environment variable"
	return []legacy{
		{name: "undeclared variable", options: ", \"vpc_id\": \"{{user `v`}}\"", warned: "variable v is used, but it is neither declared nor given: it is empty"},
		{name: "undeclared variable that is given", options: ", \"vpc_id\": \"{{user `v`}}\"", vars: map[string]string{"v": "vpc-1"}, want: vpc("vpc-1")},
		{name: "undeclared variable in a variable", rest: ", \"variables\": {\"a\": \"{{user `b`}}\"}", err: `variable a: there is no variable "b"`},
		{name: "given variable that is nowhere", vars: map[string]string{"nobody": "x"}, warned: "-var nobody: t.json has no such variable"},
		{name: "env in a variable", options: ", \"vpc_id\": \"{{user `a`}}\"", rest: ", \"variables\": {\"a\": \"{{env `OWNER`}}\"}", want: vpc("Zoë")},
		{
			name: "env elsewhere", options: ", \"vpc_id\": \"{{env `OWNER`}}\"",
			err: "vpc_id: env may stand only in variables; declare a variable with {{env `X`}} as its default and use {{user `x`}} here",
		},
		{
			name: "clean_ami_name", options: ", \"vpc_id\": \"{{`a:b` | clean_ami_name}}\"", want: vpc("a-b"),
			warned: "clean_ami_name is an older name of clean_resource_name, and not in Packer any more",
		},
		{name: "sed", options: ", \"vpc_id\": \"{{sed `a` `b`}}\"", err: "vpc_id: sed was taken out of Packer; use replace or replace_all"},
		{name: "vault", rest: ", \"variables\": {\"a\": \"{{vault `a` `b`}}\"}", err: "variable a: vault needs a Vault server, which is " + later},
		{name: "consul_key", rest: ", \"variables\": {\"a\": \"{{consul_key `a`}}\"}", err: "variable a: consul_key needs a Consul server, which is " + later},
		{name: "aws_secretsmanager", rest: ", \"variables\": {\"a\": \"{{aws_secretsmanager `a` `b`}}\"}", err: "variable a: aws_secretsmanager is " + later},
		{name: "aws_secretsmanager_raw", rest: ", \"variables\": {\"a\": \"{{aws_secretsmanager_raw `a`}}\"}", err: "variable a: aws_secretsmanager_raw is " + later},
	}
}

func legacyTypes() []legacy {
	pty := func(b *template.Build) { b.Config.SSH.PTY = true }
	groups := func(b *template.Build) { b.Config.Network.SecurityGroups = []string{"sg-1", "sg-2"} }
	return []legacy{
		{name: "string for a number", options: `, "ssh_port": "22"`, want: func(b *template.Build) { b.Config.SSH.Port = 22 }},
		{name: "string for a boolean", options: `, "ssh_pty": "true"`, want: pty},
		{name: "digit for a boolean", options: `, "ssh_pty": "1"`, want: pty},
		{name: "number for a boolean", options: `, "ssh_pty": 1`, want: pty},
		{name: "nothing for a boolean", options: `, "ssh_pty": ""`},
		{name: "nothing for a number", options: `, "ssh_port": ""`},
		{name: "number for a string", options: `, "vpc_id": 1.50`, want: func(b *template.Build) { b.Config.Network.VPC = "1.5" }},
		{name: "boolean for a string", options: `, "vpc_id": true`, want: func(b *template.Build) { b.Config.Network.VPC = "1" }},
		{name: "string for a list", options: `, "security_group_ids": "sg-1,sg-2"`, want: groups},
		{name: "variable for a list", options: ", \"security_group_ids\": \"{{user `a`}}\"", rest: `, "variables": {"a": "sg-1, sg-2"}`, want: groups},
		{name: "null for anything", options: `, "ssh_port": null, "tags": null, "security_group_ids": null, "placement": null`},
		{name: "object for a list of objects", options: `, "launch_block_device_mappings": {"device_name": "/dev/sdb"}`, want: func(b *template.Build) {
			b.Config.Instance.BlockDevices = []builder.BlockDevice{{DeviceName: "/dev/sdb"}}
		}},
		{name: "list of one for an object", options: `, "placement": [{"tenancy": "host"}]`, want: func(b *template.Build) { b.Config.Instance.Tenancy = "host" }},
		{name: "list of objects for tags", options: `, "tags": [{"a": "b"}, {"c": 1}]`, want: func(b *template.Build) {
			b.Config.Output.Tags = map[string]string{"a": "b", "c": "1"}
		}},
		{name: "bare number for a time", options: `, "ssh_timeout": 300`, err: `ssh_timeout is "300"; it must be a duration such as 90s or 5m`},
	}
}

// TestBuildData: each accessor says what is known of the machine, and in every provisioner.
func TestBuildData(t *testing.T) {
	facts := builder.Facts{
		ID: "i-1", Host: "192.0.2.9", Port: 2222, User: "admin", Password: "pw", Region: "us-east-1", RunID: "run", PrivateKeyFile: "k",
		PrivateKey: "private", PublicKey: "public", Agent: true, Source: builder.SourceImage{ID: "ami-1", Name: "n", Owner: "o", OwnerName: "on"},
	}
	note := func(accessor string) string {
		return bake("", fmt.Sprintf(", \"provisioners\": [{\"type\": \"breakpoint\", \"note\": \"<{{build `%s`}}>\"}]", accessor))
	}
	for accessor, want := range map[string]string{
		"ID": "i-1", "Host": "192.0.2.9", "Port": "2222", "User": "admin", "Password": "pw", "ConnType": "ssh", "PackerRunUUID": "run",
		"SSHPublicKey": "public", "SSHPrivateKey": "private", "SSHPrivateKeyFile": "k", "SSHAgentAuth": "true", "BuildRegion": "us-east-1",
		"SourceAMI": "ami-1", "SourceAMIName": "n", "SourceAMIOwner": "o", "SourceAMIOwnerName": "on", "SourceAMICreationDate": "",
	} {
		p, err := parse(t, note(accessor), nil).Builds[0].Config.Steps[0].(builder.Pause).Late(facts)
		if err != nil || p.Note != "<"+want+">" {
			t.Errorf("%s is %q, %v; want %q", accessor, p.Note, err, want)
		}
	}
	for _, accessor := range []string{"PackerHTTPIP", "PackerHTTPPort", "PackerHTTPAddr", "WinRMPassword"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "t.json"), note(accessor))
		o := options(nil)
		o.Getwd = dir
		if _, err := template.Parse("t.json", o); err == nil || !strings.Contains(err.Error(), "{{build `"+accessor+"`}} is not supported yet") {
			t.Errorf("%s: error %v", accessor, err)
		}
	}
}
