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
		m.localValue(m.locals[name])
	}
}

// localsOf adds to all what local.X refers to.
func (m *module) localsOf(ref hcl.Traversal, all map[string]cty.Value) error {
	wanted := []string{attribute(ref, 1)}
	if wanted[0] == "" {
		wanted = names(m.locals)
	}
	for _, name := range wanted {
		l, ok := m.locals[name]
		switch {
		case !ok:
			return fmt.Errorf("there is no local %q%s", name, didYouMean(name, names(m.locals)))
		case l.pending:
			return fmt.Errorf("local %s needs its own value", name)
		}
		all[name] = m.localValue(l)
	}
	return nil
}

// localValue evaluates a local, once. One that cannot be evaluated is told, and not known.
func (m *module) localValue(l *local) cty.Value {
	if l.done {
		return l.value
	}
	var ok bool
	l.pending = true
	l.value, ok = m.evaluator().value(l.expr)
	l.pending, l.done = false, true
	if l.sensitive && ok {
		m.hide(l.value)
	}
	return l.value
}

// describeLocals lists the locals by name. One that cannot be evaluated is not known: it may need a file that is made
// later.
func (m *module) describeLocals() []Variable {
	told := len(m.problems.all)
	defer func() { m.problems.all = m.problems.all[:told] }()
	var all []Variable
	for _, name := range names(m.locals) {
		l := m.locals[name]
		all = append(all, Variable{Name: name, Value: shown(m.localValue(l)), Sensitive: l.sensitive})
	}
	return all
}
