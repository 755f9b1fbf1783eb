package upgrade

import (
	"encoding/json"
	"slices"
	"strings"
	"text/template/parse"

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

// computed says whether a default needs more than a variable's default may hold.
func computed(text string) bool {
	if !strings.Contains(text, "{{") {
		return false
	}
	return len(calls(text, "user")) > 0 || strings.Contains(text, "template_dir")
}

// filled says whether a default has more in it than a text and the environment.
func filled(text string) bool {
	return strings.Contains(strings.Join(strings.Split(text, "{{env"), ""), "{{")
}

// innerUses lists the variables that a value uses inside of other calls, as in {{user `x` | upper}}. What these get
// must be the whole value: a default with {{isotime}} in it is filled in before, by a local.
func innerUses(v any) (all []string) {
	switch v := v.(type) {
	case string:
		all = calls(v, "user")
		for name := range strings.SplitSeq(v, "{{") {
			name, _, _ = strings.Cut(name, "}}")
			if words := strings.Fields(name); len(words) == 2 && words[0] == "user" {
				if i := slices.Index(all, strings.Trim(words[1], "\"`")); i >= 0 {
					all = slices.Delete(all, i, i+1)
				}
			}
		}
	case *jsontree.List:
		for _, i := range v.Items {
			all = append(all, innerUses(i)...)
		}
	case *jsontree.Object:
		for _, m := range v.Members {
			all = append(all, innerUses(m.Value)...)
		}
	}
	return all
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

// used lists the variables that a value refers to, at any depth.
func used(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return calls(v, "user")
	case *jsontree.List:
		for _, i := range v.Items {
			all = append(all, used(i)...)
		}
	case *jsontree.Object:
		for _, m := range v.Members {
			all = append(all, used(m.Value)...)
		}
	}
	return all
}

// calls lists the names with which a text calls a function.
func calls(text, function string) (all []string) {
	if !strings.Contains(text, "{{") {
		return nil
	}
	tree := parse.New("value")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "{{", "}}", map[string]*parse.Tree{}); err != nil {
		return nil // told where the text is written
	}
	walk(tree.Root, func(c *parse.CommandNode) {
		id, named := c.Args[0].(*parse.IdentifierNode)
		if named && id.Ident == function && len(c.Args) == 2 {
			if s, ok := c.Args[1].(*parse.StringNode); ok {
				all = append(all, s.Text)
			}
		}
	})
	return all
}

// walk calls f with every command below a node.
func walk(n parse.Node, f func(*parse.CommandNode)) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, f)
		walk(b.List, f)
		if b.ElseList != nil {
			walk(b.ElseList, f)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			walk(c, f)
		}
	case *parse.ActionNode:
		walk(n.Pipe, f)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, f)
		}
	case *parse.CommandNode:
		f(n)
		for _, a := range n.Args {
			walk(a, f)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}
