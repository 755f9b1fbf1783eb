//go:build unix

package template_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/provision"
)

// reachable is a machine that another SSH client can log in to; gate is what is asked of a gate to it.
type reachable struct {
	builder.Machine
	gate *provision.GateOptions
}

func (reachable) Login() (provision.Login, bool) {
	return provision.Login{Host: "192.0.2.9", Port: 22, User: "admin", HostKey: "ssh-ed25519 AAAA", Key: []byte("key")}, true
}

func (r reachable) OpenGate(o provision.GateOptions) (*provision.Gate, error) {
	*r.gate = o
	return nil, errors.New("that is enough")
}

// ansibleFiles is a project with everything that the options of Ansible's provisioners name.
func ansibleFiles(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"ansible/site.yml": "- hosts: all\n", "ansible/more/other.yml": "", "hosts": "h\n", "requirements.yml": "roles: []\ncollections: []\n",
		"vars/all.yml": "", "roles/one/tasks/main.yml": "", "collections/mine/galaxy.yml": "", "key": "private", "key.pub": "public",
		"stub": "#!/bin/sh\nfor a; do echo \"$a\"; done\ncat there/imago-*\nenv | grep ^MINE\n", "there/x": "",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
}

const ansibleOptions = `
    "playbook_file": "ansible/site.yml", "command": "./stub", "extra_arguments": ["-e", "on={{build ` + "`Host`" + `}} {{user ` + "`x`" + `}}", "-v"],
    "ansible_env_vars": ["MINE={{build ` + "`ID`" + `}} of {{build_name}}"], "groups": ["a", "b"], "empty_groups": "c,d", "host_alias": "{{user ` + "`x`" + `}}",
    "user": "{{build ` + "`User`" + `}}2", "inventory_directory": "there", "ansible_ssh_extra_args": ["-o", "A=b"], "use_sftp": false,
    "inventory_file_template": "{{.HostAlias}} h={{ .Host }} p={{.Port}} u={{.User}} in={{build ` + "`BuildRegion`" + `}}",
    "pause_before": "1s", "timeout": "2s", "max_retries": "3"`

// TestAnsible: how a template's ansible provisioner is run, and that it is the same in HCL2.
func TestAnsible(t *testing.T) {
	var dir string
	got := parse(t, bake("", `, "variables": {"x": "why"}, "provisioners": [{"type": "ansible", "use_proxy": false,`+ansibleOptions+`}]`), func(at string, o *template.Options) {
		dir = at
		ansibleFiles(t, at)
	})
	step := got.Builds[0].Config.Steps[0].(builder.Local)
	if want := (builder.StepOptions{Where: "t.json:4", PauseBefore: time.Second, Timeout: 2 * time.Second, MaxRetries: 3}); step.StepOptions != want || step.Name != "ansible ansible/site.yml" {
		t.Errorf("%s with %+v, want %+v", step.Name, step.StepOptions, want)
	}
	var out strings.Builder
	f := facts()
	f.Machine = reachable{}
	if err := step.Do(t.Context(), f, &out, &out); err != nil {
		t.Fatal(err)
	}
	said := strings.ReplaceAll(out.String(), dir, "DIR")
	said = regexp.MustCompile(`inventory-[0-9]+`).ReplaceAllString(said, "inventory-N")
	said = regexp.MustCompile(`/[^ ]*/imago-ansible-[0-9]+`).ReplaceAllString(said, "TMP")
	const want = `-e
packer_build_name="amazon-ebs"
-e
packer_builder_type=amazon-ebs
--ssh-extra-args
-o A=b
--ssh-common-args=-o UserKnownHostsFile=TMP/known_hosts -o GlobalKnownHostsFile=/dev/null -o HostKeyAlgorithms=ssh-ed25519
-e
on=192.0.2.9 why
-v
-e
ansible_ssh_private_key_file=TMP/key
-i
DIR/there/imago-ansible-inventory-N
DIR/ansible/site.yml
why h=192.0.2.9 p=22 u=admin2 in=us-east-1
[a]
why
[b]
why
[c]
[d]
MINE=i-0abc of amazon-ebs
`
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("it said (-want +got):\n%s", diff)
	}
}

// TestAnsibleGate: what is asked of the port that ansible connects to.
func TestAnsibleGate(t *testing.T) {
	for options, want := range map[string]provision.GateOptions{
		``: {},
		`, "local_port": "2222", "ssh_host_key_file": "key", "ssh_authorized_key_file": "key.pub", "ansible_proxy_key_type": "RSA", "sftp_command": "sftp -e"`: {
			Port: 2222, HostKey: []byte("private"), Authorized: []byte("public"), KeyType: "rsa", SFTP: "sftp -e",
		},
		`, "use_proxy": true, "ansible_proxy_key_type": "ECDSA"`: {KeyType: "ecdsa"},
	} {
		got := parse(t, bake("", `, "provisioners": [{"type": "ansible", "playbook_file": "ansible/site.yml"`+options+`}]`), func(dir string, _ *template.Options) { ansibleFiles(t, dir) })
		var asked provision.GateOptions
		f := facts()
		f.Machine = reachable{gate: &asked}
		err := got.Builds[0].Config.Steps[0].(builder.Local).Do(t.Context(), f, nil, nil)
		if diff := cmp.Diff(want, asked); err == nil || err.Error() != "that is enough" || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", options, err, diff)
		}
	}
}

