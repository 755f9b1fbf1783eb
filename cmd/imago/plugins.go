package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template"
)

const pluginsHelp = `imago has no plugins: what it has is built in. These commands are there so that a job
that manages Packer's plugins needs no change.

Examples:
  imago plugins installed
  imago plugins required .
  imago plugins install github.com/hashicorp/amazon`

func pluginsCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "plugins",
		Aliases:     []string{"plugin"},
		Usage:       "say what is built in; nothing has to be installed",
		ArgsUsage:   "COMMAND",
		Description: pluginsHelp,
		Flags:       []cli.Flag{machineFlag()},
		Subcommands: []*cli.Command{
			{Name: "installed", Usage: "list the plugins whose work imago does itself", Action: func(c *cli.Context) error {
				if err := arguments(c, 0, 0); err != nil {
					return err
				}
				return s.listBuiltIn(c.Bool(machineName))
			}},
			{Name: "required", Usage: "list the plugins that a template requires", ArgsUsage: "[TEMPLATE]", Action: func(c *cli.Context) error {
				if err := arguments(c, 0, 1); err != nil {
					return err
				}
				return s.listRequired(c.Args().First(), c.Bool(machineName))
			}},
			{
				Name: "install", Usage: "install nothing", ArgsUsage: "PLUGIN [VERSION]",
				Flags:  withoutMeaning(s, "path", "force"),
				Action: func(c *cli.Context) error { return s.nothingTo(c, "install") },
			},
			{
				Name: "remove", Usage: "remove nothing", ArgsUsage: "PLUGIN [VERSION]",
				Action: func(c *cli.Context) error { return s.nothingTo(c, "remove") },
			},
		},
		Action: func(c *cli.Context) error { return unknownCommand(c, s) },
	}
}

// listBuiltIn writes the plugins whose work imago does.
func (s *session) listBuiltIn(readable bool) error {
	var errs []error
	for _, name := range builtIn() {
		errs = append(errs, s.result(readable, name+" (built in)"))
	}
	return errors.Join(errs...)
}

// listRequired writes what a template requires.
func (s *session) listRequired(path string, readable bool) error {
	plugins, err := s.plugins(path)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range plugins {
		errs = append(errs, s.result(readable, required(p)))
		s.warnPlugin(p)
	}
	return errors.Join(errs...)
}

// nothingTo is install and remove.
func (s *session) nothingTo(c *cli.Context, what string) error {
	if err := arguments(c, 1, 2); err != nil {
		return err
	}
	s.warnPlugin(template.Plugin{Source: c.Args().First()})
	return s.result(c.Bool(machineName), "Nothing to "+what+": imago has no plugins.")
}
