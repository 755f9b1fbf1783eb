package template

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Variable is one of a template's variables and the value it got.
type Variable struct {
	Name string

	// Default is what the template says, as written. Nil: the variable is required.
	Default *string

	// Value is the value of this run, filled in.
	Value string

	// Sensitive variables must not be shown (sensitive-variables).
	Sensitive bool

	// Required variables have no default; their value came from outside.
	Required bool
}

// variables are the values that {{user `x`}} finds.
type variables struct {
	raw      map[string]string // as written, before it is filled in
	at       map[string]pos    // where in the template, if there
	file     map[string]string // the file that at counts in
	values   map[string]string // filled in
	broken   map[string]bool   // without a value, which has been told
	pending  map[string]bool   // being filled in right now
	declared []string          // in the template's order
	warned   map[string]bool   // used, but neither declared nor given
}

// readVariables finds the values of all variables: the template's defaults,
// over them the variable files in their order, over them -var.
func (p *parser) readVariables() {
	p.vars = &variables{
		raw: map[string]string{}, at: map[string]pos{}, file: map[string]string{}, values: map[string]string{},
		broken: map[string]bool{}, pending: map[string]bool{}, warned: map[string]bool{},
	}
	required := p.declare()
	for _, file := range p.o.VarFiles {
		p.readVarFile(file)
	}
	used := p.usedVariables()
	for _, name := range names(p.o.Vars) {
		if !slices.Contains(p.vars.declared, name) && !used[name] {
			known := append(names(used), p.vars.declared...)
			p.warn("-var %s: %s has no such variable%s", name, p.path, didYouMean(name, known))
			continue // Packer says nothing: one set of -var may be for many templates
		}
		p.vars.raw[name] = p.o.Vars[name]
		p.vars.at[name], p.vars.file[name] = pos{}, "-var "+name
	}
	for _, name := range required {
		if _, ok := p.vars.raw[name]; !ok && !p.o.Inspect {
			p.problems.add(p.path, p.vars.at[name], "variable %s has no value; give one with -var %s=VALUE or -var-file", name, name)
			p.vars.broken[name] = true
		}
	}
	if !p.o.Inspect {
		for _, name := range names(p.vars.raw) {
			p.user(name)
		}
	}
	p.describeVariables(required)
}

// declare reads the template's variables and returns those without a default.
func (p *parser) declare() (required []string) {
	section, ok := p.root.member("variables")
	if !ok {
		return nil
	}
	if section.kind != kindObject {
		p.problem(section.pos, "variables must be an object of names and defaults, not %s", section.kind)
		return nil
	}
	for _, m := range section.members {
		p.vars.declared = append(p.vars.declared, m.name)
		p.vars.at[m.name], p.vars.file[m.name] = m.value.pos, p.path
		if m.value.kind == kindNull {
			required = append(required, m.name)
			continue
		}
		text, ok := m.value.scalar()
		if !ok {
			p.problem(m.value.pos, "the default of variable %s must be a string or null, not %s", m.name, m.value.kind)
			p.vars.broken[m.name] = true
			continue
		}
		p.vars.raw[m.name] = text
	}
	return required
}

// readVarFile reads one variable file: a JSON object of names and values. Names that the template
// does not have are fine: such files are shared.
func (p *parser) readVarFile(file string) {
	data, err := os.ReadFile(p.local(file))
	if err != nil {
		p.problems.add("", pos{}, "-var-file %s: %s", file, reason(err))
		return
	}
	root, ok := readJSON(file, data, &p.problems)
	if !ok {
		return
	}
	if root.kind != kindObject {
		p.problems.add(file, root.pos, "a variable file must be an object of names and values, not %s", root.kind)
		return
	}
	for _, m := range root.members {
		text, ok := m.value.scalar()
		if !ok {
			p.problems.add(file, m.value.pos, "the value of variable %s must be a string, not %s", m.name, m.value.kind)
			p.vars.broken[m.name] = true
			continue
		}
		p.vars.raw[m.name] = text
		p.vars.at[m.name], p.vars.file[m.name] = m.value.pos, file
	}
}

