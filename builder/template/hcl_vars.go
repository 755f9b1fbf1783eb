package template

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// variable is an input variable of an HCL2 template.
type variable struct {
	name       string
	at         pos
	constraint cty.Type // cty.DynamicPseudoType: any
	optional   *typeexpr.Defaults
	fallback   cty.Value // the default; cty.NilVal: the variable is required
	value      cty.Value // of this run; cty.NilVal: it has none
	sensitive  bool
	nullable   bool
	rules      []rule
}

// rule is a validation block.
type rule struct {
	condition, message hcl.Expression
}

func variableSchema() *hcl.BodySchema {
	return &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "sensitive"}, {Name: "nullable"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}},
	}
}

func validationSchema() *hcl.BodySchema {
	return &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}}}
}

// declareAs notes a variable, unless there is one of its name.
func (m *module) declareAs(v *variable) bool {
	if first, ok := m.variables[v.name]; ok {
		m.twice(v.at, "variable", v.name, first.at)
		return false
	}
	m.variables[v.name] = v
	return true
}

// declareVariable reads a variable block.
func (m *module) declareVariable(b *hcl.Block) {
	v := &variable{name: b.Labels[0], at: posOf(b.DefRange), constraint: cty.DynamicPseudoType, nullable: true}
	if !m.declareAs(v) {
		return
	}
	told := len(m.problems.all)
	content := m.contentOf(b.Body, variableSchema(), "a variable block")
	if a, ok := content.Attributes["type"]; ok {
		var diags hcl.Diagnostics
		v.constraint, v.optional, diags = typeexpr.TypeConstraintWithDefaults(a.Expr)
		m.diagnose(diags)
	}
	v.sensitive = m.flag(content.Attributes["sensitive"], false)
	v.nullable = m.flag(content.Attributes["nullable"], true)
	for _, c := range content.Blocks {
		attrs := m.contentOf(c.Body, validationSchema(), "a validation block").Attributes
		if len(attrs) == len(validationSchema().Attributes) {
			v.rules = append(v.rules, rule{attrs["condition"].Expr, attrs["error_message"].Expr})
		}
	}
	if a, ok := content.Attributes["default"]; ok {
		m.setDefault(v, a)
	} else if len(m.problems.all) > told { // whether it has one cannot be said
		v.fallback = cty.UnknownVal(cty.DynamicPseudoType)
	}
}

// declareVariables reads a variables block: names and defaults.
func (m *module) declareVariables(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	m.diagnose(diags)
	for _, a := range sortedAttributes(attrs) {
		v := &variable{name: a.Name, at: posOf(a.NameRange), constraint: cty.DynamicPseudoType, nullable: true}
		if m.declareAs(v) {
			m.setDefault(v, a)
		}
	}
}

// setDefault evaluates a default. A variable without a type takes the default's.
func (m *module) setDefault(v *variable, a *hcl.Attribute) {
	e := m.evaluator()
	e.env = true
	refs := a.Expr.Variables()
	for _, ref := range refs {
		m.problem(posOf(ref.SourceRange()), "the default of variable %s may not refer to %s; write a local instead", v.name, ref.RootName())
	}
	value, ok := cty.DynamicVal, false
	if len(refs) == 0 {
		value, ok = e.value(a.Expr)
	}
	if !ok {
		v.fallback = cty.UnknownVal(v.constraint)
		return
	}
	value, err := v.typed(value)
	if err != nil {
		m.problem(posOf(a.Expr.Range()), "the default of variable %s: %s", v.name, err)
		v.fallback = cty.UnknownVal(v.constraint)
		return
	}
	v.fallback = value
	if v.constraint == cty.DynamicPseudoType && !value.IsNull() {
		v.constraint = value.Type()
	}
}

// typed converts a value to the variable's type.
func (v *variable) typed(value cty.Value) (cty.Value, error) {
	if value.IsNull() {
		return cty.NullVal(v.constraint), nil
	}
	if v.optional != nil {
		value = v.optional.Apply(value)
	}
	out, err := convert.Convert(value, v.constraint)
	if err != nil {
		return cty.NilVal, fmt.Errorf("it is %s, and must be %s", typeName(value.Type()), describe(v.constraint, err))
	}
	return out, nil
}

// describe names a type, and where in it a value did not fit.
func describe(t cty.Type, err error) string {
	if t.IsPrimitiveType() {
		return typeName(t)
	}
	return typeName(t) + " (" + err.Error() + ")"
}

// typeName is a type in words, or as HCL writes it.
func typeName(t cty.Type) string {
	switch t {
	case cty.String:
		return "a string"
	case cty.Number:
		return "a number"
	case cty.Bool:
		return "true or false"
	}
	return typeexpr.TypeString(t)
}

// flag evaluates an argument that is true or false.
func (m *module) flag(a *hcl.Attribute, usual bool) bool {
	if a == nil {
		return usual
	}
	v, ok := m.evaluator().value(a.Expr)
	if !ok || !v.IsKnown() {
		return usual
	}
	v, err := convert.Convert(v, cty.Bool)
	if err != nil || v.IsNull() {
		m.problem(posOf(a.Expr.Range()), "%s must be true or false", a.Name)
		return usual
	}
	return v.True()
}

// evaluator evaluates what refers to nothing but variables, locals and data.
func (m *module) evaluator() *evaluator { return &evaluator{module: m, p: m.parser} }

// checkVariable says whether var.X refers to a variable.
func (m *module) checkVariable(ref hcl.Traversal) error {
	name := attribute(ref, 1)
	if _, ok := m.variables[name]; ok || name == "" {
		return nil
	}
	return m.undeclared(name)
}

func (m *module) undeclared(name string) error {
	declare := fmt.Sprintf("; declare it: variable %q {}", name)
	return fmt.Errorf("there is no variable %q%s", name, cmp.Or(didYouMean(name, names(m.variables)), declare))
}

func (m *module) allVariables() cty.Value {
	all := map[string]cty.Value{}
	for _, v := range m.variables {
		all[v.name] = v.current()
	}
	return cty.ObjectVal(all)
}

// current is the value of this run; unknown while there is none.
func (v *variable) current() cty.Value {
	switch {
	case v.value != cty.NilVal:
		return v.value
	case v.fallback != cty.NilVal:
		return v.fallback
	}
	return cty.UnknownVal(v.constraint)
}

// validate holds the value against the variable's rules.
func (m *module) validate(v *variable) {
	for _, r := range v.rules {
		ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"var": m.allVariables()}, Functions: m.callable(false)}
		holds, err := evaluateRule(r.condition, ctx, cty.Bool)
		if err != nil {
			m.problem(posOf(r.condition.Range()), "the condition of variable %s %s", v.name, err)
			continue
		}
		if !holds.IsKnown() || holds.True() {
			continue
		}
		text, err := evaluateRule(r.message, ctx, cty.String)
		if err != nil {
			m.problem(posOf(r.message.Range()), "the error_message of variable %s %s", v.name, err)
			continue
		}
		m.problem(posOf(r.condition.Range()), "variable %s: %s", v.name, text.AsString())
	}
}

func evaluateRule(expr hcl.Expression, ctx *hcl.EvalContext, t cty.Type) (cty.Value, error) {
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("cannot be evaluated: %s: %s", diags[0].Summary, diags[0].Detail)
	}
	v, err := convert.Convert(v, t)
	if err != nil || v.IsNull() || t == cty.String && !v.IsKnown() {
		return cty.NilVal, errors.New("must be " + typeName(t))
	}
	return v, nil
}
