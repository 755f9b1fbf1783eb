package template

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// local is a local value, evaluated at its first use.
type local struct {
	at        pos
	expr      hcl.Expression
	sensitive bool
	pending   bool // being evaluated right now
	done      bool
	ok        bool // it has a value
	value     cty.Value
}

// declareLocals reads a locals block: names and expressions.
func (m *module) declareLocals(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	m.diagnose(diags)
	for _, a := range sortedAttributes(attrs) {
		m.addLocal(a.Name, &local{at: posOf(a.NameRange), expr: a.Expr})
	}
}

// declareLocal reads a local block: one of them, which may be sensitive.
func (m *module) declareLocal(b *hcl.Block) {
	content := m.contentOf(b.Body, &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "expression", Required: true}, {Name: "sensitive"}}}, "a local block")
	if a, ok := content.Attributes["expression"]; ok {
		m.addLocal(b.Labels[0], &local{at: posOf(b.DefRange), expr: a.Expr, sensitive: m.flag(content.Attributes["sensitive"], false)})
	}
}

func (m *module) addLocal(name string, l *local) {
	if first, ok := m.locals[name]; ok {
		m.twice(l.at, "local", name, first.at)
		return
	}
	m.locals[name] = l
}

// readLocals evaluates all locals, so that mistakes in them are told; but not while that would make calls for values
// that perhaps nobody uses.
func (m *module) readLocals() {
	if m.o.Lookup != nil || m.o.Inspect {
		return
	}
	for _, name := range names(m.locals) {
		m.localValue(name)
	}
}

// localsOf adds to all what local.X refers to.
func (m *module) localsOf(ref hcl.Traversal, all map[string]cty.Value) error {
	name := attribute(ref, 1)
	if name != "" {
		v, err := m.localValue(name)
		all[name] = v
		return err
	}
	for _, name := range names(m.locals) {
		v, err := m.localValue(name)
		if err != nil {
			return err
		}
		all[name] = v
	}
	return nil
}

// localValue evaluates a local, once.
func (m *module) localValue(name string) (cty.Value, error) {
	l, ok := m.locals[name]
	switch {
	case !ok:
		return cty.DynamicVal, fmt.Errorf("there is no local %q%s", name, didYouMean(name, names(m.locals)))
	case l.pending:
		return cty.DynamicVal, fmt.Errorf("local %s needs its own value", name)
	case !l.done:
		l.pending = true
		l.value, l.ok = m.evaluator().value(l.expr)
		l.pending, l.done = false, true
		if l.sensitive && l.ok {
			m.hide(l.value)
		}
	}
	if !l.ok {
		return cty.DynamicVal, errTold
	}
	return l.value, nil
}

// describeLocals lists the locals by name. One that cannot be evaluated is not known: it may need a file that is made
// later.
func (m *module) describeLocals() []Variable {
	told := len(m.problems.all)
	defer func() { m.problems.all = m.problems.all[:told] }()
	var all []Variable
	for _, name := range names(m.locals) {
		v, _ := m.localValue(name)
		all = append(all, Variable{Name: name, Value: shown(v), Sensitive: m.locals[name].sensitive})
	}
	return all
}
