package template

import (
	"crypto/sha256"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/ansible"
	"github.com/imagobuild/imago/provision"
)

// stagingParent is where Packer puts what ansible-local uploads.
const stagingParent = "/tmp/packer-provisioner-ansible-local"

// ansibleLocal is an ansible-local provisioner.
type ansibleLocal struct {
	name      string
	staging   string
	ours      bool // the staging directory is a name of ours: what an earlier image left there goes
	trees     []provision.Tree
	playbooks []string // on the machine
	inventory string   // on the machine
	galaxy    ansible.Galaxy
	galaxyOn  string // galaxy_file, on the machine
	galaxyHas string // what it says
	clean     bool

	command, extra, vars string
}

// readAnsibleLocal reads an ansible-local provisioner. What it runs is read once
// more when that uses facts of the build.
func readAnsibleLocal(o *object) builder.Step {
	common := readCommon(o)
	l := readLocalAnsible(o)
	run := builder.Run{Scripts: l.scripts()}
	if o.late() {
		p := *o.p // with the current build
		run.Late = func(f builder.Facts) ([]provision.Script, error) {
			q := p.informed(f)
			scripts := readLocalAnsible(q.again(o)).scripts()
			return scripts, q.problems.err(q.result.Sensitive)
		}
	}
	steps := []builder.Step{builder.Run{Scripts: []provision.Script{l.script(l.prepare())}}, builder.Upload{Trees: l.trees}, run}
	if l.clean {
		steps = append(steps, builder.Run{Scripts: []provision.Script{l.script("rm -rf " + shellWord(l.staging) + "\n")}})
	}
	return builder.Sequence{StepOptions: common, Name: l.name, Steps: steps}
}

func readLocalAnsible(o *object) ansibleLocal {
	in := place{facts: true}
	l := ansibleLocal{
		staging: o.text("staging_directory"), clean: o.boolean("clean_staging_directory"),
		command: o.textIn("command", in), extra: strings.Join(o.itemTexts("extra_arguments", in), " "),
		vars: fmt.Sprintf("packer_build_name=%q packer_builder_type=%s", o.p.build.ScriptName, o.p.build.Type),
		galaxy: ansible.Galaxy{
			Command: o.textIn("galaxy_command", in), Force: o.boolean("galaxy_force_install"), ForceWithDeps: o.boolean("galaxy_force_with_deps"),
			RolesPath: o.textIn("galaxy_roles_path", in), CollectionsPath: o.textIn("galaxy_collections_path", in),
		},
	}
	dir := o.pathOf("playbook_dir", true)
	playbooks := o.playbooks()
	l.name = "ansible-local " + strings.Join(playbooks, " ")
	if l.ours = l.staging == ""; l.ours {
		sum := sha256.New()
		for _, p := range playbooks {
			fmt.Fprintf(sum, "%q", filepath.Base(p)) // the project may be anywhere
		}
		l.staging = fmt.Sprintf("%s/imago-%x", stagingParent, sum.Sum(nil)[:4])
	}
	l.addDir(o.p.local(dir), "")
	for _, p := range playbooks {
		l.addPlaybook(o, dir, p)
	}
	l.readInventory(o)
	if file := o.pathOf("galaxy_file", false); file != "" {
		l.galaxyOn = l.addFile(o.p.local(file))
		l.galaxyHas = string(o.file("galaxy_file"))
	}
	l.addDir(o.p.local(o.pathOf("group_vars", true)), "group_vars")
	l.addDir(o.p.local(o.pathOf("host_vars", true)), "host_vars")
	for _, p := range o.pathsOf("playbook_paths") {
		l.addDir(o.p.local(p), "playbooks")
	}
	for _, p := range o.pathsOf("role_paths") {
		l.addDir(o.p.local(p), "roles/"+filepath.Base(p))
	}
	for _, p := range o.pathsOf("collection_paths") {
		l.addDir(o.p.local(p), "collections/"+filepath.Base(p))
	}
	return l
}

// playbooks reads playbook_file and playbook_files, of which one must be there.
func (o *object) playbooks() []string {
	o.exclusive("playbook_file", "playbook_files")
	file, all := o.pathOf("playbook_file", false), o.checkedPaths("playbook_files", false)
	if file != "" {
		return []string{file}
	}
	if len(all) == 0 && !o.told["playbook_file"] && !o.told["playbook_files"] {
		o.p.problem(o.v.pos, "%s needs playbook_file or playbook_files", o.what)
	}
	return all
}

// addPlaybook uploads a playbook, unless playbook_files names it in playbook_dir.
func (l *ansibleLocal) addPlaybook(o *object, dir, playbook string) {
	if _, several := o.v.member("playbook_files"); several && dir != "" {
		if rel, err := filepath.Rel(o.p.local(dir), o.p.local(playbook)); err == nil && filepath.IsLocal(rel) {
			l.playbooks = append(l.playbooks, path.Join(l.staging, filepath.ToSlash(rel)))
			return
		}
	}
	l.playbooks = append(l.playbooks, l.addFile(o.p.local(playbook)))
}

// readInventory uploads the template's inventory, or one in which there is this machine alone.
func (l *ansibleLocal) readInventory(o *object) {
	if file := o.pathOf("inventory_file", false); file != "" {
		l.inventory = l.addFile(o.p.local(file))
		o.list("inventory_groups")
		return
	}
	text := "127.0.0.1\n"
	if groups := o.list("inventory_groups"); len(groups) > 0 {
		text = ""
		for _, g := range groups {
			text += "[" + g + "]\n127.0.0.1\n"
		}
	}
	l.inventory = path.Join(l.staging, "imago-inventory")
	l.trees = append(l.trees, provision.Tree{Content: []byte(text), Dest: l.inventory})
}

// addFile uploads a file into the staging directory, and returns where it is there.
func (l *ansibleLocal) addFile(file string) string {
	dest := path.Join(l.staging, filepath.Base(file))
	l.trees = append(l.trees, provision.Tree{Source: file, Dest: dest})
	return dest
}

// addDir uploads what a directory holds into one of the staging directory's.
func (l *ansibleLocal) addDir(dir, to string) {
	if dir != "" {
		l.trees = append(l.trees, provision.Tree{Source: strings.TrimSuffix(dir, "/") + "/", Dest: path.Join(l.staging, to)})
	}
}
