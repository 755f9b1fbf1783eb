package main

import (
	"context"
	"os"
	"slices"
	"strings"
)

// check is one command that both were given.
type check struct {
	name    string // in the table
	column  string // of Packer's exit code in the index
	command []string
	args    func(entry) []string
}

var checks = []check{
	{"syntax-only", "syntax", []string{"validate", "-syntax-only"}, func(entry) []string { return nil }},
	{"inspect", "inspect", []string{"inspect"}, func(entry) []string { return nil }},
	{"validate", "validate", []string{"validate"}, func(e entry) []string { return e.args }},
	{"filled", "filled", []string{"validate"}, func(e entry) []string { return e.filled }},
}

// linesCheck compares what inspect says, not only how it ends.
const linesCheck = "inspect's lines"

// verdict is what came of a check.
type verdict struct {
	check         string
	agrees        bool
	reason        string // why it is right that they differ
	packer, imago string // what each said
}

// judge runs all checks of a template that there is a verdict of Packer's for.
func (p program) judge(ctx context.Context, e entry, reasons []reason) (all []verdict, err error) {
	for _, c := range checks {
		packers, version := e.packers(c)
		if packers == "" {
			continue
		}
		r, err := p.run(ctx, e, p.imago, slices.Concat(c.command, c.args(e), []string{e.template})...)
		if err != nil {
			return nil, err
		}
		v := verdict{
			check: c.name, agrees: (packers == "0") == (r.code == 0), imago: said(r.code, r.stderr),
			packer: "Packer " + version + ": exit " + packers,
		}
		if packers != "0" {
			if version == older {
				if e.complaint, err = p.complaint(ctx, e, c); err != nil {
					return nil, err
				}
			}
			v.packer += ": " + e.complaint
		}
		if !v.agrees {
			v.reason = explain(reasons, e, packers == "0", r.stderr)
		}
		all = append(all, v)
	}
	lines, err := p.judgeLines(ctx, e)
	return append(all, lines...), err
}

// packers is the exit code of Packer's that counts, and whose it is. Where 1.16.0
// has not all components, it refuses for that alone what it would have to validate;
// 1.6.6 still has Ansible built in, and reads JSON.
func (e entry) packers(c check) (code, version string) {
	reads := c.column == "syntax" || c.column == "inspect"
	switch {
	case reads || e.comparable:
		return e.said[c.column], "1.16.0"
	case e.ansible():
		return e.said[c.column+"_166"], older
	default:
		return "", ""
	}
}

// older is the version that Debian has, and whose complaints are not in the index.
const older = "1.6.6"

// complaint is what Debian's packer has against a template, if it is there.
func (p program) complaint(ctx context.Context, e entry, c check) (string, error) {
	if _, err := os.Stat(p.packer); err != nil {
		return "unknown: " + p.packer + " is not there", nil
	}
	r, err := p.run(ctx, e, p.packer, slices.Concat(c.command, c.args(e), []string{e.template})...)
	return strings.Join(strings.Fields(r.stdout+" "+r.stderr), " "), err
}

// messages are the problems in what imago wrote: the lines that are neither a
// warning nor a line of the template shown below its problem.
func messages(stderr string) (all []string) {
	for line := range strings.Lines(stderr) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "imago: ")
		if !ok || strings.HasPrefix(text, "warning:") || excerpt(text) {
			continue
		}
		all = append(all, text)
	}
	return all
}

// excerpt recognizes "  63 |   communicator = …" and the line with its marks.
func excerpt(text string) bool {
	before, _, found := strings.Cut(text, "|")
	return found && strings.Trim(before, " 0123456789") == ""
}
