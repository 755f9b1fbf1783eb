package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/redact"
	"github.com/imagobuild/imago/builder/template"
)

const inspectHelp = `Says what is in TEMPLATE: its variables, builds and provisioners.
Variables need no values, and files need not be there.

Examples:
  imago inspect web.json
  imago inspect -machine-readable web.json`

func inspectCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "inspect",
		Usage:       "show what is in a template",
		ArgsUsage:   "TEMPLATE",
		Description: inspectHelp,
		Flags: slices.Concat(templateFlags(), []cli.Flag{machineFlag()},
			withoutMeaning(s, "use-sequential-evaluation")),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			o, err := templateOptions(c, s)
			if err != nil {
				return err
			}
			o.Inspect = true
			t, err := s.parse(c.Args().First(), o)
			if err != nil {
				return err
			}
			if c.Bool("machine-readable") {
				return s.inspectMachine(t)
			}
			describe := inspection
			if t.Outline != nil {
				describe = hclInspection
			}
			_, err = fmt.Fprint(s.stdout, s.secrets.Clean(describe(t)))
			return err
		},
	}
}

// inspection describes a template in Packer's layout.
func inspection(t *template.Template) string {
	var b strings.Builder
	if t.Description != "" {
		fmt.Fprintf(&b, "Description:\n\n  %s\n\n", t.Description)
	}
	var required, optional, builds []string
	for _, v := range t.Variables {
		if v.Required {
			required = append(required, v.Name)
			continue
		}
		optional = append(optional, v.Name+" = "+shownDefault(v))
	}
	for _, build := range t.Builds {
		builds = append(builds, nameAndType(build.Name, build.Type))
	}
	section(&b, "Required variables", required)
	section(&b, "Optional variables and their defaults", optional)
	section(&b, "Builders", builds)
	section(&b, "Provisioners", t.Provisioners)
	return strings.TrimSuffix(b.String(), "\n")
}

// section writes a heading and a list; an empty list is said to be empty.
func section(b *strings.Builder, title string, list []string) {
	fmt.Fprintf(b, "%s:\n\n", title)
	if len(list) == 0 {
		list = []string{"<none>"}
	}
	for _, l := range list {
		fmt.Fprintf(b, "  %s\n", l)
	}
	b.WriteString("\n")
}

// nameAndType writes "web (amazon-ebs)", or the name alone when it is the type.
func nameAndType(name, kind string) string {
	if name == kind {
		return name
	}
	return name + " (" + kind + ")"
}

// shownDefault is a variable's default, unless it is sensitive.
func shownDefault(v template.Variable) string {
	switch {
	case v.Default == nil:
		return ""
	case v.Sensitive && *v.Default != "":
		return redact.Hidden
	default:
		return *v.Default
	}
}

// inspectMachine writes the same as Packer's machine-readable lines.
func (s *session) inspectMachine(t *template.Template) error {
	m := s.machine()
	var errs []error
	line := func(kind string, data ...string) { errs = append(errs, m.line("", kind, data...)) }
	for _, v := range t.Variables {
		required := "0"
		if v.Required {
			required = "1"
		}
		line("template-variable", v.Name, shownDefault(v), required)
	}
	for _, b := range t.Builds {
		line("template-builder", b.Name, b.Type)
	}
	for _, p := range t.Provisioners {
		line("template-provisioner", p)
	}
	return errors.Join(errs...)
}
