package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template"
)

// version is this program's; the build may set another with -ldflags "-X main.version=…".
var version = "v0.1.0"

func versionCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Flags: []cli.Flag{machineFlag(), &cli.BoolFlag{Name: "json", Usage: "write one JSON object"}},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, 0); err != nil {
				return err
			}
			if c.Bool("json") {
				return s.printVersionJSON()
			}
			return s.printVersion(c.Bool("machine-readable"))
		},
	}
}

// printVersion writes the version, for people or as Packer's three machine lines.
func (s *session) printVersion(readable bool) error {
	if !readable {
		_, err := fmt.Fprintf(s.stdout, "imago %s\n", version)
		return err
	}
	m := s.machine()
	number, pre, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	for _, l := range [][2]string{{"version", number}, {"version-prelease", pre}, {"version-commit", ""}} {
		if err := m.line("", l[0], l[1]); err != nil {
			return err
		}
	}
	return m.line("", "ui", "say", "imago "+version)
}

// printVersionJSON writes what a bug report needs.
func (s *session) printVersionJSON() error {
	return writeJSON(s.stdout, struct {
		Version string `json:"version"`
		Packer  string `json:"packer"` // whose templates are read
		Go      string `json:"go"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	}{version, template.PackerVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH})
}
