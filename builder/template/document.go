package template

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/imagobuild/imago/builder/redact"
)

// Document is a file in the language of HCL2 templates whose blocks are somebody else's: beside variables and locals, which
// mean what they mean in a template, it holds what its schema says. What is wrong with it is collected, and told at once
// by Err.
type Document struct {
	module *module
	attrs  hcl.Attributes
	blocks hcl.Blocks
}

// ReadDocument reads the file at path. Its variables have no values before Settle.
func ReadDocument(path string, o Options, schema *hcl.BodySchema, what string) (*Document, error) {
	p, err := newParser(path, o)
	if err != nil {
		return nil, err
	}
	d := &Document{module: newModule(p)}
	d.module.base = filepath.Dir(path)
	body := d.module.readFile(path)
	if body == nil {
		return d, d.Err()
	}
	whole := &hcl.BodySchema{Attributes: schema.Attributes, Blocks: append(declarations(), schema.Blocks...)}
	content := d.Content(body, whole, what)
	d.attrs = content.Attributes
	for _, b := range content.Blocks {
		switch b.Type {
		case "variable":
			d.module.declareVariable(b)
		case "variables":
			d.module.declareVariables(b)
		case "local":
			d.module.declareLocal(b)
		case "locals":
			d.module.declareLocals(b)
		default:
			d.blocks = append(d.blocks, b)
		}
	}
	return d, nil
}

// declarations are the blocks that every document may hold.
func declarations() []hcl.BlockHeaderSchema {
	return []hcl.BlockHeaderSchema{
		{Type: "variable", LabelNames: []string{"name"}}, {Type: "variables"},
		{Type: "local", LabelNames: []string{"name"}}, {Type: "locals"},
	}
}

// Attributes and Blocks are what the schema asked for.
func (d *Document) Attributes() hcl.Attributes { return d.attrs }

// Blocks lists them in the order of the file.
func (d *Document) Blocks() hcl.Blocks { return d.blocks }

// Give hands a variable a value, which those from outside win over. With use false it only says what would be wrong with it.
func (d *Document) Give(name string, value cty.Value, at hcl.Range, use bool) {
	v, ok := d.module.variables[name]
	if !ok {
		d.Problem(at, "%s", d.module.undeclared(name))
		return
	}
	value, err := v.typed(value)
	if err != nil {
		d.Problem(at, "variable %s: %s", name, err)
		value = cty.UnknownVal(v.constraint)
	}
	if use {
		v.value = value
	}
}

// Settle gives the variables the values of the environment, of Options.VarFiles and of Options.Vars, later ones winning.
func (d *Document) Settle() { d.module.readValues() }

// ReadLocals evaluates the locals that nothing has referred to, so that mistakes in them are told.
func (d *Document) ReadLocals() { d.module.readLocals() }

// Define makes a name known to expressions, beside var, local and path.
func (d *Document) Define(name string, v cty.Value) {
	if d.module.defined == nil {
		d.module.defined = map[string]cty.Value{}
	}
	d.module.defined[name] = v
}

// definedOf adds to all what a name stands for that the document's reader has defined. In templates there are none, and HCL
// itself says so.
func (m *module) definedOf(name string, all map[string]cty.Value) error {
	if v, ok := m.defined[name]; ok {
		all[name] = v
		return nil
	}
	if m.defined == nil {
		return nil
	}
	known := append(names(m.defined), "local", "path", "var")
	slices.Sort(known)
	return fmt.Errorf("there is no %s here; there are %s%s", name, strings.Join(known, ", "), didYouMean(name, known))
}

// Content reads a body that may hold what the schema lists and nothing else.
func (d *Document) Content(body hcl.Body, schema *hcl.BodySchema, what string) *hcl.BodyContent {
	return d.module.contentOf(body, schema, what)
}

// Value evaluates an expression, in which env may be called. When it is not ok, that has been told.
func (d *Document) Value(expr hcl.Expression) (v cty.Value, ok bool) {
	e := d.module.evaluator()
	e.env = true
	return e.value(expr)
}

// Problem notes something wrong at a place of the document.
func (d *Document) Problem(at hcl.Range, format string, args ...any) {
	d.module.problem(posOf(at), format, args...)
}

// Place is a problem at a place of the document that has no text yet, for what is found out later.
func (d *Document) Place(at hcl.Range) Error {
	p := problems{sources: d.module.problems.sources}
	p.add(d.module.path, posOf(at), "")
	secrets := &redact.Redactor{}
	secrets.Hide(d.Sensitive()...)
	place := *p.all[0]
	place.Excerpt = secrets.Clean(place.Excerpt)
	return place
}

// Err joins all problems that were found, each an *Error, in the order of their places.
func (d *Document) Err() error { return d.module.problems.err(d.Sensitive()) }

// Sensitive lists values that must not be shown.
func (d *Document) Sensitive() []string { return d.module.result.Sensitive }

// Warnings lists what looks like a mistake.
func (d *Document) Warnings() []string { return d.module.result.Warnings }

// DidYouMean ends a message about an unknown name with the known name that is nearest, or with nothing.
func DidYouMean(name string, known []string) string { return didYouMean(name, known) }
