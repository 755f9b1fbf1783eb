// Package ansible runs ansible-playbook on this computer against a machine that
// is being prepared, as Packer's provisioner ansible does.
package ansible

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/imagobuild/imago/provision"
)

// Playbook is one run of ansible-playbook. The fields are the provisioner's
// options; paths are relative to Dir.
type Playbook struct {
	File      string   // playbook_file. Required.
	Command   string   // Optional; defaults to ansible-playbook.
	Arguments []string // extra_arguments
	Env       []string // ansible_env_vars, KEY=value
	Dir       string   // where it runs. Optional; defaults to the working directory.

	// BuildName and BuilderType are what the playbook knows as packer_build_name and packer_builder_type.
	BuildName, BuilderType string

	Inventory Inventory
	Galaxy    Galaxy
	SSH       SSH
}

// SSH is how ansible gets to the machine.
type SSH struct {
	// Direct connects to the machine's own address, with the machine's own login
	// key (use_proxy = false). Otherwise, and where that cannot be, ansible
	// connects to a provision.Gate.
	Direct bool

	User      string                // what ansible takes for the user's name. Optional; defaults to the machine's.
	ExtraArgs []string              // --ssh-extra-args. Optional; defaults to -o IdentitiesOnly=yes.
	SCP       bool                  // files travel by scp (use_sftp = false)
	Gate      provision.GateOptions // of the gate
}

// Target is the machine.
type Target struct {
	User    string // that we log in as
	Machine Machine
}

// Machine is what is asked of a connection. *provision.Host is one.
type Machine interface {
	OpenGate(provision.GateOptions) (*provision.Gate, error)
	Login() (login provision.Login, ok bool)
}

// Run runs the playbook. Nothing of it is left on this computer when it returns:
// no file, no port, no process. When ansible says that something did not succeed,
// the error is a *provision.ExitError; when ctx ends, ctx's cause.
func (p Playbook) Run(ctx context.Context, t Target, stdout, stderr io.Writer) (err error) {
	private, err := os.MkdirTemp("", "imago-ansible-") // of mode 0700
	if err != nil {
		return fmt.Errorf("prepare a run of ansible: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(private)) }()
	if err := p.Galaxy.install(ctx, p, stdout, stderr); err != nil {
		return err
	}
	w, err := p.way(t, private)
	if err != nil {
		return err
	}
	inventory, done, err := p.Inventory.write(w, p.Dir, private)
	if err != nil {
		return errors.Join(err, w.close())
	}
	defer done()
	c := command{dir: p.Dir, env: append(w.env, p.Env...), stdout: stdout, stderr: stderr, direct: w.gate == nil}
	err = c.run(ctx, p.command(), p.arguments(w, inventory)...)
	if refused := w.close(); err != nil {
		return errors.Join(err, refused)
	}
	return nil
}

// name is the playbook's command.
func (p Playbook) command() string { return cmp.Or(p.Command, "ansible-playbook") }

// arguments are in Packer's order: who repeats an option has the last word.
func (p Playbook) arguments(w way, inventory string) []string {
	all := []string{
		"-e", fmt.Sprintf("packer_build_name=%q", p.BuildName), "-e", "packer_builder_type=" + p.BuilderType,
		"--ssh-extra-args", p.sshExtraArgs(),
	}
	if w.common != "" {
		all = append(all, "--ssh-common-args="+w.common)
	}
	all = append(all, p.Arguments...)
	if w.key != "" {
		all = append(all, "-e", "ansible_ssh_private_key_file="+w.key)
	}
	return slices.Concat(all, []string{"-i", inventory, inDir(p.Dir, p.File)})
}
