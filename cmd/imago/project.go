package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

// projectOptions are the flags of commands that read a project file.
type projectOptions struct {
	path        string
	environment string
	first       bool // environment, where none is chosen
	vars        map[string]string
	varFiles    []string
}

// readProject reads a project file and shows its warnings. Its secrets are hidden from here on.
func (s *session) readProject(o projectOptions) (*project.Project, error) {
	if _, err := os.Stat(o.path); errors.Is(err, os.ErrNotExist) {
		if o.path == project.DefaultPath {
			return nil, usagef("there is no %s here; imago new writes one, and imago help project says what is in it", o.path)
		}
		return nil, usagef("--file %s: there is no such project file; imago help project says what is in one", o.path)
	}
	for i, name := range o.varFiles { // in the file, paths start elsewhere
		full, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		o.varFiles[i] = full
	}
	s.secrets.Hide(os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	p, err := project.Read(o.path, project.Options{Environment: o.environment, First: o.first, Vars: o.vars, VarFiles: o.varFiles, Env: os.LookupEnv})
	if p != nil {
		s.secrets.Hide(p.Sensitive...)
	}
	if err != nil {
		return nil, &usageError{err}
	}
	for _, w := range p.Warnings {
		s.say("imago: warning: %v", w)
	}
	return p, nil
}

// readImages reads the templates of a project's images as one: a build for each.
func (b *bake) readImages(o template.Options) (*template.Template, error) {
	all := &template.Template{Path: b.chain.project.Path}
	var errs []error
	for _, img := range b.chain.images {
		of, from := o, ""
		if img.From != "" {
			of.Lookup, from = nil, project.Unknown
		}
		t, err := b.chain.project.Template(img, from, of)
		if t != nil {
			b.secrets.Hide(t.Sensitive...)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, w := range t.Warnings {
			b.say("imago: warning: %v", w)
		}
		all.Builds = append(all.Builds, t.Builds...)
	}
	if len(errs) > 0 {
		return nil, &usageError{errors.Join(errs...)}
	}
	return all, prepare(all, b.options)
}

// validateProject is validate for a project file: it and its templates are read for each environment.
func (s *session) validateProject(c *cli.Context) error {
	for _, flag := range []string{"only", "except", "syntax-only", "evaluate-datasources"} {
		if c.IsSet(flag) {
			return usagef("validate: --%s is for templates, and %s is a project file", flag, c.Args().First())
		}
	}
	o := projectOptions{path: c.Args().First(), first: true, varFiles: c.StringSlice("var-file")}
	var err error
	if o.vars, err = readVars(c); err != nil {
		return err
	}
	p, err := s.readProject(o)
	if err != nil {
		return err
	}
	errs := []error{s.validateImages(c, p)}
	for _, e := range p.Environments {
		if e.Name == p.Environment.Name {
			continue
		}
		o.environment = e.Name
		other, err := s.readProject(o)
		if err == nil {
			err = s.validateImages(c, other)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return &usageError{err}
	}
	return s.result(c.Bool("machine-readable"), "The configuration is valid.")
}

// validateImages reads the templates of all images, for one environment.
func (s *session) validateImages(c *cli.Context, p *project.Project) error {
	b := &bake{session: s, options: buildOptions{hostKey: c.String("ssh-host-key")}, chain: newChain(p, p.Images, nil)}
	_, err := b.readImages(template.Options{Now: time.Now(), Env: os.LookupEnv, WarnUndeclared: !c.Bool("no-warn-undeclared-var")})
	return err
}
