package template

import (
	"fmt"
	"strings"
)

// OptionDoc is the table of options as a page of the documentation, in Markdown.
func OptionDoc() string {
	var b strings.Builder
	all := OptionTable()
	fmt.Fprintf(&b, optionIntro, len(all), count(all, Implemented), count(all, Noticed), count(all, Refused))
	b.WriteString("\n## Defaults that differ on purpose\n\nWhat a template says is always obeyed.\n\n| option | default |\n|---|---|\n")
	for _, o := range all {
		if o.Differs != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", qualified(o), cell(o.Differs))
		}
	}
	b.WriteString("| --ssh-host-key, a flag | the machine's key is made here and pinned; Packer takes any |\n")
	last := ""
	for _, o := range all {
		if o.Group != last {
			fmt.Fprintf(&b, "\n## %s\n\n| option | status | what imago does | test |\n|---|---|---|---|\n", o.Group)
			last = o.Group
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", qualified(o), o.Status, cell(o.Note), o.Test)
	}
	return b.String()
}

const optionIntro = `# options

Every option of Packer's amazon-ebs builder and SSH communicator, and of the provisioners file, shell, shell-local,
breakpoint and sleep, and what imago makes of it: %d in all, %d implemented, %d accepted with notice, %d refused. This page
is made from the table that the parser goes by.

An option that is *accepted with notice* has no effect here, and a warning says why. One that is *refused* stops
` + "`imago build`" + `, by name and line; ` + "`imago validate`" + ` takes it, as Packer does, and warns.
`

func count(all []Option, s Status) (n int) {
	for _, o := range all {
		if o.Status == s {
			n++
		}
	}
	return n
}

// qualified is an option's name, below what it belongs to.
func qualified(o Option) string {
	if strings.Contains(o.Component, " ") {
		return o.Name
	}
	return o.Component + "." + o.Name
}

// cell is a text in a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