// TestAnsibleSame: both languages make the same of the same, which says when the files that it names change.
func TestAnsibleSame(t *testing.T) {
	const text = `"playbook_file": "ansible/site.yml", "galaxy_file": "requirements.yml", "galaxy_command": "g", "roles_path": "r", "collections_path": "c", ` +
		`"galaxy_force_install": true, "galaxy_force_with_deps": true, "inventory_file": "hosts", "keep_inventory_file": true, "skip_version_check": true`
	json := func(change func(dir string)) string {
		got := parse(t, bake("", `, "provisioners": [{"type": "ansible",`+text+`}]`), func(dir string, o *template.Options) { ansibleFiles(t, dir); change(dir); t.Chdir(dir); o.Getwd = "" })
		step := got.Builds[0].Config.Steps[0].(builder.Local)
		if step.Check != nil {
			t.Error("ansible is looked for where the template says not to")
		}
		return step.Text
	}
	one := json(func(string) {})
	for _, want := range []string{
		`"Galaxy":{"File":"requirements.yml","Command":"g","RolesPath":"r","CollectionsPath":"c","Force":true,"ForceWithDeps":true}`,
		`"Inventory":{"File":"hosts","Alias":"","Groups":null,"EmptyGroups":null,"Directory":"","Keep":true}`,
	} {
		if !strings.Contains(one, want) {
			t.Errorf("no %s in %s", want, one)
		}
	}
	dir := t.TempDir()
	ansibleFiles(t, dir)
	write(t, filepath.Join(dir, "t.pkr.hcl"), hclBake("", "provisioner \"ansible\" {\n"+strings.NewReplacer(`":`, ` =`, `, "`, "\n", `"playbook_file`, "playbook_file").Replace(text)+"\n}", ""))
	o := options(nil)
	t.Chdir(dir)
	o.Getwd = ""
	hcl, err := template.Parse("t.pkr.hcl", o)
	if err != nil {
		data, _ := os.ReadFile("t.pkr.hcl")
		t.Fatalf("%v in\n%s", err, data)
	}
	if diff := cmp.Diff(one, strings.ReplaceAll(hcl.Builds[0].Config.Steps[0].(builder.Local).Text, `"web"`, `"amazon-ebs"`)); diff != "" {
		t.Errorf("JSON and HCL2 (-JSON +HCL2):\n%s", diff)
	}
	for _, name := range []string{"ansible/site.yml", "requirements.yml", "hosts"} {
		if json(func(dir string) { write(t, filepath.Join(dir, name), "changed") }) == one {
			t.Errorf("a change of %s is not seen", name)
		}
	}
}

