package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/builder/template/fix"
)

const fixHelp = `Brings a JSON template of an old Packer up to date, and writes it to stdout. What is
written is held against imago validate's rules, as far as they need no values and no files.

Examples:
  imago fix web.json >web-new.json
  imago fix - <web.json
  imago fix -validate=false web.json

What is mended, in this order:
`

func fixCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "fix",
		Usage:       "bring an old JSON template up to date",
		ArgsUsage:   "TEMPLATE",
		Description: fixHelp + fixers() + "\nExit codes: 0 done, 2 the template cannot be read, or is not valid after all.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "validate", Value: true, Usage: "look whether the result can be read; --validate=false does not"},
			machineFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			return s.fix(c.Args().First(), c.Bool("validate"), c.Bool(machineName))
		},
	}
}

// fixers lists what is mended.
func fixers() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, f := range fix.Fixers() {
		fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.What)
	}
	w.Flush()
	return b.String()
}

// fix is the command.
func (s *session) fix(path string, check, readable bool) error {
	data, err := s.readTemplate(path)
	if err != nil {
		return &usageError{err}
	}
	fixed, done, err := fix.Template(path, data)
	if err != nil {
		return &usageError{err}
	}
	if check {
		if err := checkText(path+" as fixed", fixed); err != nil {
			return &usageError{err}
		}
	}
	if len(done) > 0 {
		s.say("imago: fix: %s", strings.Join(done, ", "))
	}
	if readable {
		return s.machine().line("", "ui", "say", string(fixed))
	}
	_, err = s.stdout.Write(fixed)
	return err
}

// readTemplate reads a template's text, from stdin when its name is a dash.
func (s *session) readTemplate(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(s.stdin)
	}
	if err := noTemplate(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// checkText reads a template from a text; name is for messages.
func checkText(name string, text []byte) error {
	f, err := os.CreateTemp("", "imago-fix-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if _, err := template.Parse(f.Name(), template.Options{Inspect: true}); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), f.Name(), name))
	}
	return nil
}
