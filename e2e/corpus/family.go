package main

import "strings"

// families are what the table has a line for, in its order.
var families = []string{
	"JSON, amazon-ebs + file, shell", "JSON, Ansible", "JSON, other",
	"HCL2, amazon-ebs + file, shell", "HCL2, data sources", "HCL2, Ansible", "HCL2, other",
}

// family is the line of the table that a template belongs to.
func (e entry) family() string {
	language := map[string]string{"json": "JSON", "hcl": "HCL2"}[e.kind]
	switch {
	case e.ansible():
		return language + ", Ansible"
	case !e.inScope:
		return language + ", other"
	case len(e.data) > 0:
		return language + ", data sources"
	default:
		return language + ", amazon-ebs + file, shell"
	}
}

// ansible says that Ansible is all that puts a template outside of what Packer 1.16.0 has built in.
func (e entry) ansible() bool {
	if !has(e.provisioners, "ansible", "ansible-local") || strings.Contains(e.said["notable"], "winrm") {
		return false
	}
	return within(e.builders, "amazon-ebs") &&
		within(e.provisioners, "ansible", "ansible-local", "shell", "file", "shell-local", "breakpoint")
}

// within says whether a template names only some types.
func within(types []string, names ...string) bool {
	for _, t := range types {
		if !has([]string{t}, names...) {
			return false
		}
	}
	return true
}
