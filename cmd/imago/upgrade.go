package main

import (
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template/upgrade"
)

const upgradeHelp = `Writes a JSON TEMPLATE anew in HCL2, beside it, so that the same is built. What is not quite the
same in HCL2, such as a name that it has no letters for, is told.

Examples:
  imago hcl2_upgrade web.json                             writes web.json.pkr.hcl
  imago hcl2_upgrade -output-file=web.pkr.hcl web.json
  imago hcl2_upgrade -output-file=- web.json              writes to stdout

Exit codes: 0 done, 2 the template cannot be read, or says what HCL2 cannot.`

func upgradeCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "hcl2_upgrade",
		Usage:       "write a JSON template anew in HCL2",
		ArgsUsage:   "TEMPLATE",
		Description: upgradeHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output-file", Usage: "write to `FILE`, or to stdout when it is a dash; TEMPLATE.pkr.hcl unless given"},
			&cli.BoolFlag{Name: "with-annotations", Usage: "explain what is written in comments"},
			machineFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			return s.upgrade(c.Args().First(), c.String("output-file"), c.Bool("with-annotations"), c.Bool(machineName))
		},
	}
}

// upgrade is the command.
func (s *session) upgrade(path, to string, annotated, readable bool) error {
	data, err := s.readTemplate(path)
	if err != nil {
		return &usageError{err}
	}
	result, err := upgrade.Template(path, data, annotated)
	if err != nil {
		return &usageError{err}
	}
	for _, w := range result.Warnings {
		s.say("imago: warning: %s: %s", path, w)
	}
	if to == "" {
		to = path + ".pkr.hcl"
	}
	if to == "-" || path == "-" && to == "-.pkr.hcl" {
		_, err := s.stdout.Write(result.Text)
		return err
	}
	if err := writeFile(to, result.Text); err != nil {
		return err
	}
	return s.result(readable, "Successfully created "+to)
}

// writeFile writes a file whole. One that is there keeps its mode.
func writeFile(path string, text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() { // /dev/stdout and the like
			return os.WriteFile(path, text, mode)
		}
		mode = info.Mode().Perm()
	}
	return replaceWith(path, mode, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
