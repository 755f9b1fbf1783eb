package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
)

const validateHelp = `Reads TEMPLATE and every file it names, and says all that is wrong with them, each
with file, line and column. What Packer takes and a build refuses is a warning. Nothing is asked of AWS. TEMPLATE is a JSON file, an
HCL2 file (*.pkr.hcl, *.pkr.json), or a directory of these.

Examples:
  imago validate web.json
  imago validate .                        all *.pkr.hcl of a directory
  imago validate -syntax-only web.json
  imago validate -var NODE_ENV=production web.json

Exit codes: 0 valid, 2 not valid.`

func validateCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "validate",
		Usage:       "check a template, without touching anything",
		ArgsUsage:   "TEMPLATE",
		Description: validateHelp,
		Flags: slices.Concat(templateFlags(), []cli.Flag{
			&cli.BoolFlag{Name: "syntax-only", Usage: "only look whether the template can be read"},
			&cli.BoolFlag{Name: "evaluate-datasources", Usage: "ask the data sources of an HCL2 template; this makes calls"},
			&cli.BoolFlag{Name: "no-warn-undeclared-var", Usage: "do not warn of values in variable files that an HCL2 template has no variable for"},
			machineFlag(),
			hostKeyFlag(),
		}, withoutMeaning("ignore-prerelease-plugins", "use-sequential-evaluation")),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			return s.validate(c)
		},
	}
}

// validate is the command.
func (s *session) validate(c *cli.Context) error {
	o, err := templateOptions(c)
	if err != nil {
		return err
	}
	o.Inspect, o.Check = c.Bool("syntax-only"), true
	o.WarnUndeclared = !c.Bool("no-warn-undeclared-var")
	if c.Bool("evaluate-datasources") {
		o.Lookup = &lookup{ctx: c.Context, session: s}
	}
	t, err := s.parse(c.Args().First(), o)
	if err != nil {
		return err
	}
	if !o.Inspect {
		if err := prepare(t, buildOptions{hostKey: c.String("ssh-host-key")}); err != nil {
			return err
		}
	}
	return s.result(c.Bool("machine-readable"), "The configuration is valid.")
}

// result writes one line to stdout, for people or as a machine-readable ui line.
func (s *session) result(readable bool, text string) error {
	if readable {
		return s.machine().line("", "ui", "say", text)
	}
	_, err := fmt.Fprintln(s.stdout, text)
	return err
}
