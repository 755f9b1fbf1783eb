package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// role is a small role, and the playbooks that use it: what they find goes into
// a file on the machine, line by line.
var role = []string{
	"site.yml", `- hosts: web
  become: true
  gather_facts: false
  remote_user: nobody-there
  roles: [hello]
`,
	"local.yml", `- hosts: all
  become: true
  gather_facts: false
  roles: [hello]
`,
	"roles/hello/tasks/main.yml", `- copy: {src: line, dest: /etc/line, mode: "0600"}
- template: {src: said.j2, dest: "/etc/said-{{ how }}", mode: "0644"}
`,
	"roles/hello/files/line", "from a file\n",
	"roles/hello/templates/said.j2", "{{ how }}: {{ who }} at level {{ level }}, {{ packer_build_name }} {{ packer_builder_type }}\n",
	"group_vars/web.yml", "level: 7\n",
}

const ansibleJSON = `
    {"type": "shell", "inline": ["sudo apt-get update -qq", "sudo apt-get install -y -qq --no-install-recommends ansible-core > /dev/null 2>&1"]},
    {"type": "ansible", "playbook_file": "site.yml", "groups": ["web"], "user": "nobody-here", "inventory_directory": ".",
     "ansible_env_vars": ["ANSIBLE_HOST_KEY_CHECKING=False"], "extra_arguments": ["-e", "how=remote", "-e", "who=` + "{{build `User`}}" + `"]},
    {"type": "ansible-local", "playbook_file": "local.yml", "role_paths": ["roles/hello"], "group_vars": "group_vars",
     "inventory_groups": "web", "extra_arguments": ["-e", "how=local -e \"who='two words'\""], "clean_staging_directory": true},
    {"type": "shell", "inline": ["sudo cat /etc/line /etc/said-remote /etc/said-local > /tmp/said", "ls -A /tmp/packer-provisioner-ansible-local >> /tmp/said"]},
    {"type": "file", "direction": "download", "source": "/tmp/said", "destination": "said"}`

const ansibleHCL = `
source "amazon-ebs" "web" {
  region        = "us-east-1"
  source_ami    = "%s"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "e2e ansible hcl"

  skip_create_ami = true
}

build {
  sources = ["source.amazon-ebs.web"]

  provisioner "ansible" {
    playbook_file   = "site.yml"
    use_proxy       = false
    user            = build.User
    host_alias      = "machine"
    groups          = ["web"]
    extra_arguments = ["-e", "how=remote", "-e", "who=${build.ID}"]
    inventory_file_template = "{{ .HostAlias }} ansible_host={{ .Host }} ansible_port={{ .Port }} ansible_user={{ .User }} level=8"
  }
  provisioner "ansible-local" {
    playbook_files    = ["local.yml"]
    playbook_dir      = "."
    staging_directory = "/tmp/staging"
    inventory_groups  = ["web"]
    extra_arguments   = ["-e", "how=local", "-e", "who=${build.ID}"]
    override          = { web = { extra_arguments = ["-e", "how=local", "-e", "who=over"] } }
  }
  provisioner "ansible" {
    playbook_file = "site.yml"
    only          = ["amazon-ebs.other"]
  }
  provisioner "shell" {
    inline = ["sudo cat /etc/line /etc/said-remote /etc/said-local > /tmp/said", "ls /tmp/staging >> /tmp/said"]
  }
  provisioner "file" {
    direction   = "download"
    source      = "/tmp/said"
    destination = "said"
  }
}
`

// TestAnsible: a role reaches the machine from this side and from there, by a
// template in JSON and by one in HCL2, which builds on the first one's image.
func TestAnsible(t *testing.T) {
	leavesNothing(t)
	dir := write(t, append([]string{"t.json", template(admin, ansibleJSON)}, role...)...)
	ansibleHome(t)
	id := imago(t, dir, "build", "--local", "t.json")
	removeImage(t, id)
	isFile(t, filepath.Join(dir, "said"), "from a file\nremote: admin at level 7, amazon-ebs amazon-ebs\nlocal: two words at level 7, amazon-ebs amazon-ebs\n")

	if err := os.WriteFile(filepath.Join(dir, "t.pkr.hcl"), fmt.Appendf(nil, ansibleHCL, id), 0o644); err != nil {
		t.Fatal(err)
	}
	imago(t, dir, "build", "--local", "t.pkr.hcl")
	said, _ := os.ReadFile(filepath.Join(dir, "said"))
	instance := regexp.MustCompile("i-[0-9a-f]{17}").FindString(string(said))
	isFile(t, filepath.Join(dir, "said"), "from a file\nremote: "+instance+" at level 8, web amazon-ebs\nlocal: over at level 7, web amazon-ebs\n"+
		"group_vars\nimago-inventory\nlocal.yml\nroles\nsaid\nsite.yml\nt.json\nt.pkr.hcl\n")
	noAnsible(t, dir)
}

