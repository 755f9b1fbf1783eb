package template

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/ansible"
	"github.com/imagobuild/imago/provision"
)

// readAnsible reads an ansible provisioner, and once more when it runs: then the
// facts of the build are known.
func readAnsible(o *object) builder.Step {
	step := builder.Local{StepOptions: readCommon(o)}
	skipped := o.boolean("skip_version_check")
	playbook := readPlaybook(o)
	step.Name, step.Text = "ansible "+playbook.File, o.p.describe(playbook, o.plain("inventory_file_template"))
	if !skipped {
		step.Check = o.p.checkOnce(playbook)
	}
	p := *o.p // with the current build
	step.Do = func(ctx context.Context, f builder.Facts, stdout, stderr io.Writer) error {
		q := p.informed(f)
		playbook := readPlaybook(q.again(o))
		if err := q.problems.err(q.result.Sensitive); err != nil {
			return err
		}
		return playbook.Run(ctx, ansible.Target{User: f.User, Machine: f.Machine}, stdout, stderr)
	}
	return step
}

// checkOnce looks for ansible once for all steps that need the same of it.
func (p *parser) checkOnce(playbook ansible.Playbook) func(context.Context) error {
	key := fmt.Sprintf("%q %q %q", playbook.Command, playbook.Galaxy.Command, playbook.Env)
	if playbook.Galaxy.File != "" {
		key += " galaxy"
	}
	if p.checks == nil {
		p.checks = map[string]func(context.Context) error{}
	}
	if p.checks[key] == nil {
		var once sync.Once
		var err error
		p.checks[key] = func(ctx context.Context) error {
			once.Do(func() { err = playbook.Check(ctx) })
			return err
		}
	}
	return p.checks[key]
}

func readPlaybook(o *object) ansible.Playbook {
	in := place{facts: true}
	p := ansible.Playbook{
		File: o.pathOf("playbook_file", false), Command: o.textIn("command", in), Env: o.pairsOf("ansible_env_vars", in), Arguments: o.itemTexts("extra_arguments", in),
		Dir: o.p.o.Getwd, BuildName: o.p.build.ScriptName, BuilderType: o.p.build.Type,
		Inventory: readInventory(o), Galaxy: readGalaxy(o), SSH: readAnsibleSSH(o),
	}
	o.need("playbook_file", p.File != "")
	if slices.ContainsFunc(p.Arguments, o.p.holdsSecret) {
		v, _ := o.get("extra_arguments")
		o.p.warnAt(o.p.placeOf(v),
			"extra_arguments shows a sensitive variable to all who list processes; put it into a file and say --extra-vars=@FILE")
	}
	return p
}

func readInventory(o *object) ansible.Inventory {
	in := place{facts: true}
	i := ansible.Inventory{
		File: o.pathOf("inventory_file", false), Directory: o.pathOf("inventory_directory", true), Alias: o.textIn("host_alias", in),
		Groups: o.list("groups"), EmptyGroups: o.list("empty_groups"), Keep: o.boolean("keep_inventory_file"),
	}
	in.fields = []string{"HostAlias", "Host", "User", "Port"}
	if line := o.textIn("inventory_file_template", in); line != "" {
		i.Line = func(a ansible.Address) (string, error) {
			return complete(line, map[string]string{"HostAlias": a.HostAlias, "Host": a.Host, "User": a.User, "Port": fmt.Sprint(a.Port)})
		}
	}
	return i
}

func readGalaxy(o *object) ansible.Galaxy {
	in := place{facts: true}
	return ansible.Galaxy{
		File: o.pathOf("galaxy_file", false), Command: o.textIn("galaxy_command", in),
		RolesPath: o.p.home(o.textIn("roles_path", in)), CollectionsPath: o.p.home(o.textIn("collections_path", in)),
		Force: o.boolean("galaxy_force_install"), ForceWithDeps: o.boolean("galaxy_force_with_deps"),
	}
}

func readAnsibleSSH(o *object) ansible.SSH {
	in := place{facts: true}
	proxy, sftp := o.tristate("use_proxy"), o.tristate("use_sftp")
	s := ansible.SSH{
		User: o.textIn("user", in), Direct: proxy != nil && !*proxy, SCP: sftp != nil && !*sftp, ExtraArgs: o.itemTexts("ansible_ssh_extra_args", in),
		Gate: provision.GateOptions{
			Port: o.number("local_port", 0), HostKey: o.file("ssh_host_key_file"), Authorized: o.file("ssh_authorized_key_file"),
			KeyType: strings.ToLower(o.oneOf("ansible_proxy_key_type", "ECDSA", "RSA")), SFTP: o.textIn("sftp_command", in),
		},
	}
	return s
}

// itemTexts are the texts of a list, as they are.
func (o *object) itemTexts(name string, in place) (all []string) {
	for _, i := range o.items(name, in) {
		all = append(all, i.text)
	}
	return all
}

// placeOf is where a value stands, with its file.
func (p *parser) placeOf(v value) pos { return pos{file: cmp.Or(v.pos.file, p.path), line: v.pos.line} }

// pathOf is an option that names a file, or a directory, which must be there.
func (o *object) pathOf(name string, dir bool) string {
	path := o.text(name)
	v, _ := o.get(name)
	if path == "" || o.open(name) {
		return path
	}
	return o.checkedPath(item{v, path}, name, dir)
}

// pathsOf is an option that names directories, which must be there.
func (o *object) pathsOf(name string) []string { return o.checkedPaths(name, true) }

func (o *object) checkedPaths(name string, dir bool) (all []string) {
	for _, i := range o.items(name, place{}) {
		if i.text != "" && i.kind != kindUnknown {
			all = append(all, o.checkedPath(i, name, dir))
		}
	}
	return all
}

// checkedPath says whether a path is that of a file or of a directory, as it must be.
func (o *object) checkedPath(i item, name string, dir bool) string {
	path, v := o.p.home(i.text), i.value
	switch info, err := os.Stat(o.p.local(path)); {
	case err != nil:
		o.wrong(v, name, "names %s, which %s%s", path, reason(err), o.p.counted(path))
	case info.IsDir() != dir && dir:
		o.wrong(v, name, "names %s, which is not a directory", path)
	case info.IsDir() != dir:
		o.wrong(v, name, "names %s, which is a directory", path)
	}
	return path
}

// pairsOf is a list of KEY=value.
func (o *object) pairsOf(name string, in place) (all []string) {
	for _, i := range o.items(name, in) {
		if key, _, ok := strings.Cut(i.text, "="); i.kind != kindUnknown && (!ok || key == "") {
			o.wrong(i.value, name, "holds %q; it must be KEY=value", i.text)
			continue
		}
		all = append(all, i.text)
	}
	return all
}

// describe says what a playbook does, as far as that is known, with the files that the template names.
func (p *parser) describe(playbook ansible.Playbook, line string) string {
	text, err := json.Marshal(playbook)
	if err != nil {
		text = []byte(err.Error())
	}
	whole := sha256.New()
	for _, path := range []string{playbook.File, playbook.Inventory.File, playbook.Galaxy.File} {
		data, _ := os.ReadFile(p.local(path))
		fmt.Fprintf(whole, "%s %d\n%s", filepath.Base(path), len(data), data)
	}
	return fmt.Sprintf("%s %s %x", text, line, whole.Sum(nil))
}