// TestAnsibleLocal: what ansible-local sends, and what it runs.
func TestAnsibleLocal(t *testing.T) {
	for name, provisioner := range map[string]string{
		"simple": `"playbook_file": "ansible/more/other.yml"`,
		"everything": `"playbook_files": ["ansible/site.yml", "ansible/more/other.yml", "hosts"], "playbook_dir": "ansible", "staging_directory": "/srv/it's",
			"clean_staging_directory": true, "command": ". venv/bin/activate && ansible-playbook", "extra_arguments": ["-e \"a='b c'\"", "-v"], "inventory_file": "hosts",
			"playbook_paths": "ansible/more", "role_paths": ["roles/one/"], "collection_paths": ["collections/mine"], "group_vars": "vars", "host_vars": "vars",
			"galaxy_file": "requirements.yml", "galaxy_command": "g", "galaxy_force_install": "true", "galaxy_force_with_deps": true, "galaxy_roles_path": "/r", "galaxy_collections_path": "/c"`,
		"groups": `"playbook_file": "ansible/site.yml", "playbook_dir": "ansible/", "inventory_groups": "a,b", "galaxy_file": "requirements.yml"`,
	} {
		t.Run(name, func(t *testing.T) {
			var at string
			got := parse(t, bake("", `, "provisioners": [{"type": "ansible-local", "max_retries": 2, `+provisioner+`}]`), func(dir string, _ *template.Options) { at = dir; ansibleFiles(t, dir) })
			s := got.Builds[0].Config.Steps[0].(builder.Sequence)
			var b strings.Builder
			fmt.Fprintf(&b, "%s, %d retries\n", s.Name, s.MaxRetries)
			for _, inner := range s.Steps {
				switch inner := inner.(type) {
				case builder.Upload:
					for _, u := range inner.Trees {
						fmt.Fprintf(&b, "upload %s%q to %s\n", u.Source, u.Content, u.Dest)
					}
				case builder.Run:
					for _, script := range inner.Scripts {
						fmt.Fprintf(&b, "run %s:\n%s", script.Name, script.Body)
					}
				}
			}
			golden, text := filepath.Join("testdata", "ansible-local-"+name+".golden"), strings.ReplaceAll(b.String(), at, "DIR")
			if *update {
				write(t, golden, text)
			}
			want, err := os.ReadFile(golden)
			if diff := cmp.Diff(string(want), text); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestAnsibleLocalLate: what the machine has to say is in the command once it is there.
func TestAnsibleLocalLate(t *testing.T) {
	got := parse(t, bake("", `, "provisioners": [{"type": "ansible-local", "playbook_file": "ansible/site.yml", "extra_arguments": "-e id={{build `+"`ID`"+`}}"}]`),
		func(dir string, _ *template.Options) { ansibleFiles(t, dir) })
	scripts, err := got.Builds[0].Config.Steps[0].(builder.Sequence).Steps[2].(builder.Run).Late(facts())
	if err != nil || len(scripts) != 1 || !strings.Contains(string(scripts[0].Body), " -e id=i-0abc -c local ") {
		t.Errorf("%v, %v", err, scripts)
	}
}

// TestBadAnsible: everything that is wrong is told, at once, with its place.
func TestBadAnsible(t *testing.T) {
	dir := t.TempDir()
	ansibleFiles(t, dir)
	write(t, filepath.Join(dir, "t.json"), bake("", `, "provisioners": [
  {"type": "ansible", "playbook_file": "gone.yml", "inventory_directory": "hosts", "inventory_file": "roles",
   "ansible_env_vars": ["x"], "ansible_proxy_key_type": "dsa", "local_port": "x", "galaxy_file": "none", "limit": "all",
   "inventory_file_template": "{{.Hots}}", "use_proxy": "maybe", "ansible_winrm_use_http": true},
  {"type": "ansible"},
  {"type": "ansible-local", "playbook_file": "hosts", "playbook_files": ["hosts"], "role_paths": ["roles", "hosts"], "playbook": "x"},
  {"type": "ansible-local", "playbook_files": []},
  {"type": "powershell", "inline": ["dir"]},
  {"type": "puppet-masterless"}]`))
	o := options(nil)
	o.Getwd = dir
	_, err := template.Parse("t.json", o)
	want := []string{
		`t.json:5:40: playbook_file names gone.yml, which does not exist in CWD`,
		`t.json:5:75: inventory_directory names hosts, which is not a directory`,
		`t.json:5:102: inventory_file names roles, which is a directory`,
		`t.json:6:25: ansible_env_vars holds "x"; it must be KEY=value`,
		`t.json:6:57: ansible_proxy_key_type is "dsa"; it must be ECDSA or RSA`,
		`t.json:6:78: local_port is "x"; it must be a whole number from 0 on`,
		`t.json:6:98: galaxy_file names none, which does not exist in CWD`,
		`t.json:6:106: provisioner ansible has no option "limit"`,
		`t.json:7:31: inventory_file_template: {{.Hots}} has no value here; there are .HostAlias, .Host, .User, .Port; did you mean "Host"?`,
		`t.json:7:57: use_proxy is "maybe"; it must be true or false`,
		`t.json:8:3: provisioner ansible needs playbook_file`,
		`t.json:9:73: playbook_file and playbook_files exclude each other; keep one`,
		`t.json:9:108: role_paths names hosts, which is not a directory`,
		`t.json:9:118: provisioner ansible-local has no option "playbook"`,
		`t.json:10:3: provisioner ansible-local needs playbook_file or playbook_files`,
		`t.json:11:12: provisioner powershell is not supported yet; Windows images are not made yet`,
		`t.json:12:12: provisioner puppet-masterless is not supported yet; run puppet in a shell provisioner`,
	}
	if diff := cmp.Diff(want, strings.Split(strings.ReplaceAll(fmt.Sprint(err), dir, "CWD"), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

// TestAnsibleSecret: a sensitive value among the arguments is warned of.
func TestAnsibleSecret(t *testing.T) {
	got := parse(t, bake("", `, "variables": {"secret": "hunter22"}, "sensitive-variables": ["secret"], "provisioners": [
{"type": "ansible", "playbook_file": "ansible/site.yml", "extra_arguments": ["-e", "x={{user `+"`secret`"+`}}"]}]`), func(dir string, _ *template.Options) { ansibleFiles(t, dir) })
	want := []string{"t.json:5: extra_arguments shows a sensitive variable to all who list processes; put it into a file and say --extra-vars=@FILE"}
	if diff := cmp.Diff(want, got.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestRefusedProvisioners: a build refuses what is not there, with its place; where a template is only looked at, that is a warning.
func TestRefusedProvisioners(t *testing.T) {
	const text = `"type": "windows-restart"`
	const why = "provisioner windows-restart is not supported yet; Windows images are not made yet"
	if _, _, err := read(t, "", text, nil); err == nil || err.Error() != "t.json:4:10: "+why {
		t.Errorf("a build: %v", err)
	}
	_, warnings, err := read(t, "", text, func(o *template.Options) { o.Check = true })
	if diff := cmp.Diff([]string{"t.json:4: a build refuses this: " + why}, warnings); err != nil || diff != "" {
		t.Errorf("%v, warnings (-want +got):\n%s", err, diff)
	}
}
