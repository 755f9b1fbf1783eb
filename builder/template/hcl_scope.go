package template

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/imagobuild/imago/builder/template/funcs"
)

// evaluator evaluates the expressions of one place.
type evaluator struct {
	*module
	p *parser // whom problems are told

	// usage is the source that is built, for source.name and source.type; nil outside a build's blocks.
	usage *usage

	// block is the build block around, for build.name; nil outside.
	block *buildBlock

	// facts are what build.ID and its kin say. Nil: they are not known here.
	facts map[string]string
	late  bool // one of them was asked for

	// env allows env(): in the defaults of variables alone.
	env bool
}

// lack is a reference to something that is not there.
type lack struct {
	at  pos
	err error
}

// value evaluates an expression. What is wrong with it has been told when it is not ok.
func (e *evaluator) value(expr hcl.Expression) (v cty.Value, ok bool) {
	ctx, lacks := e.context(expr.Variables())
	v, diags := expr.Value(ctx)
	switch {
	case !diags.HasErrors(): // what is lacking was not needed, or stands in a try
		v, _ = v.UnmarkDeep()
		return v, true
	case len(lacks) > 0:
		e.p.tell(lacks)
	default:
		e.p.diagnose(diags)
	}
	return cty.DynamicVal, false
}

func (p *parser) tell(lacks []lack) {
	for _, l := range lacks {
		p.problem(l.at, "%s", l.err)
	}
}

// context holds what some expressions refer to, evaluated for them. What is not there is left out.
func (e *evaluator) context(refs []hcl.Traversal) (*hcl.EvalContext, []lack) {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: e.callable(e.env)}
	locals, data, build := map[string]cty.Value{}, map[string]map[string]cty.Value{}, map[string]cty.Value{}
	var lacks []lack
	for _, ref := range refs {
		var err error
		switch root := ref.RootName(); root {
		case "var":
			err = e.checkVariable(ref)
			ctx.Variables[root] = e.allVariables()
		case "local":
			err = e.localsOf(ref, locals)
			ctx.Variables[root] = cty.ObjectVal(locals)
		case "data":
			err = e.dataOf(ref, data)
			ctx.Variables[root] = dataValue(data)
		case "source":
			if err = e.checkSource(); err == nil {
				ctx.Variables[root] = e.sourceValue()
			}
		case "build":
			err = e.buildOf(ref, build)
			ctx.Variables[root] = cty.ObjectVal(build)
		case "path":
			ctx.Variables[root] = e.pathValue()
		case "packer":
			ctx.Variables[root] = cty.ObjectVal(map[string]cty.Value{"version": cty.StringVal(PackerVersion)})
		default:
			err = e.definedOf(root, ctx.Variables)
		}
		if err != nil {
			lacks = append(lacks, lack{posOf(ref.SourceRange()), err})
		}
	}
	return ctx, lacks
}

// callable are the functions. env works only where it may be called.
func (m *module) callable(env bool) map[string]function.Function {
	if m.functions == nil {
		m.functions = funcs.Table(m.surroundings())
	}
	if !env {
		return m.functions
	}
	all := maps.Clone(m.functions)
	all["env"] = funcs.Env(m.parser.env)
	return all
}

// surroundings are what functions may look at.
func (m *module) surroundings() funcs.Surroundings {
	s := funcs.Surroundings{Now: m.now, Dir: m.cwd, Home: m.parser.env("HOME"), Strftime: strftime}
	s.Secret = func(name, key string, keyed bool) (string, error) { return m.askSecret(name, key, keyed) }
	if m.o.Lookup == nil {
		s.Secret = func(string, string, bool) (string, error) { m.open = true; return "", funcs.ErrUnknown }
	}
	return s
}

// attribute is the name after the root of a reference, such as x of var.x; empty when the whole is referred to.
func attribute(ref hcl.Traversal, i int) string {
	if len(ref) <= i {
		return ""
	}
	switch step := ref[i].(type) {
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString()
		}
	}
	return ""
}

func (e *evaluator) checkSource() error {
	if e.usage == nil {
		return errors.New("source is known only where a build says which: in source blocks, provisioners and post-processors")
	}
	return nil
}

func (e *evaluator) sourceValue() cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(e.usage.name), "type": cty.StringVal(e.usage.source.kind)})
}

// buildOf adds to all what build.X refers to.
func (e *evaluator) buildOf(ref hcl.Traversal, all map[string]cty.Value) error {
	if e.block == nil {
		return errors.New("build is known only inside a build block")
	}
	all["name"] = cty.StringVal(e.block.name)
	name := attribute(ref, 1)
	if name == "name" {
		return nil
	}
	if e.facts == nil {
		return fmt.Errorf("build.%s is known only once the machine is there, to the provisioners shell and shell-local and to the post-processors", name)
	}
	known := append(names(e.facts), "name")
	if !slices.Contains(known, name) {
		return fmt.Errorf("build.%s is not supported yet; there are %s%s", name, strings.Join(known, ", "), didYouMean(name, known))
	}
	e.late = true
	for fact, text := range e.facts {
		all[fact] = cty.StringVal(text)
	}
	return nil
}

func (e *evaluator) pathValue() cty.Value {
	return cty.ObjectVal(map[string]cty.Value{
		"cwd": cty.StringVal(filepath.ToSlash(e.cwd)), "root": cty.StringVal(filepath.ToSlash(e.base)),
	})
}