// usedVariables lists the variables that the template refers to anywhere.
func (p *parser) usedVariables() map[string]bool {
	used := map[string]bool{}
	p.root.strings(func(v value) {
		for _, name := range calls(v.text, "user") {
			used[name] = true
		}
	})
	return used
}

// user is the template function: the value of a variable, filled in at its
// first use. A variable that is nowhere is empty, as in Packer, with a warning.
func (p *parser) user(name string) (string, error) {
	v := p.vars
	if text, ok := v.values[name]; ok {
		return text, nil
	}
	if v.broken[name] {
		return "", errTold
	}
	raw, ok := v.raw[name]
	if !ok {
		if !v.warned[name] {
			v.warned[name] = true
			p.warn("variable %s is used, but it is neither declared nor given: it is empty", name)
		}
		return "", nil
	}
	if v.pending[name] {
		return "", fmt.Errorf("variable %s needs its own value", name)
	}
	v.pending[name] = true
	text, err := p.render(raw, place{env: true, user: p.userOfVariable})
	delete(v.pending, name)
	if err != nil {
		v.broken[name] = true
		if err != errTold {
			p.problems.add(v.file[name], v.at[name], "variable %s: %s", name, err)
		}
		return "", errTold
	}
	v.values[name] = text
	return text, nil
}

// userOfVariable is user inside the value of a variable, where a variable that
// is nowhere is an error, as in Packer.
func (p *parser) userOfVariable(name string) (string, error) {
	if _, ok := p.vars.raw[name]; !ok && !p.vars.broken[name] {
		return "", fmt.Errorf("there is no variable %q%s", name, didYouMean(name, p.vars.declared))
	}
	return p.user(name)
}

// describeVariables fills in Variables and Sensitive of the result.
func (p *parser) describeVariables(required []string) {
	sensitive := p.sensitive()
	for _, name := range p.vars.declared {
		v := Variable{
			Name: name, Value: p.vars.values[name],
			Sensitive: slices.Contains(sensitive, name), Required: slices.Contains(required, name),
		}
		section, _ := p.root.member("variables")
		if d, _ := section.member(name); !v.Required {
			if text, ok := d.scalar(); ok {
				v.Default = &text
			}
		}
		p.result.Variables = append(p.result.Variables, v)
	}
	for _, name := range sensitive {
		p.secret(p.vars.values[name])
		if raw := p.vars.raw[name]; !strings.Contains(raw, "{{") { // where it is not filled in
			p.secret(raw)
		}
	}
}

// secret keeps a value from being shown.
func (p *parser) secret(text string) {
	if text != "" && !slices.Contains(p.result.Sensitive, text) {
		p.result.Sensitive = append(p.result.Sensitive, text)
	}
}

// sensitive reads the names in sensitive-variables.
func (p *parser) sensitive() []string {
	section, ok := p.root.member("sensitive-variables")
	if !ok {
		return nil
	}
	if section.kind != kindList {
		p.problem(section.pos, "sensitive-variables must be a list of names, not %s", section.kind)
		return nil
	}
	var names []string
	for _, e := range section.list {
		name := e.text
		if e.kind != kindString {
			p.problem(e.pos, "sensitive-variables must hold names, not %s", e.kind)
			continue
		}
		if _, given := p.vars.raw[name]; !given && !slices.Contains(p.vars.declared, name) {
			p.problem(e.pos, "sensitive-variables names %q, which is not a variable%s", name, didYouMean(name, p.vars.declared))
			continue
		}
		names = append(names, name)
	}
	return names
}

// reason is an operating system's error without the operation and the path.
func reason(err error) string {
	switch {
	case os.IsNotExist(err):
		return "does not exist"
	case os.IsPermission(err):
		return "may not be read"
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}
