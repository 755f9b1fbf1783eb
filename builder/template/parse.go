package template

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
)

// builderType is the builder that this package knows.
const builderType = "amazon-ebs"

// Options are what the command line says about a template. All are optional.
type Options struct {
	// Vars are the variables of -var; they win over VarFiles, of which later ones win.
	Vars     map[string]string
	VarFiles []string

	// Only and Except select builds by name; Except leaves post-processors out, too.
	Only, Except []string

	// Now is what {{timestamp}} and {{isotime}} say. Defaults to the present.
	Now time.Time

	// Seed is what {{uuid}}s are made of: with the same one, and the same Now, a
	// template says the same. Optional; by default each is another.
	Seed string

	// Env looks up environment variables, for {{env `X`}}, SSH_AUTH_SOCK and
	// HOME. Defaults to an empty environment.
	Env func(string) (string, bool)

	// Lookup answers the data sources of HCL2 templates. Nil: what they say stays open, as for imago validate, and
	// nothing outside is asked.
	Lookup Lookup

	// Text is the template, where it is not in a file: the path is a name for messages then, and what is beside the
	// template is in the working directory.
	Text []byte

	// HCL reads the template as HCL2 whatever its name is (-config-type=hcl2).
	HCL bool

	// WarnUndeclared warns of values in variable files that an HCL2 template has no variable for.
	WarnUndeclared bool

	// Strict refuses a value of Vars that a JSON template has no use for. Packer takes it: one set of -var may be for
	// many templates.
	Strict bool

	// Force replaces an image of the same name (-force).
	Force bool

	// Check reads for imago validate: options that Packer has, and that a build refuses, are warnings.
	Check bool

	// Inspect reads the shape alone, for imago inspect and validate -syntax-only:
	// variables as they are written, the names and types of the builds, the types of
	// the provisioners. Required variables may be missing, and no file is looked at.
	Inspect bool

	// Later are files and directories that are made before the builds run: upload sources in them need not be there yet.
	Later []string

	// Getwd is the directory that relative paths in the template start from.
	// Defaults to the working directory of the process.
	Getwd string

	finished func(*object) // is told of every object whose options have been read; for Examine

	watch func(component string, asked map[string]bool) // is told which options were asked for; in tests
}

// Template is a template whose builds are ready to run.
type Template struct {
	Path        string
	Description string
	Variables   []Variable // in the template's order
	Sensitive   []string   // values that must not be shown
	Builds      []Build    // the selected ones, in the template's order

	// Provisioners are the types of all provisioners, in the template's order.
	Provisioners []string

	// Outline is the shape of an HCL2 template. Nil for JSON.
	Outline *Outline

	// Plugins are those of required_plugins, in the template's order. What is built in stands for them.
	Plugins []Plugin

	Warnings []string // what is taken but has no effect, or looks like a mistake
}

// Build is one builder with its steps and what follows.
type Build struct {
	Name, Type string

	// ScriptName is what scripts and manifests call the build (PACKER_BUILD_NAME): the name, or in HCL2, where names
	// have parts, the name of the source.
	ScriptName string

	Config         builder.Config
	Access         Access
	PostProcessors []PostProcessor
}

// Parse reads the template at path and makes its builds. A directory, and a file called .pkr.hcl or .pkr.json, is
// read as HCL2. The error joins all problems, each an *Error, in the order of their places; with one, the Template
// has no more than the Sensitive values that may be in it.
//
// Where Lookup is set, nothing is asked before everything else is found to be right.
func Parse(path string, o Options) (*Template, error) {
	lookup := o.Lookup
	o.Lookup = nil
	t, open, err := readTemplate(path, o)
	if err != nil || lookup == nil || !open {
		return t, err
	}
	o.Lookup = lookup
	t, _, err = readTemplate(path, o)
	return t, err
}

// readTemplate reads a template; open says that something in it depends on what is to be looked up.
func readTemplate(path string, o Options) (t *Template, open bool, err error) {
	p, err := newParser(path, o)
	if err != nil {
		return nil, false, err
	}
	if o.HCL || isHCL(p.local(path)) {
		p.readHCL()
	} else if p.readRoot() {
		p.readVariables()
		for _, b := range p.selectBuilds() {
			p.result.Builds = append(p.result.Builds, p.readBuild(b))
		}
		p.listProvisioners()
	}
	if err := p.problems.err(p.result.Sensitive); err != nil {
		return &Template{Path: path, Sensitive: p.result.Sensitive}, false, err
	}
	for i := range p.result.Builds {
		p.result.Builds[i].Config.Sensitive = p.result.Sensitive
		p.warnExposed(p.result.Builds[i])
	}
	return p.result, p.open, nil
}

