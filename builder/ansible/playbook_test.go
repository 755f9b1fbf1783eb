//go:build linux

package ansible_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/ansible"
	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// stub stands for ansible-playbook and ansible-galaxy: it says how it was called, what the
// inventory is, what of the environment is for it, and who may read the key.
const stub = `#!/bin/sh
echo "$(basename "$0") in $(basename "$PWD"):"
for a; do
	echo "  $a"
	case $last$a in
	-i/*) inventory=$a ;;
	-eansible_ssh_private_key_file=*) stat -c '  key %a' "${a#*=}"; tail -n 1 "${a#*=}" | sed 's/-----END.*/  whole/' ;;
	esac
	last=$a
done
[ -z "$inventory" ] || { stat -c 'inventory %a' "$inventory"; cat "$inventory"; }
env | grep -e ^ANSIBLE -e ^MINE | sort
exit ${STATUS:-0}
`

// workplace is a directory with the stub, and a machine.
func workplace(t *testing.T) (dir string, server *provisiontest.Server, target ansible.Target) {
	t.Helper()
	server = provisiontest.Start(t, provisiontest.Options{})
	h, err := provision.Dial(t.Context(), server.Addr, server.Identity())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	dir = filepath.Join(t.TempDir(), "work")
	for name, text := range map[string]string{
		"bin/ansible-playbook": stub, "bin/ansible-galaxy": stub, "site.yml": "", "hosts": "all\n", "there/group_vars/all": "",
		"both.yml": "roles:\n- a\ncollections:\n- b\n", "roles.yml": "- src: a\n", "collections.yml": "collections: [b]\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	t.Setenv("TMPDIR", t.TempDir())
	return dir, server, ansible.Target{User: provisiontest.User, Machine: h}
}

// TestRun: how ansible is called, and what it finds.
func TestRun(t *testing.T) {
	dir, server, target := workplace(t)
	address, port, _ := strings.Cut(server.Addr, ":")
	names := strings.NewReplacer(os.Getenv("TMPDIR"), "TMP", dir, "DIR", address, "ADDRESS", port, "PORT")
	for name, p := range map[string]ansible.Playbook{
		"simple": {},
		"everything": {
			Command: "bin/ansible-playbook", Arguments: []string{"-v", "--extra-vars", "a b"}, Env: []string{"MINE=x y", "ANSIBLE_HOST_KEY_CHECKING=True"},
			Inventory: ansible.Inventory{Alias: "web", Groups: []string{"a", "b"}, EmptyGroups: []string{"c"}, Directory: "there", Line: func(a ansible.Address) (string, error) {
				return fmt.Sprintf("%s x=%s/%s\n", a.HostAlias, a.Host, a.User), nil
			}},
			Galaxy: ansible.Galaxy{File: "both.yml", RolesPath: "r", CollectionsPath: "c", Force: true, ForceWithDeps: true},
			SSH:    ansible.SSH{User: "somebody", ExtraArgs: []string{"-o", "X=y"}, SCP: true},
		},
		"own inventory": {Inventory: ansible.Inventory{File: "hosts", Alias: "web", Keep: true}, Galaxy: ansible.Galaxy{File: "roles.yml"}},
		"direct":        {SSH: ansible.SSH{Direct: true}, Galaxy: ansible.Galaxy{File: "collections.yml"}},
		"own keys":      {SSH: ansible.SSH{Gate: provision.GateOptions{HostKey: server.HostKey.Private, Authorized: []byte(server.Key.Public)}}},
	} {
		t.Run(name, func(t *testing.T) {
			p.File, p.Dir, p.BuildName, p.BuilderType = "site.yml", dir, "web 1", "amazon-ebs"
			var out strings.Builder
			if err := p.Run(t.Context(), target, &out, &out); err != nil {
				t.Fatal(err)
			}
			got := names.Replace(out.String())
			for from, to := range map[string]string{`ansible_port=[0-9]+`: "ansible_port=N", `imago-ansible-([a-z]*-?)[0-9]+`: "imago-ansible-${1}N"} {
				if name != "direct" || !strings.Contains(from, "port") {
					got = regexp.MustCompile(from).ReplaceAllString(got, to)
				}
			}
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".golden")
			want, err := os.ReadFile(golden)
			if os.Getenv("UPDATE") != "" {
				err, want = os.WriteFile(golden, []byte(got), 0o644), []byte(got)
			}
			if diff := cmp.Diff(string(want), got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			isEmpty(t, os.Getenv("TMPDIR"))
			if all, _ := filepath.Glob(dir + "/there/*"); len(all) != 1 {
				t.Errorf("left beside group_vars: %q", all)
			}
		})
	}
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestRunEnds: what does not succeed is told with its status, and leaves nothing.
func TestRunEnds(t *testing.T) {
	dir, _, target := workplace(t)
	run := func(ctx context.Context, p ansible.Playbook) error {
		p.File, p.Dir = "site.yml", dir
		err := p.Run(ctx, target, nil, nil)
		isEmpty(t, os.Getenv("TMPDIR"))
		return err
	}
	exit := new(provision.ExitError)
	if err := run(t.Context(), ansible.Playbook{Env: []string{"STATUS=2"}}); !errors.As(err, &exit) || *exit != (provision.ExitError{Script: "ansible-playbook site.yml", Code: 2}) {
		t.Errorf("a playbook that does not succeed: %v", err)
	}
	if err := run(t.Context(), ansible.Playbook{Galaxy: ansible.Galaxy{File: "roles.yml", Command: "false"}}); !errors.As(err, &exit) || exit.Script != "false roles.yml" || exit.Code != 1 {
		t.Errorf("requirements that cannot be had: %v", err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := run(ctx, ansible.Playbook{}); !errors.Is(err, why) || err.Error() != "enough" {
		t.Errorf("canceled: %v", err)
	}
	line := func(ansible.Address) (string, error) { return "", errors.New("no such field") }
	if err := run(t.Context(), ansible.Playbook{Inventory: ansible.Inventory{Line: line}}); err == nil || err.Error() != "inventory_file_template: no such field" {
		t.Errorf("a template that cannot be filled in: %v", err)
	}
}

// TestKeep: an inventory that is to stay stays, alone.
func TestKeep(t *testing.T) {
	dir, _, target := workplace(t)
	p := ansible.Playbook{File: "site.yml", Dir: dir, Inventory: ansible.Inventory{Keep: true}}
	if err := p.Run(t.Context(), target, nil, nil); err != nil {
		t.Fatal(err)
	}
	all, _ := filepath.Glob(os.Getenv("TMPDIR") + "/*")
	if len(all) != 1 || !strings.Contains(all[0], "inventory") {
		t.Errorf("left: %q, want the inventory", all)
	}
}

// TestCheck: what is not here is said with what to do.
func TestCheck(t *testing.T) {
	dir, _, _ := workplace(t)
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "broken"), []byte("#!/bin/sh\necho hm\necho no python >&2\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	const advice = ": install Ansible (apt install ansible-core, or pipx install ansible-core), or say with "
	const else_ = " where it is; with the provisioner ansible-local it runs on the machine instead"
	for _, tt := range []struct {
		path string
		p    ansible.Playbook
		want string
	}{
		{os.Getenv("PATH"), ansible.Playbook{Galaxy: ansible.Galaxy{File: "x"}}, ""},
		{os.Getenv("PATH"), ansible.Playbook{Command: "bin/ansible-playbook"}, ""},
		{bin, ansible.Playbook{Galaxy: ansible.Galaxy{File: "x"}},
			"ansible-playbook is not on this computer" + advice + "command" + else_ +
				"\nansible needs OpenSSH's client (ssh) on this computer, and it is not there" +
				"\nansible-galaxy is not on this computer" + advice + "galaxy_command" + else_},
		{bin + ":" + os.Getenv("PATH"), ansible.Playbook{Command: "broken"}, "broken --version: exit status 7: no python"},
	} {
		t.Setenv("PATH", tt.path)
		tt.p.Dir = dir
		got := ""
		if err := tt.p.Check(t.Context()); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Check = %q, want %q", got, tt.want)
		}
	}
}
