package funcs

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFile renders a file with the variables of an object.
func (s Surroundings) templateFile(functions map[string]function.Function) function.Function {
	render := func(args []cty.Value) (cty.Value, error) {
		text, err := s.text(args[0].AsString())
		if err != nil {
			return cty.DynamicVal, err
		}
		return renderTemplate(args[0].AsString(), text, args[1], functions)
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{param("path", cty.String), {Name: "vars", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := render(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return render(args) },
	})
}

func renderTemplate(path, text string, vars cty.Value, functions map[string]function.Function) (cty.Value, error) {
	if t := vars.Type(); !t.IsObjectType() && !t.IsMapType() {
		return cty.DynamicVal, function.NewArgErrorf(1, "it must be an object of names and values")
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), path, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, firstOf(diags)
	}
	ctx := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: functions}
	for _, ref := range expr.Variables() {
		if name := ref.RootName(); ctx.Variables[name] == cty.NilVal {
			return cty.DynamicVal, fmt.Errorf("%s, line %d: there is no %q among the variables that it gets", path, ref.SourceRange().Start.Line, name)
		}
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, firstOf(diags)
	}
	return v, nil
}

func firstOf(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			return fmt.Errorf("%s, line %d: %s: %s", d.Subject.Filename, d.Subject.Start.Line, d.Summary, d.Detail)
		}
	}
	return errors.New(diags.Error())
}
