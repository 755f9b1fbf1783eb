package template

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Outline is the shape of an HCL2 template.
type Outline struct {
	Locals []Variable // by name
	Builds []OutlineBuild
}

// OutlineBuild is a build block.
type OutlineBuild struct {
	Name, Description string
	Sources           []string // type.name
	Provisioners      []string // their types
	PostProcessors    [][]string
}

// outline fills in what the result says of the template's shape.
func (m *module) outline() {
	for _, name := range names(m.variables) {
		v := m.variables[name]
		out := Variable{Name: name, Value: shown(v.current()), Sensitive: v.sensitive, Required: v.fallback == cty.NilVal}
		if !out.Required {
			text := shown(v.fallback)
			out.Default = &text
		}
		m.result.Variables = append(m.result.Variables, out)
	}
	o := &Outline{}
	if m.o.Inspect {
		o.Locals = m.describeLocals()
	}
	for _, b := range m.builds {
		out := OutlineBuild{Name: b.name, Description: b.description}
		for _, u := range b.usages {
			out.Sources = append(out.Sources, u.source.ref())
		}
		for _, c := range b.provisioners {
			out.Provisioners = append(out.Provisioners, c.kind)
			m.result.Provisioners = append(m.result.Provisioners, c.kind)
		}
		for _, sequence := range b.postProcessors {
			var kinds []string
			for _, c := range sequence {
				kinds = append(kinds, c.kind)
			}
			out.PostProcessors = append(out.PostProcessors, kinds)
		}
		o.Builds = append(o.Builds, out)
	}
	m.result.Outline = o
}

// shown writes a value for people: a text as it is, anything else as HCL writes it.
func shown(v cty.Value) string {
	if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		return v.AsString()
	}
	var b strings.Builder
	write(&b, v, "")
	return b.String()
}

func write(b *strings.Builder, v cty.Value, indent string) {
	t := v.Type()
	switch {
	case !v.IsKnown():
		b.WriteString("<unknown>")
	case v.IsNull():
		b.WriteString("null")
	case t == cty.String:
		fmt.Fprintf(b, "%q", v.AsString())
	case t.IsListType(), t.IsSetType(), t.IsTupleType():
		b.WriteString("[\n")
		for _, e := range v.AsValueSlice() {
			b.WriteString(indent + "  ")
			write(b, e, indent+"  ")
			b.WriteString(",\n")
		}
		b.WriteString(indent + "]")
	case t.IsMapType(), t.IsObjectType():
		b.WriteString("{\n")
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			fmt.Fprintf(b, "%s  %q = ", indent, k.AsString())
			write(b, e, indent+"  ")
			b.WriteString("\n")
		}
		b.WriteString(indent + "}")
	default:
		if text, err := convert.Convert(v, cty.String); err == nil && text.IsKnown() && !text.IsNull() {
			b.WriteString(text.AsString())
		}
	}
}
