package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template"
)

const initHelp = `Looks at the plugins that TEMPLATE requires. There is nothing to install, as all that imago
has is built in; a plugin that it has nothing of is named. It is there so that a job that
runs packer init needs no change.

Examples:
  imago init .
  imago init web.pkr.hcl

Exit codes: 0 done, 2 the template cannot be read.`

func initCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "init",
		Usage:       "look at the plugins that a template requires; nothing has to be installed",
		ArgsUsage:   "[TEMPLATE]",
		Description: initHelp,
		Flags:       append(withoutMeaning(s, "upgrade", "force"), machineFlag()),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 1); err != nil {
				return err
			}
			plugins, err := s.plugins(c.Args().First())
			if err != nil {
				return err
			}
			for _, p := range plugins {
				s.warnPlugin(p)
			}
			return s.result(c.Bool(machineName), "Nothing to install: imago has no plugins.")
		},
	}
}

// plugins lists what a template requires; without a name that of the working directory.
func (s *session) plugins(path string) ([]template.Plugin, error) {
	if path == "" {
		path = "."
	}
	t, err := template.Parse(path, template.Options{Inspect: true})
	if err != nil {
		return nil, &usageError{err}
	}
	return t.Plugins, nil
}

// builtIn lists the plugins whose work imago does itself, by the last part of their source.
func builtIn() []string {
	all := []string{"amazon", "amazon-ami-management", "ansible"}
	return slices.DeleteFunc(all, func(plugin string) bool { return !template.Supported(plugin) })
}

// pluginName is the last part of a plugin's source, else the template's word for it.
func pluginName(p template.Plugin) string {
	if p.Source == "" {
		return p.Name
	}
	return strings.TrimPrefix(p.Source[strings.LastIndexByte(p.Source, '/')+1:], "packer-plugin-")
}

// warnPlugin says that imago has nothing of a plugin.
func (s *session) warnPlugin(p template.Plugin) {
	if name := pluginName(p); !slices.Contains(builtIn(), name) {
		s.say("imago: warning: imago has nothing of the plugin %s; a build that needs it is refused", name)
	}
}

// required writes a plugin as packer plugins required does.
func required(p template.Plugin) string {
	return strings.TrimSpace(fmt.Sprintf("%s %q", p.Source, p.Version))
}
