package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template"
)

const doctorHelp = `Says what imago will make of a template that was written for Packer: what it will
run, what would stop it and what to do about that, and where imago does something
else than Packer, on purpose, with file and line. Nothing is run, and nothing is
asked of AWS. For what is true of every template: imago help migrating

Examples:
  imago doctor web.json
  imago doctor -var-file production.pkrvars.hcl .
  imago doctor --json web.json | jq '.problems'

Exit codes: 0 it will run, 1 something would stop it, 2 usage, or no such template.`

func doctorCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "doctor",
		Usage:       "say what will run, what differs from Packer, and what is refused",
		ArgsUsage:   "TEMPLATE",
		Description: doctorHelp,
		Flags:       slices.Concat(templateFlags(), []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "write one JSON object"}, hostKeyFlag()}),
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1); err != nil {
				return err
			}
			return s.doctor(c)
		},
	}
}

// doctor is the command.
func (s *session) doctor(c *cli.Context) error {
	o, err := templateOptions(c, s)
	if err != nil {
		return err
	}
	o.WarnUndeclared = true
	path := c.Args().First()
	if err := cmp.Or(noProject(path), noTemplate(path)); err != nil {
		return err
	}
	e := template.Examine(path, o)
	if e.Checked != nil {
		s.secrets.Hide(e.Checked.Sensitive...)
		if err := prepare(e.Checked, buildOptions{hostKey: c.String("ssh-host-key")}); err != nil {
			e.Problems = append(e.Problems, template.Finding{Text: err.Error()})
		}
	}
	report := diagnose(path, e)
	var out strings.Builder
	if c.Bool("json") {
		err = writeJSON(&out, report)
	} else {
		out.WriteString(report.text())
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.stdout, s.secrets.Clean(out.String()))
	if err == nil && !report.Runs {
		err = errStops
	}
	return err
}

// errStops ends doctor with exit code 1, after it has said why.
var errStops = errors.New("the template would not run as it is")

// diagnosis is what doctor says.
type diagnosis struct {
	Template    string          `json:"template"`
	Runs        bool            `json:"runs"`
	Builds      []diagnosedPart `json:"builds"`
	Steps       []string        `json:"provisioners"`
	Problems    []finding       `json:"problems"`
	Differences []finding       `json:"differences"`
	Notices     []finding       `json:"notices"`
}

type diagnosedPart struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// finding is a template.Finding as JSON.
type finding struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Option string `json:"option,omitempty"`
	Text   string `json:"text"`
}

func diagnose(path string, e template.Examination) diagnosis {
	d := diagnosis{
		Template: path, Runs: len(e.Problems) == 0, Builds: []diagnosedPart{}, Steps: []string{},
		Problems: findings(e.Problems), Differences: findings(e.Differences), Notices: findings(e.Notices),
	}
	if e.Shape != nil {
		for _, b := range e.Shape.Builds {
			d.Builds = append(d.Builds, diagnosedPart{b.Name, b.Type})
		}
		d.Steps = append(d.Steps, e.Shape.Provisioners...)
	}
	return d
}

func findings(all []template.Finding) []finding {
	out := []finding{}
	for _, f := range all {
		out = append(out, finding(f))
	}
	return out
}

func (d diagnosis) text() string {
	var b strings.Builder
	for _, one := range d.Builds {
		fmt.Fprintf(&b, "build %s\n", nameAndType(one.Name, one.Type))
	}
	if len(d.Steps) > 0 {
		fmt.Fprintf(&b, "provisioners %s\n", strings.Join(d.Steps, ", "))
	}
	said(&b, "Would stop a build", d.Problems)
	said(&b, "Has no effect, or may be a mistake", d.Notices)
	said(&b, "Differs from Packer on purpose (set the option to have it otherwise)", d.Differences)
	if d.Runs {
		fmt.Fprintf(&b, "\nIt will run. What is true of every template: imago help migrating\n")
	} else {
		fmt.Fprintf(&b, "\nIt would not run as it is: mend what would stop it, and ask again.\n")
	}
	return b.String()
}

// said writes findings below a heading, those of the same text together.
func said(b *strings.Builder, title string, all []finding) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	told := map[string]bool{}
	for _, f := range all {
		key := f.Option + f.Text
		if told[key] {
			continue
		}
		told[key] = true
		var places []string
		for _, other := range all {
			if other.Option+other.Text == key && other.File != "" {
				places = append(places, other.place())
			}
		}
		text := f.Text
		if f.Option != "" && !strings.HasPrefix(text, f.Option) {
			text = f.Option + ": " + text
		}
		if len(places) > 0 {
			text = shortList(slices.Compact(places)) + ": " + text
		}
		fmt.Fprintf(b, "  %s\n", strings.ReplaceAll(text, "\n", "\n  "))
	}
}

// shortList names the first of many places.
func shortList(places []string) string {
	const most = 3
	if len(places) <= most {
		return strings.Join(places, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(places[:most], ", "), len(places)-most)
}

func (f finding) place() string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d", f.File, f.Line)
}
