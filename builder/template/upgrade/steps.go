package upgrade

import (
	"strings"

	"github.com/imagobuild/imago/builder/template/internal/jsontree"
)

// build writes the build block: all sources, and the steps in their order.
func (u *upgrader) build() {
	u.gap()
	u.begin("build")
	if text := u.root.Text("description"); text != "" {
		u.attribute("description", literal(text))
	}
	var sources []string
	for _, v := range u.root.List("builders") {
		if b, ok := v.(*jsontree.Object); ok {
			sources = append(sources, literal("source."+u.names[jsonName(b)].ref()))
		}
	}
	u.attribute("sources", "["+strings.Join(sources, ", ")+"]")
	for _, v := range u.root.List("provisioners") {
		u.step("provisioner", v)
	}
	if v, ok := u.root.Get("error-cleanup-provisioner"); ok && v != nil {
		u.step("error-cleanup-provisioner", v)
	}
	for _, v := range u.root.List("post-processors") {
		u.postProcessor(v)
	}
	u.end()
}

// postProcessor writes a post-processor, or a list of them, which hand their results on.
func (u *upgrader) postProcessor(v any) {
	list, ok := v.(*jsontree.List)
	if !ok {
		u.step("post-processor", typed(v))
		return
	}
	u.gap()
	u.begin("post-processors")
	for _, v := range list.Items {
		u.step("post-processor", typed(v))
	}
	u.end()
}

// typed takes a mere text for a type, as Packer does among post-processors.
func typed(v any) any {
	if kind, ok := v.(string); ok {
		return &jsontree.Object{Members: []jsontree.Member{{Name: "type", Value: kind}}}
	}
	return v
}

// step writes a provisioner or post-processor.
func (u *upgrader) step(block string, v any) {
	o, ok := v.(*jsontree.Object)
	if !ok || o.Text("type") == "" {
		u.problem("a %s must be an object with a type", block)
		return
	}
	u.gap()
	u.begin(block, o.Text("type"))
	u.options(o, o.Text("type"), inStep, "type", "only", "except", "override")
	for _, name := range []string{"only", "except"} {
		if v, ok := o.Get(name); ok && v != nil {
			u.attribute(name, u.refs(v))
		}
	}
	if v, ok := o.Get("override"); ok {
		u.override(v)
	}
	u.end()
}

// refs writes the builders that only and except name.
func (u *upgrader) refs(v any) string {
	items := []any{v}
	switch v := v.(type) {
	case *jsontree.List:
		items = v.Items
	case string:
		items = nil
		for name := range strings.SplitSeq(v, ",") {
			items = append(items, name)
		}
	}
	var all []string
	for _, i := range items {
		name, _ := i.(string)
		s, ok := u.names[name]
		if !ok {
			u.warn("only or except names %q, which is no builder", name)
			all = append(all, literal(name))
			continue
		}
		all = append(all, literal(s.ref()))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// override writes what a step sets otherwise for some builders.
func (u *upgrader) override(v any) {
	o, ok := v.(*jsontree.Object)
	if !ok {
		u.problem("override must be an object")
		return
	}
	u.out.WriteString("override = {\n")
	for _, m := range o.Members {
		name := m.Name
		if s, ok := u.names[name]; ok {
			name = s.name
		}
		u.out.WriteString(literal(name) + " = {\n")
		if options, ok := m.Value.(*jsontree.Object); ok {
			for _, m := range options.Members {
				if m.Value != nil {
					u.option(m.Name, m.Value, inStep)
				}
			}
		}
		u.out.WriteString("}\n")
	}
	u.out.WriteString("}\n")
}
