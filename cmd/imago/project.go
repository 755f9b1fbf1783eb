package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/imagobuild/imago/builder/project"
	"github.com/imagobuild/imago/builder/template"
)

// projectOptions are the flags of commands that read a project file.
type projectOptions struct {
	path        string
	environment string
	vars        map[string]string
	varFiles    []string
}

// readProject reads a project file and shows its warnings. Its secrets are hidden from here on.
func (s *session) readProject(o projectOptions) (*project.Project, error) {
	if _, err := os.Stat(o.path); errors.Is(err, os.ErrNotExist) {
		return nil, usagef("there is no %s here; imago new writes one, and imago help project says what is in it", o.path)
	}
	for i, name := range o.varFiles { // in the file, paths start elsewhere
		full, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		o.varFiles[i] = full
	}
	s.secrets.Hide(os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	p, err := project.Read(o.path, project.Options{Environment: o.environment, Vars: o.vars, VarFiles: o.varFiles, Env: os.LookupEnv})
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