// TestAnsibleFails: a playbook that does not succeed ends the build, with its
// status; a machine that shows another host key meanwhile gets nothing from
// ansible, whichever way it goes there and whatever it is told of host keys.
func TestAnsibleFails(t *testing.T) {
	leavesNothing(t)
	ansibleHome(t)
	dir := write(t, "bad.yml", "- hosts: all\n  gather_facts: false\n  tasks:\n  - {name: fails, command: 'false'}\n",
		"good.yml", "- hosts: all\n  gather_facts: false\n  tasks:\n  - {name: works, command: 'true'}\n",
		"bad.json", template(admin, `{"type": "ansible", "playbook_file": "bad.yml", "max_retries": 1}`),
		"key.json", strings.Replace(template(admin, `
    {"type": "shell", "inline": ["sudo rm /etc/ssh/ssh_host_*", "sudo ssh-keygen -qA", "sudo systemctl restart ssh"]},
    {"type": "ansible", "playbook_file": "good.yml", "ansible_env_vars": ["ANSIBLE_HOST_KEY_CHECKING=False"]}`),
			`"provisioners"`, `"error-cleanup-provisioner": {"type": "ansible", "playbook_file": "good.yml", "use_proxy": false},
  "provisioners"`, 1))
	for file, want := range map[string][]string{
		"bad.json": {"TASK [fails]", "try 2 of 2: ansible-playbook bad.yml exited with status 2", "imago: amazon-ebs: provision: bad.json:6: ansible-playbook bad.yml exited with status 2"},
		"key.json": {"key.json:9: ansible-playbook good.yml exited with status 4", "host key mismatch", "Host key verification failed", "key.json:6: ansible-playbook good.yml exited with status 4"},
	} {
		r := cloud.exec(t.Context(), dir, "build", "--local", file)
		if r.code != 1 || r.stdout != "" {
			t.Errorf("%s: exit %d, want 1; stdout %q\n%s", file, r.code, r.stdout, r.stderr)
		}
		for _, text := range want {
			if !strings.Contains(r.stderr, text) {
				t.Errorf("%s: no %q in\n%s", file, text, r.stderr)
			}
		}
	}
	noAnsible(t, dir)
}

// TestAnsibleInterrupted: Ctrl-C in the middle of a playbook ends it, with all that it started.
func TestAnsibleInterrupted(t *testing.T) {
	leavesNothing(t)
	ansibleHome(t)
	dir := write(t, "slow.yml", `- hosts: all
  gather_facts: false
  tasks:
  - {delegate_to: localhost, copy: {content: "", dest: "{{ playbook_dir }}/begun"}}
  - {delegate_to: localhost, command: "sh -c 'sleep 300; true {{ playbook_dir }}'", async: 400, poll: 0}
  - {command: sleep 300}
`, "t.json", template(admin, `{"type": "ansible", "playbook_file": "slow.yml"}`))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(dir, "begun")); err == nil {
				time.Sleep(3 * time.Second) // the last task is under way, or nearly
				cancel()
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	r := cloud.exec(ctx, dir, "build", "--local", "t.json")
	if r.code != 130 || r.stdout != "" {
		t.Errorf("exit %d, want 130; stdout %q\n%s", r.code, r.stdout, r.stderr)
	}
	noAnsible(t, dir)
}

// ansibleHome has ansible keep what it keeps, and imago what it writes for it, in directories of the test's own.
func ansibleHome(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
}

// noAnsible checks that no process knows the directory of a test any more, and that nothing of ours is in TMPDIR.
// What is told that its connection has ended may take a moment to end itself.
func noAnsible(t *testing.T, dir string) {
	t.Helper()
	running := ansibles(t, dir)
	for deadline := time.Now().Add(5 * time.Second); len(running) > 0 && time.Now().Before(deadline); running = ansibles(t, dir) {
		time.Sleep(50 * time.Millisecond)
	}
	for _, line := range running {
		t.Errorf("still running: %q", line)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), "imago-") { // else it is of a module that was killed
			t.Errorf("left in TMPDIR: %s", f.Name())
		}
	}
}

// ansibles are the command lines of processes that have to do with a test.
func ansibles(t *testing.T, dir string) (lines []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		line, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		env, _ := os.ReadFile(filepath.Join(p, "environ"))
		ours := strings.Contains(string(env), "TMPDIR="+os.Getenv("TMPDIR")+"\x00") && strings.Contains(string(line), "ssh")
		if strings.Contains(string(line), dir) || ours {
			lines = append(lines, string(line))
		}
	}
	return lines
}

// isFile compares a file with what it has to hold.
func isFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s = %q, %v; want %q", filepath.Base(path), got, err, want)
	}
}
