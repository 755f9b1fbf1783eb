package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// envPrefix begins the names of environment variables that give variables their values.
const envPrefix = "PKR_VAR_"

// readValues gives the variables their values: the environment's, over them those of the variable files in their order,
// over them those of -var.
func (m *module) readValues() {
	for _, name := range names(m.variables) {
		if text, ok := m.lookup(envPrefix + name); ok {
			m.setText(m.variables[name], envPrefix+name, text)
		}
	}
	for _, file := range m.o.VarFiles {
		m.readValueFile(file)
	}
	for _, name := range names(m.o.Vars) {
		v, ok := m.variables[name]
		if !ok {
			m.problems.add("", pos{}, "-var %s: %s has no such variable%s", name, m.path, didYouMean(name, names(m.variables)))
			continue
		}
		m.setText(v, "-var "+name, m.o.Vars[name])
	}
	for _, name := range names(m.variables) {
		m.settle(m.variables[name])
	}
}

func (m *module) lookup(name string) (string, bool) {
	if m.o.Env == nil {
		return "", false
	}
	return m.o.Env(name)
}

// settle checks the value that a variable has got.
func (m *module) settle(v *variable) {
	if v.value != cty.NilVal && v.value.IsNull() && !v.nullable {
		v.value = cty.NilVal
	}
	if v.value == cty.NilVal && v.fallback == cty.NilVal {
		if !m.o.Inspect {
			m.problem(v.at, "variable %s has no value; give one with -var %s=VALUE, -var-file or %s%s", v.name, v.name, envPrefix, v.name)
		}
		return
	}
	if v.sensitive {
		m.hide(v.current())
	}
	if !m.o.Inspect {
		m.validate(v)
	}
}

// hide keeps every text in a value from being shown.
func (m *module) hide(v cty.Value) {
	cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
			m.secret(v.AsString())
		}
		return true, nil
	})
}

// setText sets a variable to a text from outside: as it is where a text is wanted, else it is an expression.
func (m *module) setText(v *variable, from, text string) {
	v.value = cty.UnknownVal(v.constraint) // unless all is well
	value := cty.StringVal(text)
	if v.constraint != cty.String && v.constraint != cty.DynamicPseudoType {
		parsed, err := literalValue(text)
		if err != nil && !v.constraint.IsPrimitiveType() {
			m.problems.add("", pos{}, "%s: %q is not %s, as HCL writes it: %s", from, text, typeName(v.constraint), err)
			return
		} else if err == nil {
			value = parsed
		}
	}
	value, err := v.typed(value)
	if err != nil {
		m.problems.add("", pos{}, "%s: %s", from, err)
		return
	}
	v.value = value
}

// literalValue evaluates a text that refers to nothing.
func literalValue(text string) (cty.Value, error) {
	if why := tooMuch([]byte(text)); why != "" {
		return cty.NilVal, errors.New("it " + why)
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("%s", lowerFirst(diags[0].Summary))
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("%s", lowerFirst(diags[0].Summary))
	}
	return v, nil
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// readValueFile reads one variable file.
func (m *module) readValueFile(file string) {
	if !strings.HasSuffix(file, ".hcl") && !strings.HasSuffix(file, ".json") {
		m.problems.add("", pos{}, "-var-file %s: the name must end in .hcl or .json, which says how it is written", file)
		return
	}
	body := m.readFile(file)
	if body == nil {
		return
	}
	attrs, diags := body.JustAttributes()
	m.diagnose(diags)
	known := names(m.variables)
	for _, a := range sortedAttributes(attrs) {
		if !slices.Contains(known, a.Name) {
			if m.o.WarnUndeclared {
				m.warnAt(posOf(a.NameRange), "there is no variable %q%s", a.Name, didYouMean(a.Name, known))
			}
			continue
		}
		v := m.variables[a.Name]
		v.value = cty.UnknownVal(v.constraint) // unless all is well
		value, diags := a.Expr.Value(nil)
		m.diagnose(diags)
		if diags.HasErrors() {
			continue
		}
		value, err := v.typed(value)
		if err != nil {
			m.problem(posOf(a.Expr.Range()), "variable %s: %s", v.name, err)
			continue
		}
		v.value = value
	}
}
