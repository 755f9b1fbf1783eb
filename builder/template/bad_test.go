package template_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

// bake is a template with one good builder, on line 2; more options of it stand on
// line 3, and what else the template has begins on line 4.
func bake(builderOptions, rest string) string {
	return fmt.Sprintf("{\n"+`"builders": [{"type": "amazon-ebs", "region": "us-east-1", "source_ami": "ami-1", "instance_type": "t3.micro", "ssh_username": "admin", "ami_name": "name"`+"\n%s}]\n%s\n}\n", builderOptions, rest)
}

func TestBadTemplates(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		vars  map[string]string
		only  []string
		files map[string]string
		want  []string
	}{
		{name: "no file", want: []string{`t.json: the template does not exist`}},
		{name: "empty", text: " ", want: []string{`t.json:1:2: the file ends where a value should be`}},
		{name: "not an object", text: "[]", want: []string{`t.json:1:1: a template must be an object, not a list`}},
		{name: "comment", text: "{\n  // no\n}", want: []string{`t.json:2:3: JSON has no comments; write a name that starts with an underscore, such as "_comment"`}},
		{name: "trailing comma", text: "{\"builders\": [\n1,\n]}", want: []string{`t.json:2:2: a comma before ']'; JSON allows none there`}},
		{name: "missing comma", text: "{\"ä\": 1 \"b\": 2}", want: []string{`t.json:1:9: '"' where a comma or '}' should be`}},
		{name: "single quotes", text: "{'a': 1}", want: []string{`t.json:1:2: JSON strings stand in double quotes`}},
		{name: "string over two lines", text: "{\"a\": \"x\ny\"}", want: []string{`t.json:1:9: a line break inside a string; write \n, or end the string with a double quote`}},
		{name: "escape", text: `{"a": "\d"}`, want: []string{`t.json:1:8: not an escape that JSON knows; a backslash itself is \\`}},
		{name: "twice", text: bake(`, "region": "x"`, ""), want: []string{`t.json:3:3: "region" is here twice, first at line 2; keep one`}},
		{name: "no builders", text: `{"_c": 1}`, want: []string{`t.json:1:1: the template has no builders`}},
		{name: "unknown section", text: bake("", `, "provisoners": []`), want: []string{`t.json:4:3: a template has no option "provisoners"; did you mean "provisioners"?`}},
		{name: "too new", text: bake("", `, "min_packer_version": "2.0"`), want: []string{`t.json:4:25: the template wants Packer 2.0; this reads the language of Packer 1.16.0`}},
		{
			name: "empty builder", text: `{"builders": [{"type": "amazon-ebs"}]}`,
			want: []string{
				`t.json:1:15: builder amazon-ebs needs source_ami or source_ami_filter`,
				`t.json:1:15: builder amazon-ebs needs instance_type`,
				`t.json:1:15: builder amazon-ebs needs ssh_username`,
				`t.json:1:15: builder amazon-ebs needs ami_name`,
			},
		},
		{name: "unknown option", text: bake(`, "instanse_type": "x"`, ""), want: []string{`t.json:3:3: builder amazon-ebs has no option "instanse_type"; did you mean "instance_type"?`}},
		{name: "not supported", text: bake(`, "mfa_code": "1"`, ""), want: []string{`t.json:3:15: mfa_code is not supported; get a session first, and pass it in AWS_SESSION_TOKEN`}},
		{name: "bad boolean", text: bake(`, "ssh_pty": "maybe"`, ""), want: []string{`t.json:3:14: ssh_pty is "maybe"; it must be true or false`}},
		{name: "bad number", text: bake(`, "ssh_port": "x"`, ""), want: []string{`t.json:3:15: ssh_port is "x"; it must be a whole number from 0 on`}},
		{name: "bad duration", text: bake(`, "ssh_timeout": 30`, ""), want: []string{`t.json:3:18: ssh_timeout is "30"; it must be a duration such as 90s or 5m`}},
		{name: "bad word", text: bake(`, "shutdown_behavior": "stopp"`, ""), want: []string{`t.json:3:24: shutdown_behavior is "stopp"; it must be stop or terminate`}},
		{name: "bad nesting", text: bake(`, "launch_block_device_mappings": [{"device_name": "/dev/sda", "volume_sise": 3}, 4]`, ""), want: []string{
			`t.json:3:64: launch_block_device_mappings has no option "volume_sise"; did you mean "volume_size"?`,
			`t.json:3:83: launch_block_device_mappings must hold objects, not a number`,
		}},
		{name: "no key file", text: bake(`, "ssh_private_key_file": "id"`, ""), want: []string{`t.json:3:27: ssh_private_key_file names id, which does not exist in CWD`}},
		{name: "unknown function", text: bake(`, "ami_description": "{{frobnicate}}"`, ""), want: []string{`t.json:3:22: ami_description: there is no function "frobnicate"`}},
		{name: "misspelt function", text: bake(`, "ami_description": "{{timestmap}}"`, ""), want: []string{`t.json:3:22: ami_description: there is no function "timestmap"; did you mean "timestamp"?`}},
		{name: "env outside variables", text: bake(`, "profile": "{{env `+"`X`"+`}}"`, ""), want: []string{
			"t.json:3:14: profile: env may stand only in variables; declare a variable with {{env `X`}} as its default and use {{user `x`}} here",
		}},
		{name: "build in a builder", text: bake(`, "profile": "{{build `+"`ID`"+`}}"`, ""), want: []string{
			`t.json:3:14: profile: {{build}} is known only once the machine is there, to provisioners and post-processors`,
		}},
		{name: "vault", text: bake(`, "profile": "{{vault `+"`a` `b`"+`}}"`, ""), want: []string{
			`t.json:3:14: profile: vault needs a Vault server, which is not supported yet; give the value with -var or an environment variable`,
		}},
		{name: "unknown field", text: bake(`, "tags": {"A": "{{.SourceAmi}}"}`, ""), want: []string{
			`t.json:3:17: tags.A: {{.SourceAmi}} has no value here; there are .BuildRegion, .SourceAMI, .SourceAMICreationDate, .SourceAMIName, .SourceAMIOwner, .SourceAMIOwnerName, .SourceAMITags; did you mean "SourceAMI"?`,
		}},
		{name: "function of a later field", text: bake(`, "tags": {"A": "{{.SourceAMI | upper}}"}`, ""), want: []string{`t.json:3:17: tags.A: upper cannot be used on what is known only later`}},
		{name: "not a template", text: bake(`, "profile": "{{"`, ""), want: []string{`t.json:3:14: profile: "{{" is not a template that can be read: unclosed action`}},
		{name: "split out of range", text: bake(`, "profile": "{{split \"a-b\" \"-\" 2}}"`, ""), want: []string{`t.json:3:14: profile: split: "a-b" has 2 pieces at "-", and piece 2 (from 0) is asked for`}},
		{
			name: "variables", text: "{\"variables\": {\n\"A\": null,\n\"B\": null,\n\"C\": [1],\n\"D\": \"{{user `E`}}\",\n\"F\": \"{{user `F`}}\",\n\"G\": \"{{nope}}\"},\n\"sensitive-variables\": [\"H\"]}",
			want: []string{
				`t.json:1:1: the template has no builders`,
				`t.json:2:6: variable A has no value; give one with -var A=VALUE or -var-file`,
				`t.json:3:6: variable B has no value; give one with -var B=VALUE or -var-file`,
				`t.json:4:6: the default of variable C must be a string or null, not a list`,
				`t.json:5:6: variable D: there is no variable "E"`,
				`t.json:6:6: variable F: variable F needs its own value`,
				`t.json:7:6: variable G: there is no function "nope"`,
				`t.json:8:25: sensitive-variables names "H", which is not a variable`,
			},
		},
		{name: "variable without a value is told once", text: bake(`, "profile": "{{user `+"`p`"+`}}", "subnet_id": "{{user `+"`p`"+`}}"`, `, "variables": {"p": null}`), want: []string{
			`t.json:4:22: variable p has no value; give one with -var p=VALUE or -var-file`,
		}},
		{name: "variable file", text: bake("", ""), files: map[string]string{"v.json": "{\"a\": {}}"}, want: []string{`v.json:1:7: the value of variable a must be a string, not an object`}},
		{name: "-only", text: bake("", ""), only: []string{"web"}, want: []string{`-only=web: t.json has no such build; it has amazon-ebs`}},
		{name: "other builder", text: `{"builders": [{"type": "docker"}]}`, want: []string{`t.json:1:24: builder docker is not supported yet; leave it out with -only or -except`}},
		{name: "misspelt builder", text: `{"builders": [{"type": "amazon-abs"}]}`, want: []string{`t.json:1:24: there is no builder "amazon-abs"; did you mean "amazon-ebs"?`}},
		{name: "two of a name", text: `{"builders": [{"type": "docker"}, {"type": "docker"}]}`, want: []string{
			`t.json:1:24: builder docker is not supported yet; leave it out with -only or -except`,
			`t.json:1:35: two builds are called "docker"; give one of them another name`,
		}},
		{
			name: "provisioners",
			text: bake("", `, "provisioners": [
  {"type": "shell", "script": "no/such.sh"},
  {"type": "shell", "scripts": ["a.sh", "b.sh"], "inline": ["x"]},
  {"type": "shell"},
  {"type": "shell", "inline": ["x"], "environment_vars": ["A"], "only": ["wep"], "env_var_format": "%d"},
  {"type": "file", "source": "gone", "destination": "/tmp/gone"},
  {"type": "file", "source": "", "destination": ""},
  {"type": "ansible"},
  {"type": "shel"},
  {"inline": []},
  {"type": "shell", "inline": ["{{build `+"`ID`"+`}}"], "override": {"web": {}}},
  {"type": "shell-local", "inline": ["{{build `+"`Pasword`"+`}}"]}
]`),
			want: []string{
				`t.json:5:31: the script no/such.sh does not exist in CWD`,
				`t.json:6:33: the script a.sh does not exist in CWD`,
				`t.json:6:41: the script b.sh does not exist in CWD`,
				`t.json:6:60: scripts and inline exclude each other; keep one`,
				`t.json:7:3: provisioner shell needs inline, script or scripts`,
				`t.json:8:74: only names the build "wep", which is not there`,
				`t.json:9:30: the upload source gone does not exist in CWD; if an earlier step makes it, say "generated": true`,
				`t.json:10:30: source is empty; provisioner file needs it`,
				`t.json:10:49: destination is empty; provisioner file needs it`,
				`t.json:11:12: provisioner ansible is not supported yet`,
				`t.json:12:12: there is no provisioner "shel"; did you mean "shell"?`,
				`t.json:13:3: a provisioner needs a type, such as "shell"`,
				`t.json:14:64: override names the build "web", which is not there`,
				"t.json:15:38: inline: {{build `Pasword`}} is not supported yet; there are BuildRegion, ConnType, Host, ID, PackerRunUUID, Password, Port, SSHAgentAuth, SSHPrivateKey, SSHPrivateKeyFile, SSHPublicKey, SourceAMI, SourceAMICreationDate, SourceAMIName, SourceAMIOwner, SourceAMIOwnerName, User; did you mean \"Password\"?",
			},
		},
		{name: "communicator", text: bake(`, "communicator": "winrm", "winrm_port": 5985`, ""), want: []string{
			`t.json:3:19: communicator "winrm" is not supported; Windows images are not made yet`,
			`t.json:3:42: winrm_port is not supported; Windows images are not made yet`,
		}},
		{name: "session manager", text: bake(`, "ssh_interface": "session_manager"`, ""), want: []string{
			`t.json:3:20: ssh_interface session_manager is not supported; use private_ip from inside the network, or a bastion`,
		}},
		{name: "keys that need each other", text: bake(`, "access_key": "x", "deprecate_at": "tomorrow", "region_kms_key_ids": {"eu-west-1": "k"}, "spot_tags": {"a": "b"}`, ""), want: []string{
			`t.json:2:14: access_key and secret_key need each other; give both, or neither to use the environment`,
			`t.json:3:38: deprecate_at is "tomorrow"; it must be a time such as 2030-01-31T00:00:00Z`,
			`t.json:3:72: region_kms_key_ids names eu-west-1, which ami_regions does not`,
			`t.json:3:105: spot_tags needs spot_price, such as "auto"`,
		}},
		{name: "both sources", text: bake(`, "source_ami_filter": {"owners": "self"}, "assume_role": [], "tags": 3`, ""), want: []string{
			`t.json:3:24: source_ami and source_ami_filter exclude each other; keep one`,
			`t.json:3:59: assume_role must be an object, not a list`,
			`t.json:3:71: tags must be an object of names and values, not a number`,
		}},
		{name: "override", text: bake("", `, "provisioners": [
{"type": "shell", "inline": ["x"], "override": []},
{"type": "shell", "inline": ["x"], "override": {"amazon-ebs": 1}},
{"type": "shell", "inline": ["x"], "override": {"amazon-ebs": {"inlin": 1}}, "valid_exit_codes": ["x"], "env_var_format": "%s"}]`), want: []string{
			`t.json:5:48: override must be an object of builds and options, not a list`,
			`t.json:6:63: override for amazon-ebs must be an object, not a number`,
			`t.json:7:64: provisioner shell has no option "inlin"; did you mean "inline"?`,
			`t.json:7:99: valid_exit_codes holds "x"; it must hold whole numbers`,
			`t.json:7:123: env_var_format is "%s"; it must hold %s twice, for the name and the value`,
		}},
		{name: "post-processors", text: bake("", `, "post-processors": ["vagrant", [{"type": "manifest", "outptu": "x"}], {"type": "shell-local"}]`), want: []string{
			`t.json:4:23: post-processor vagrant is not supported yet`,
			`t.json:4:56: post-processor manifest has no option "outptu"; did you mean "output"?`,
			`t.json:4:73: post-processor shell-local needs inline, command, script or scripts`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			o := options(tt.vars)
			o.Getwd, o.Only = dir, tt.only
			if tt.text != "" {
				write(t, filepath.Join(dir, "t.json"), tt.text)
			}
			for name, text := range tt.files {
				write(t, filepath.Join(dir, name), text)
				o.VarFiles = append(o.VarFiles, name)
			}
			_, err := template.Parse("t.json", o)
			if err == nil {
				t.Fatal("it was taken")
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), dir, "CWD"), "\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
