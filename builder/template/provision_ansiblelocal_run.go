package template

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/imagobuild/imago/builder/ansible"
	"github.com/imagobuild/imago/provision"
)

// script is a script of the provisioner's own.
func (l ansibleLocal) script(body string) provision.Script {
	return provision.Script{Name: l.name, Body: []byte("#!/bin/sh -e\n" + body)}
}

// prepare makes the staging directory.
func (l ansibleLocal) prepare() string {
	staging := shellQuote(l.staging)
	if l.ours {
		return "rm -rf " + staging + "\nmkdir -p " + staging + "\n"
	}
	return "mkdir -p " + staging + "\n"
}

// scripts are what ansible runs on the machine: requirements, then each playbook.
// Packer has the user's shell read the command, and so do we.
func (l ansibleLocal) scripts() (all []provision.Script) {
	var roles string
	if l.galaxyOn != "" {
		roles = l.searchPaths()
		for _, args := range l.galaxyWithPaths().Commands(l.galaxyHas, l.galaxyOn) {
			all = append(all, l.script(l.inShell(cmp.Or(l.galaxy.Command, "ansible-galaxy")+" "+quoteAll(args))))
		}
	}
	for _, playbook := range l.playbooks {
		command := strings.Join([]string{
			cmp.Or(l.command, "PYTHONUNBUFFERED=1 ansible-playbook"), shellQuote(playbook), "--extra-vars", shellQuote(l.vars),
			l.extra, "-c", "local", "-i", shellQuote(l.inventory),
		}, " ")
		all = append(all, l.script(roles+l.inShell(command)))
	}
	return all
}

// inShell runs a command line in the staging directory, by the user's shell.
func (l ansibleLocal) inShell(command string) string {
	return fmt.Sprintf("cd %s\nexec \"${SHELL:-/bin/sh}\" -c %s\n", shellQuote(l.staging), shellQuote(command))
}

// galaxyWithPaths has the places of Packer's where the template names none.
func (l ansibleLocal) galaxyWithPaths() (g ansible.Galaxy) {
	g = l.galaxy
	g.RolesPath = cmp.Or(g.RolesPath, path.Join(l.staging, "roles/galaxy_roles"))
	g.CollectionsPath = cmp.Or(g.CollectionsPath, path.Join(l.staging, "collections/galaxy_collections"))
	return g
}

// searchPaths has ansible find what was installed, before what is elsewhere,
// unless an ansible.cfg that was uploaded says where to look.
func (l ansibleLocal) searchPaths() string {
	g := l.galaxyWithPaths()
	return fmt.Sprintf(`cd %s
if ! grep -qs '^ *roles_path' ansible.cfg; then
	export ANSIBLE_ROLES_PATH=%s:"${ANSIBLE_ROLES_PATH:-$HOME/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles}"
fi
if ! grep -qs '^ *collections_path' ansible.cfg; then
	export ANSIBLE_COLLECTIONS_PATH=%s:"${ANSIBLE_COLLECTIONS_PATH:-$HOME/.ansible/collections:/usr/share/ansible/collections}"
fi
`, shellQuote(l.staging), shellQuote(g.RolesPath), shellQuote(g.CollectionsPath))
}

func quoteAll(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, shellQuote(w))
	}
	return strings.Join(all, " ")
}
