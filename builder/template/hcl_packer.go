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

// readRequiredPlugins checks the shape alone.
func (m *module) readRequiredPlugins(b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	m.diagnose(diags)
	for _, a := range sortedAttributes(attrs) {
		v, diags := a.Expr.Value(nil)
		m.diagnose(diags)
		if diags.HasErrors() || v.Type() == cty.String {
			continue
		}
		if !v.Type().IsObjectType() {
			m.problem(posOf(a.Expr.Range()), "the plugin %s must be an object with a version and a source", a.Name)
			continue
		}
		if !v.Type().HasAttribute("version") {
			continue
		}
		if version := v.GetAttr("version"); version.Type() == cty.String && !version.IsNull() {
			if _, err := satisfies("0.0.0", version.AsString()); err != nil {
				m.problem(posOf(a.Expr.Range()), "the version of plugin %s: %s", a.Name, err)
			}
		}
	}
}
