package project

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/imagobuild/imago/builder/template"
)

// DefaultPath is what a project file is called.
const DefaultPath = "imago.hcl"

// Project is what a project file says, for one of its environments.
type Project struct {
	Path string // of the file, as given

	// Dir is the directory of the file, where all paths in it start: absolute, or empty for the working directory.
	Dir string

	Application string

	// Environment is the chosen one. The zero value: the file has none.
	Environment Environment

	// Environments are all of them, in the file's order.
	Environments []Environment

	// Images come each after the one that it is made from; otherwise in the file's order.
	Images []Image

	Sensitive []string // values that must not be shown
	Warnings  []string

	retention Retention // of images that say nothing themselves
}

// Options are what the command line says about a project. All are optional.
type Options struct {
	// Environment is the name of the one to read it for. Defaults to the file's default, or the only one.
	Environment string

	// First takes the first environment where none is asked for and the file has no default.
	First bool

	// Vars and VarFiles give variables their values, as for templates.
	Vars     map[string]string
	VarFiles []string

	// Env looks up environment variables. Defaults to an empty environment.
	Env func(string) (string, bool)
}

// file is the reading of one project file.
type file struct {
	doc     *template.Document
	options Options
	project *Project

	environments []environmentBlock
	deploys      []hcl.Range // of the environments' deploy blocks
	chosen       string
	places       map[string]hcl.Range // of each image's from, or of its name
	more         []error              // that have no place in the file
}

// Read reads a project file. The error joins all problems, each with its place where it has one.
func Read(path string, o Options) (*Project, error) {
	f := &file{options: o, project: &Project{Path: path}, places: map[string]hcl.Range{}}
	to := template.Options{Vars: o.Vars, VarFiles: o.VarFiles, Env: o.Env, WarnUndeclared: true}
	if dir := filepath.Dir(path); dir != "." {
		full, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("find the directory of %s: %w", path, err)
		}
		f.project.Dir, to.Getwd = full, full
		path = filepath.Join(full, filepath.Base(path))
	}
	doc, err := template.ReadDocument(path, to, topSchema(), "a project file")
	if err != nil {
		return nil, err
	}
	f.doc = doc
	f.read()
	f.project.Sensitive, f.project.Warnings = doc.Sensitive(), doc.Warnings()
	if err := errors.Join(doc.Err(), errors.Join(f.more...)); err != nil {
		return &Project{Path: path, Sensitive: doc.Sensitive()}, err
	}
	return f.project, nil
}

// topSchema lists what may stand at the top of the file.
func topSchema() *hcl.BodySchema {
	return &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "application"}, {Name: "default_environment"}},
		Blocks: []hcl.BlockHeaderSchema{
			{Type: "image", LabelNames: []string{"name"}},
			{Type: "environment", LabelNames: []string{"name"}},
			{Type: "retention"},
		},
	}
}

// top is the file as a block.
func (f *file) top() block {
	at := hcl.Range{Filename: f.project.Path, Start: hcl.InitialPos, End: hcl.InitialPos}
	if f.project.Dir != "" {
		at.Filename = filepath.Join(f.project.Dir, filepath.Base(f.project.Path))
	}
	return block{f.doc, "a project file", at, f.doc.Attributes(), f.doc.Blocks()}
}

// complain notes a problem that is not the file's.
func (f *file) complain(format string, args ...any) {
	f.more = append(f.more, fmt.Errorf(format, args...))
}

// read reads the file's blocks in the order in which they depend on each other.
func (f *file) read() {
	f.declareEnvironments()
	f.doc.Settle()
	top := f.top()
	p := f.project
	p.Application = top.text("application")
	switch {
	case !top.has("application"):
		f.doc.Problem(top.at, "a project file needs application = \"NAME\"")
	case p.Application != "" && !fits(p.Application):
		top.wrong("application", "is %q; %s", p.Application, namesRule)
	}
	f.doc.Define("application", cty.StringVal(p.Application))
	f.defineChosen()
	f.doc.ReadLocals()
	f.readEnvironments()
	if r := readRetention(f.doc, top.one("retention")); r != nil {
		p.retention = *r
	}
	f.readImages()
	f.order()
	f.checkImages()
}
