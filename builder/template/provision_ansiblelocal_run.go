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
	staging := shellWord(l.staging)
	if l.ours {
		return "rm -rf " + staging + "\nmkdir -p " + staging + "\n"
	}
	return "mkdir -p " + staging + "\n"
}

// scripts are what ansible runs on the machine: requirements, then each playbook.
// Packer has the user's shell read the command, and so do we.
func (l ansibleLocal) scripts() (all []provision.Script) {
	var found string
	if l.galaxyOn != "" {
		found = l.searchPaths()
		for _, args := range l.galaxyWithPaths().Commands(l.galaxyHas, l.galaxyOn) {
			all = append(all, l.script(l.inShell("", cmp.Or(l.galaxy.Command, "ansible-galaxy")+" "+quoteAll(args))))
		}
	}
	for _, playbook := range l.playbooks {
		command := cmp.Or(l.command, "PYTHONUNBUFFERED=1 ansible-playbook") + " " + quoteAll([]string{playbook, "--extra-vars", l.vars})
		if l.extra != "" {
			command += " " + l.extra
		}
		command += " " + quoteAll([]string{"-c", "local", "-i", l.inventory})
		all = append(all, l.script(l.inShell(found, command)))
	}
	return all
}

// inShell runs a command line in the staging directory, by the user's shell, after something else.
func (l ansibleLocal) inShell(before, command string) string {
	return fmt.Sprintf("cd %s\n%sexec \"${SHELL:-/bin/sh}\" -c %s\n", shellWord(l.staging), before, shellWord(command))
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
	return fmt.Sprintf(`if ! grep -qs '^ *roles_path' ansible.cfg; then
	export ANSIBLE_ROLES_PATH=%s:"${ANSIBLE_ROLES_PATH:-$HOME/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles}"
fi
if ! grep -qs '^ *collections_path' ansible.cfg; then
	export ANSIBLE_COLLECTIONS_PATH=%s:"${ANSIBLE_COLLECTIONS_PATH:-$HOME/.ansible/collections:/usr/share/ansible/collections}"
fi
`, shellWord(g.RolesPath), shellWord(g.CollectionsPath))
}

// shellWord quotes a word where a shell would not take it as it is.
func shellWord(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:,@%="
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return shellQuote(s)
}

func quoteAll(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, shellWord(w))
	}
	return strings.Join(all, " ")
}
