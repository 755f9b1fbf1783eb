package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
)

const validateHelp = `Reads TEMPLATE and every file it names, and says all that is wrong with them, each
with file, line and column. Nothing is asked of AWS.

Examples:
  imago validate web.json
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
			machineFlag(),
			hostKeyFlag(),
		}, withoutMeaning("no-warn-undeclared-var", "evaluate-datasources", "ignore-prerelease-plugins", "use-sequential-evaluation")),
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
	o.Inspect = c.Bool("syntax-only")
	t, err := s.parse(c.Args().First(), o)
	if err != nil {
		return err
	}
	if !o.Inspect {
		if err := prepare(t, c.String("ssh-host-key")); err != nil {
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
