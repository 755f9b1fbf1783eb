package template

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// readPackerBlock reads the packer block: which Packer, and which plugins. What is built in stands for all of them.
func (m *module) readPackerBlock(b *hcl.Block) {
	content := m.contentOf(b.Body, &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "required_version"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "required_plugins"}},
	}, "the packer block")
	if a, ok := content.Attributes["required_version"]; ok {
		m.checkConstraint(a)
	}
	for _, p := range content.Blocks {
		m.readRequiredPlugins(p)
	}
}

// checkConstraint holds required_version against the version of Packer whose language is read.
func (m *module) checkConstraint(a *hcl.Attribute) {
	text := m.words(a)
	if text == "" {
		return
	}
	ok, err := satisfies(PackerVersion, text)
	switch at := posOf(a.Expr.Range()); {
	case err != nil:
		m.problem(at, "required_version: %s", err)
	case !ok:
		m.problem(at, "the template wants Packer %s; this reads the language of Packer %s", text, PackerVersion)
	}
}

// Plugin is one that an HCL2 template wants to be there.
type Plugin struct {
	Name    string // the template's word for it
	Source  string // such as github.com/hashicorp/amazon; empty when it is not said
	Version string // what it may be, such as ">= 1.2"; may be empty
}

// readRequiredPlugins lists the plugins and checks the shape of what is said of them.
func (m *module) readRequiredPlugins(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	m.diagnose(diags)
	for _, a := range sortedAttributes(attrs) {
		v, diags := a.Expr.Value(nil)
		m.diagnose(diags)
		if diags.HasErrors() {
			continue
		}
		if v.Type() != cty.String && !v.Type().IsObjectType() {
			m.problem(posOf(a.Expr.Range()), "the plugin %s must be an object with a version and a source", a.Name)
			continue
		}
		plugin := Plugin{Name: a.Name, Source: stringIn(v, "source"), Version: stringIn(v, "version")}
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			plugin.Version = v.AsString()
		}
		m.result.Plugins = append(m.result.Plugins, plugin)
		version := stringIn(v, "version")
		if _, err := satisfies("0.0.0", version); err != nil && version != "" {
			m.problem(posOf(a.Expr.Range()), "the version of plugin %s: %s", a.Name, err)
		}
	}
}

// stringIn is a string among an object's attributes, or empty.
func stringIn(v cty.Value, name string) string {
	if !v.Type().IsObjectType() || v.IsNull() || !v.Type().HasAttribute(name) {
		return ""
	}
	if a := v.GetAttr(name); a.Type() == cty.String && a.IsKnown() && !a.IsNull() {
		return a.AsString()
	}
	return ""
}
