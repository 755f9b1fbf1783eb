package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// machine writes Packer's machine-readable lines: a time, a target, a type and
// data, between commas.
type machine struct {
	w     io.Writer
	clean func(string) string
	now   func() time.Time
}

// machine writes to stdout, without secrets.
func (s *session) machine() machine {
	return machine{s.secrets.Writer(s.stdout), s.secrets.Clean, time.Now}
}

// line writes one line. target is a build's name, or empty.
func (m machine) line(target, kind string, data ...string) error {
	_, err := fmt.Fprintln(m.w, m.text(target, kind, data...))
	return err
}

// text is a line without its end.
func (m machine) text(target, kind string, data ...string) string {
	fields := append([]string{fmt.Sprint(m.now().Unix()), target, kind}, data...)
	for i := range fields {
		fields[i] = m.clean(fields[i])
	}
	for i := 3; i < len(fields); i++ {
		fields[i] = machineEscape.Replace(fields[i])
	}
	return strings.Join(fields, ",")
}

// machineEscape keeps data from breaking a line or a field.
var machineEscape = strings.NewReplacer(",", "%!(PACKER_COMMA)", "\n", `\n`, "\r", `\r`)

// format turns a line for people into a ui line; it is a plain display's format.
func (m machine) format(l line) string {
	verb := "message"
	switch l.kind {
	case heading, success, warning:
		verb = "say"
	case failure:
		verb = "error"
	}
	return m.text("", "ui", verb, layout{}.format(l))
}

// machineFlag is -machine-readable.
func machineFlag() cli.Flag {
	return &cli.BoolFlag{Name: machineName, Usage: "write Packer's machine-readable lines to stdout"}
}

const machineName = "machine-readable"

// machineFirst moves -machine-readable behind the command: Packer takes it
// anywhere, also before the command and behind the template.
func machineFirst(args []string) []string {
	var rest []string
	for _, a := range args {
		if a != "-"+machineName && a != "--"+machineName {
			rest = append(rest, a)
		}
	}
	if len(rest) == len(args) {
		return args
	}
	command := 1 + slices.IndexFunc(rest[1:], func(a string) bool { return !strings.HasPrefix(a, "-") })
	return slices.Insert(rest, command+1, "-"+machineName)
}
