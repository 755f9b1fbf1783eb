package upgrade

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// variable is what becomes of a user variable.
type variable struct {
	name      string // in HCL2
	computed  bool   // from other variables: the template reads a local of the same name
	sensitive bool
}

// nameVariables finds the variables, declared and only used.
func (u *upgrader) nameVariables() {
	u.vars = map[string]variable{}
	inner := innerUses(u.root)
	for _, m := range u.declared() {
		text, _ := m.Value.(string)
		u.nameVariable(m.Name, computed(text) || slices.Contains(inner, m.Name) && filled(text))
	}
	for _, m := range u.root.Members {
		for _, name := range used(m.Value) {
			u.nameVariable(name, false)
		}
	}
	for _, v := range u.root.List("sensitive-variables") {
		name, _ := v.(string)
		if known, ok := u.vars[name]; ok {
			known.sensitive = true
			u.vars[name] = known
		}
	}
}

// environment is a variable that holds what the environment says, for locals.
func (u *upgrader) environment(name string) string {
	id, _ := identifier("env_" + name)
	if !slices.Contains(u.env, name) {
		u.env = append(u.env, name)
	}
	return "var." + id
}

func (u *upgrader) nameVariable(name string, computed bool) {
	if _, known := u.vars[name]; known {
		return
	}
	id, other := identifier(name)
	for u.taken(id) {
		id += "_"
	}
	if other {
		u.warn("variable %q is called %s now, for -var and variable files too", name, id)
	}
	u.vars[name] = variable{name: id, computed: computed}
}

func (u *upgrader) taken(id string) bool {
	for _, v := range u.vars {
		if v.name == id {
			return true
		}
	}
	return false
}

// declared lists the variables of the template.
func (u *upgrader) declared() []jsontree.Member {
	v, _ := u.root.Get("variables")
	if o, ok := v.(*jsontree.Object); ok {
		return o.Members
	}
	return nil
}

// reference is how HCL2 names a variable's value.
func (u *upgrader) reference(name string) string {
	v := u.vars[name]
	if v.computed {
		return "local." + v.name
	}
	return "var." + v.name
}

// variables writes variable and local blocks.
func (u *upgrader) variables() {
	for _, m := range u.declared() {
		u.declare(m.Name, m.Value)
	}
	var undeclared []string
	for name := range u.vars {
		if !slices.ContainsFunc(u.declared(), func(m jsontree.Member) bool { return m.Name == name }) {
			undeclared = append(undeclared, name)
		}
	}
	slices.Sort(undeclared)
	for _, name := range undeclared {
		u.gap()
		u.comment("The template uses this variable and does not declare it: without a value it is empty.")
		u.variable(name, "")
	}
	for _, name := range u.env {
		id, _ := identifier("env_" + name)
		u.gap()
		u.begin("variable", id)
		u.attribute("type", "string")
		u.attribute("default", "env("+literal(name)+")")
		u.end()
	}
}

// declare writes a variable, and a local when its default needs other variables.
func (u *upgrader) declare(name string, fallback any) {
	v := u.vars[name]
	u.gap()
	u.variable(name, fallback)
	if !v.computed {
		return
	}
	u.gap()
	u.comment("The default of " + v.name + " refers to other variables, which only a local may do.")
	u.begin("local", v.name)
	text := u.text(fallback.(string), inLocal)
	if strings.Contains(text, "{{") {
		u.warn("the default of %s has calls in it that HCL2 makes only where it is used: %s", name, fallback)
	}
	u.attribute("expression", "var."+v.name+" != null ? var."+v.name+" : "+text)
	if v.sensitive {
		u.attribute("sensitive", "true")
	}
	u.end()
}

// variable writes a variable block.
func (u *upgrader) variable(name string, fallback any) {
	v := u.vars[name]
	u.begin("variable", v.name)
	u.attribute("type", "string")
	switch {
	case fallback == nil:
	case v.computed:
		u.attribute("default", "null")
	default:
		u.attribute("default", u.fallback(fallback))
	}
	if v.sensitive {
		u.attribute("sensitive", "true")
	}
	u.end()
}

// fallback writes a default, which is a text whatever it looks like.
func (u *upgrader) fallback(v any) string {
	switch v := v.(type) {
	case bool:
		return literal(weak(v))
	case json.Number:
		return literal(v.String())
	}
	return u.value(v, inVariable)
}
