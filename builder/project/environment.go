package project

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/imagobuild/imago/builder/template"
)

// Environment is one of those that a project's images are made for.
type Environment struct {
	Name string

	// Region is where its images are made. Empty: where the template or AWS's own settings say.
	Region string

	// Deploy says how its releases are put into service. Nil: imago does not release there.
	Deploy *Deploy
}

// environmentBlock is an environment before it has been read.
type environmentBlock struct {
	name string
	at   hcl.Range
	in   block
}

// declareEnvironments notes the environment blocks, and gives the variables what the chosen one says.
func (f *file) declareEnvironments() {
	first := map[string]int{}
	for _, b := range f.doc.Blocks().OfType("environment") {
		e := environmentBlock{name: b.Labels[0], at: b.LabelRanges[0]}
		e.in = open(f.doc, b, "an environment block", schema([]string{"region", "variables"}, []string{"deploy"}))
		switch {
		case !fits(e.name):
			f.doc.Problem(e.at, "environment %q: %s", e.name, namesRule)
		case first[e.name] > 0:
			f.doc.Problem(e.at, "environment %s is declared twice, first at line %d", e.name, first[e.name])
			continue
		}
		first[e.name] = b.DefRange.Start.Line
		f.environments = append(f.environments, e)
	}
	f.choose()
	for _, e := range f.environments {
		f.define(e.name, "")
		f.giveVariables(e)
	}
	f.define(f.chosen, "")
}

// choose finds out which environment this run is for: the one asked for, the file's default, or the only one.
func (f *file) choose() {
	top := f.top()
	if a := top.attrs["default_environment"]; a != nil && len(a.Expr.Variables()) > 0 {
		top.wrong("default_environment", "must be a name, and may not refer to anything: it decides what variables are")
		return
	}
	usual := top.text("default_environment")
	var all []string
	for _, e := range f.environments {
		all = append(all, e.name)
	}
	if usual != "" && !slices.Contains(all, usual) {
		top.wrong("default_environment", "is %q, and there is no such environment%s", usual, template.DidYouMean(usual, all))
		return
	}
	switch asked := f.options.Environment; {
	case asked != "" && !slices.Contains(all, asked):
		f.complain("environment %s: %s has no such environment%s", asked, f.project.Path, hint(asked, all))
	case asked != "":
		f.chosen = asked
	case usual != "":
		f.chosen = usual
	case len(all) == 1, len(all) > 1 && f.options.First:
		f.chosen = all[0]
	case len(all) > 1:
		f.complain("choose an environment with --env, or write default_environment into %s; it has %s", f.project.Path, strings.Join(all, ", "))
	}
}

// hint says which name may be meant, or which there are.
func hint(name string, all []string) string {
	if len(all) == 0 {
		return "; it has none"
	}
	if near := template.DidYouMean(name, all); near != "" {
		return near
	}
	return "; it has " + strings.Join(all, ", ")
}

// define says what environment.name and environment.region are. Where the file has no environments, they are nothing.
func (f *file) define(name, region string) {
	if len(f.environments) > 0 {
		f.doc.Define("environment", cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(name), "region": cty.StringVal(region)}))
	}
}

// defineChosen says what they are for the chosen one, once its region can be said.
func (f *file) defineChosen() {
	for _, b := range f.environments {
		if b.name == f.chosen {
			f.define(b.name, b.in.text("region"))
		}
	}
}

// giveVariables reads variables = { … }, which may not refer to variables.
func (f *file) giveVariables(e environmentBlock) {
	a := e.in.attrs["variables"]
	if a == nil {
		return
	}
	for _, ref := range a.Expr.Variables() {
		if root := ref.RootName(); root == "var" || root == "local" {
			f.doc.Problem(ref.SourceRange(), "the variables of environment %s may not refer to %s: they come before it", e.name, root)
			return
		}
	}
	v, ok := f.doc.Value(a.Expr)
	if !ok || !v.IsKnown() || v.IsNull() {
		return
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		e.in.wrong("variables", "must be an object such as { NAME = \"value\" }")
		return
	}
	places := map[string]hcl.Range{}
	if pairs, diags := hcl.ExprMap(a.Expr); !diags.HasErrors() {
		for _, p := range pairs {
			places[hcl.ExprAsKeyword(p.Key)] = p.Key.Range()
			if key, diags := p.Key.Value(nil); !diags.HasErrors() && key.Type() == cty.String {
				places[key.AsString()] = p.Key.Range()
			}
		}
	}
	for name, value := range v.AsValueMap() {
		at, ok := places[name]
		if !ok {
			at = a.Expr.Range()
		}
		f.doc.Give(name, value, at, e.name == f.chosen)
	}
}

// readEnvironments reads the rest of the environments, once variables have their values.
func (f *file) readEnvironments() {
	for _, b := range f.environments {
		f.define(b.name, "")
		e := Environment{Name: b.name, Region: b.in.text("region")}
		f.define(b.name, e.Region)
		deploy := b.in.one("deploy")
		e.Deploy = readDeploy(f.doc, deploy)
		at := b.at
		if deploy != nil {
			at = deploy.DefRange
		}
		f.project.Environments, f.deploys = append(f.project.Environments, e), append(f.deploys, at)
		if e.Name == f.chosen {
			f.project.Environment = e
		}
	}
	f.define(f.chosen, f.project.Environment.Region)
}