// parser is the reading of one template.
type parser struct {
	o        Options
	path     string // of the template, as given
	dir, cwd string // absolute: of the template, and where relative paths start
	now      time.Time
	root     value
	vars     *variables
	hcl      bool     // the template is written in HCL2
	names    []string // of all builds
	table    map[string][]Option
	build    Build             // the one that is being read
	uuids    int               // that were made for it from a seed
	called   called            // what its provisioners and post-processors call it
	open     bool              // something was not known that Lookup knows
	keyFile  string            // its ssh_private_key_file
	facts    map[string]string // what {{build `X`}} says
	problems problems
	result   *Template

	checks map[string]func(context.Context) error // of what steps on this side need
}

func newParser(path string, o Options) (*parser, error) {
	p := &parser{o: o, path: path, now: o.Now, cwd: o.Getwd, facts: exampleFacts(), result: &Template{Path: path}}
	if p.now.IsZero() {
		p.now = time.Now()
	}
	if p.cwd == "" {
		cwd, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("find the working directory: %w", err)
		}
		p.cwd = cwd
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(p.cwd, path)
	}
	p.dir = filepath.Dir(full)
	return p, nil
}

// readRoot reads the file and checks what stands at its top.
func (p *parser) readRoot() bool {
	data, err := p.source(p.path)
	if err != nil {
		p.problems.add(p.path, pos{}, "the template %s", reason(err))
		return false
	}
	root, ok := readJSON(p.path, data, &p.problems)
	if !ok {
		return false
	}
	if root.kind != kindObject {
		p.problem(root.pos, "a template must be an object, not %s", root.kind)
		return false
	}
	p.root = root
	o := p.object(root, "a template")
	for _, section := range []string{"variables", "sensitive-variables", "builders", "provisioners", "error-cleanup-provisioner", "post-processors", "push"} {
		o.get(section)
	}
	if _, ok := root.member("push"); ok {
		p.warn("push has no effect: the service it was for is gone")
	}
	p.result.Description = o.plain("description")
	p.checkVersion(o.plain("min_packer_version"), root)
	o.finish()
	return true
}

// source is the text of a file of the template's.
func (p *parser) source(path string) ([]byte, error) {
	if path == p.path && p.o.Text != nil {
		return p.o.Text, nil
	}
	return os.ReadFile(p.local(path))
}

// checkVersion holds min_packer_version against the language that is read here.
func (p *parser) checkVersion(minimum string, root value) {
	if minimum == "" {
		return
	}
	at, _ := root.member("min_packer_version")
	have := strings.Split(PackerVersion, ".")
	for i, s := range strings.Split(strings.TrimPrefix(minimum, "v"), ".") {
		want, err := strconv.Atoi(s)
		if err != nil || i >= len(have) {
			p.problem(at.pos, "min_packer_version %q is not a version such as 1.9.0", minimum)
			return
		}
		if n, _ := strconv.Atoi(have[i]); n != want {
			if n < want {
				p.problem(at.pos, "the template wants Packer %s; this reads the language of Packer %s", minimum, PackerVersion)
			}
			return
		}
	}
}

// readBuild reads one builder and everything that applies to it.
func (p *parser) readBuild(v value) Build {
	name, _ := p.nameOf(v, "builder")
	kind, _ := v.member("type")
	p.build, p.uuids = Build{Name: name, Type: kind.text, ScriptName: name}, 0
	p.called = called{name, name, p.names, p.names}
	if p.o.Inspect {
		return p.build
	}
	if kind.text != builderType {
		p.unknownType(kind, "builder", []string{builderType}, otherBuilders())
		return p.build
	}
	b := p.build
	b.Config, b.Access = p.readEBS(v)
	b.Config.Name = name
	b.Config.Steps, b.Config.ErrorSteps = p.readSteps(p.section("provisioners")), p.readSteps(p.errorProvisioners())
	b.PostProcessors = p.readPostProcessors(p.postProcessors())
	return b
}

// problem notes something wrong at a place of the template.
func (p *parser) problem(at pos, format string, args ...any) {
	p.problems.add(p.path, at, format, args...)
}

// told notes why a value could not be rendered, unless that is known already.
func (p *parser) told(at pos, err error, name string) {
	if err != errTold {
		p.problem(at, "%s: %s", name, err)
	}
}

func (p *parser) warn(format string, args ...any) { p.warnAt(pos{}, format, args...) }

// warnAt notes a warning about a place, if that knows its file.
func (p *parser) warnAt(at pos, format string, args ...any) {
	where := p.path
	if at.file != "" {
		where = fmt.Sprintf("%s:%d", at.file, at.line)
	}
	text := where + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(p.result.Warnings, text) {
		p.result.Warnings = append(p.result.Warnings, text)
	}
}

// local returns the path to open for a path of the template.
func (p *parser) local(path string) string {
	if p.o.Getwd == "" || filepath.IsAbs(path) || path == "" {
		return path
	}
	full := filepath.Join(p.o.Getwd, path)
	if strings.HasSuffix(path, "/") {
		full += "/" // it means something to an upload
	}
	return full
}

// names returns the sorted names of a set.
func names[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }
