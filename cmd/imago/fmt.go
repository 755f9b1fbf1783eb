package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/template/format"
)

const fmtHelp = `Writes HCL2 templates (*.pkr.hcl), variable files (*.pkrvars.hcl) and imago.hcl in the
canonical form, and their names to stdout. A PATH is a file, a directory, or - for stdin, which is
written to stdout. Without one it is the working directory. JSON is left as it is.

Examples:
  imago fmt .
  imago fmt -check -diff -recursive .     for CI: nothing is written
  imago fmt web.pkr.hcl web.pkrvars.hcl
  imago fmt - <web.pkr.hcl

Exit codes: 0 done, 1 a file cannot be written, 2 one cannot be read as HCL, 3 with -check: something is not in the canonical form.`

func fmtCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "fmt",
		Usage:       "write HCL2 files in the canonical form",
		ArgsUsage:   "[PATH...]",
		Description: fmtHelp,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "write nothing, and exit with 3 when a file is not in the canonical form"},
			&cli.BoolFlag{Name: "diff", Usage: "show what changes"},
			&cli.BoolFlag{Name: "write", Value: true, Usage: "write the files; --write=false only names them"},
			&cli.BoolFlag{Name: "recursive", Usage: "also the directories in a directory"},
			machineFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, math.MaxInt); err != nil {
				return err
			}
			f := formatter{
				session: s, check: c.Bool("check"), diff: c.Bool("diff"),
				write: c.Bool("write") && !c.Bool("check"), readable: c.Bool("machine-readable"),
			}
			return f.run(c.Args().Slice(), c.Bool("recursive"))
		},
	}
}

// unformattedError says that --check has found something.
type unformattedError struct{ files int }

func (e *unformattedError) Error() string {
	if e.files == 1 {
		return "1 file is not in the canonical form; imago fmt writes it so"
	}
	return fmt.Sprintf("%d files are not in the canonical form; imago fmt writes them so", e.files)
}

// unread says that a file cannot be read as HCL: its own fault, and not that of what it is written to.
func unread(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

// formatter formats files.
type formatter struct {
	*session
	check, diff, write, readable bool
	changed                      int
}

// run formats what the paths stand for. A file that cannot be read does not stop the others.
func (f *formatter) run(paths []string, recursive bool) error {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var errs []error
	for _, path := range paths {
		if path == "-" {
			errs = append(errs, f.stream())
			continue
		}
		files, err := format.Files(path, recursive)
		errs = append(errs, unread(err))
		for _, file := range files {
			errs = append(errs, f.file(file))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if f.check && f.changed > 0 {
		return &unformattedError{f.changed}
	}
	return nil
}

// file formats one file.
func (f *formatter) file(path string) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return unread(err)
	}
	after, err := format.Source(path, before)
	if err != nil || bytes.Equal(before, after) {
		return unread(err)
	}
	f.changed++
	if f.write {
		if err := rewrite(path, after); err != nil {
			return err
		}
	}
	return errors.Join(f.result(f.readable, path), f.show(path, before, after))
}

// stream formats stdin.
func (f *formatter) stream() error {
	before, err := io.ReadAll(f.stdin)
	if err != nil {
		return err
	}
	after, err := format.Source("stdin", before)
	if err != nil {
		return unread(err)
	}
	if !bytes.Equal(before, after) {
		f.changed++
	}
	if f.check || f.diff {
		return f.show("stdin", before, after)
	}
	_, err = f.stdout.Write(after)
	return err
}

// show writes the difference, if that is asked for.
func (f *formatter) show(name string, before, after []byte) error {
	if !f.diff {
		return nil
	}
	_, err := io.WriteString(f.stdout, format.Diff(name, before, after))
	return err
}

// rewrite replaces a file by its new text, whole, with its mode. A link stays a link.
func rewrite(path string, text []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return replaceWith(path, info.Mode().Perm(), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
