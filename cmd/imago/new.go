package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/scripts"
)

const newHelp = `Writes a project to adapt into DIR, by default a directory called NAME: imago.hcl, for
imago bake, two templates (primal, the base image; carnivore, one release of the
application), the bash scripts they run, the nginx and service files of the mailtube,
and a page in app to begin with. NAME is the application's. Files that exist are
never overwritten.

Examples:
  imago new shop
  imago new shop .`

func newCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "new",
		Usage:       "write a project to start from",
		ArgsUsage:   "NAME [DIR]",
		Description: newHelp,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 2); err != nil {
				return err
			}
			name, dir := c.Args().First(), c.Args().Get(1)
			if dir == "" {
				dir = name
			}
			return s.newProject(name, dir)
		},
	}
}

// newProject writes the project, or nothing when one of its files exists.
func (s *session) newProject(name, dir string) error {
	files, err := scripts.Project(name)
	if err != nil {
		return &usageError{fmt.Errorf("new: %w", err)}
	}
	if err := noneExists(dir, files); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeNew(inDir(dir, f), f); err != nil {
			return fmt.Errorf("write the project: %w", err)
		}
	}
	for _, f := range files {
		if _, err := fmt.Fprintln(s.stdout, inDir(dir, f)); err != nil {
			return err
		}
	}
	s.nextSteps(name, dir)
	return nil
}

// inDir is where a file of a project goes.
func inDir(dir string, f scripts.File) string {
	return filepath.Join(dir, filepath.FromSlash(f.Path))
}

// nextSteps says what to do with a new project.
func (s *session) nextSteps(name, dir string) {
	s.say("\nNext, as root on this computer (imago help quickstart has the same against AWS):\n")
	if dir != "." {
		s.say("  cd %s", dir)
	}
	s.say("  imago local image add debian-12 --id ami-22de994a")
	s.say("  imago bake --local")
	s.say("\nThen put the application in the place of app, and bake again.")
}

// noneExists says which of the files are there already.
func noneExists(dir string, files []scripts.File) error {
	var errs []error
	for _, f := range files {
		path := inDir(dir, f)
		switch _, err := os.Lstat(path); {
		case err == nil:
			errs = append(errs, fmt.Errorf("new: %s exists; nothing was written", path))
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, fmt.Errorf("new: %w", err))
		}
	}
	if len(errs) > 0 {
		return &usageError{errors.Join(errs...)}
	}
	return nil
}

// writeNew writes a file where none is.
func writeNew(path string, file scripts.File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, file.Mode)
	if err != nil {
		return err
	}
	_, err = f.Write(file.Content)
	return errors.Join(err, f.Close())
}
