package template

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// source is a source block.
type source struct {
	kind, name string
	at         pos
	body       hcl.Body
}

func (s *source) ref() string { return s.kind + "." + s.name }

// buildBlock is a build block.
type buildBlock struct {
	body           hcl.Body
	at             pos
	name           string // may be empty
	description    string
	usages         []*usage
	provisioners   []component
	cleanups       []component   // error-cleanup-provisioner
	postProcessors [][]component // a post-processors block each
}

// component is a provisioner or a post-processor.
type component struct {
	kind string
	at   pos
	body hcl.Body
}

// usage is a source that a build block makes an image from: a build.
type usage struct {
	block  *buildBlock
	source *source
	more   hcl.Body // what the build block adds to the source; nil: nothing
	name   string   // the source's, or the one the build block gives it
	at     pos
}

// ref is what only and except call it; full is its name in all output.
func (u *usage) ref() string { return u.source.kind + "." + u.name }

func (u *usage) full() string {
	if u.block.name == "" {
		return u.ref()
	}
	return u.block.name + "." + u.ref()
}

func (m *module) declareSource(b *hcl.Block) {
	s := &source{kind: b.Labels[0], name: b.Labels[1], at: posOf(b.DefRange), body: b.Body}
	if first, ok := m.sources[s.ref()]; ok {
		m.twice(s.at, "source", s.ref(), first.at)
		return
	}
	m.sources[s.ref()] = s
}

func (m *module) declareBuild(b *hcl.Block) {
	m.builds = append(m.builds, &buildBlock{body: b.Body, at: posOf(b.DefRange)})
}

func buildSchema() *hcl.BodySchema {
	return &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "name"}, {Name: "description"}, {Name: "sources"}},
		Blocks: []hcl.BlockHeaderSchema{
			{Type: "source", LabelNames: []string{"source"}},
			{Type: "provisioner", LabelNames: []string{"type"}},
			{Type: "error-cleanup-provisioner", LabelNames: []string{"type"}},
			{Type: "post-processor", LabelNames: []string{"type"}},
			{Type: "post-processors"},
			{Type: "hcp_packer_registry"},
		},
	}
}

func sequenceSchema() *hcl.BodySchema {
	return &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "post-processor", LabelNames: []string{"type"}}}}
}

// makeBuilds reads the build blocks, as far as they are the same for all of their sources.
func (m *module) makeBuilds() {
	if len(m.builds) == 0 {
		m.problems.add(m.path, pos{}, "the template has no build block")
	}
	for _, b := range m.builds {
		m.readBuildBlock(b)
	}
}

func (m *module) readBuildBlock(b *buildBlock) {
	e := m.evaluator()
	refs, children := dynblock.WalkExpandVariables(b.body).Visit(buildSchema())
	for _, c := range children {
		if c.BlockTypeName == "post-processors" {
			more, _ := c.Node.Visit(sequenceSchema())
			refs = append(refs, more...)
		}
	}
	ctx, lacks := e.context(refs)
	if len(lacks) > 0 {
		m.tell(lacks)
		return
	}
	told := len(m.problems.all)
	content := m.contentOf(dynblock.Expand(b.body, ctx), buildSchema(), "a build block")
	b.name, b.description = m.words(content.Attributes["name"]), m.words(content.Attributes["description"])
	if a, ok := content.Attributes["sources"]; ok {
		m.useSources(b, a)
	}
	for _, inner := range content.Blocks {
		m.readBuildPart(b, inner)
	}
	if len(b.usages) == 0 && len(m.problems.all) == told {
		m.problem(b.at, "the build block has no sources")
	}
}

func (m *module) readBuildPart(b *buildBlock, inner *hcl.Block) {
	at := posOf(inner.DefRange)
	one := func(inner *hcl.Block) component { return component{inner.Labels[0], posOf(inner.DefRange), inner.Body} }
	switch inner.Type {
	case "source":
		m.useSource(b, inner)
	case "provisioner":
		b.provisioners = append(b.provisioners, one(inner))
	case "error-cleanup-provisioner":
		if b.cleanups = append(b.cleanups, one(inner)); len(b.cleanups) > 1 {
			m.problem(at, "a build block has one error-cleanup-provisioner; the first is at line %d", b.cleanups[0].at.line)
		}
	case "post-processor":
		b.postProcessors = append(b.postProcessors, []component{one(inner)})
	case "post-processors":
		content := m.contentOf(inner.Body, sequenceSchema(), "a post-processors block")
		var sequence []component
		for _, p := range content.Blocks {
			sequence = append(sequence, one(p))
		}
		b.postProcessors = append(b.postProcessors, sequence)
	case "hcp_packer_registry":
		m.warnRegistry(inner)
	}
}

// words evaluates an argument that is a text.
func (m *module) words(a *hcl.Attribute) string {
	if a == nil {
		return ""
	}
	v, ok := m.evaluator().value(a.Expr)
	if !ok || !v.IsKnown() || v.IsNull() {
		return ""
	}
	v, err := convert.Convert(v, cty.String)
	if err != nil {
		m.problem(posOf(a.Expr.Range()), "%s must be a string", a.Name)
		return ""
	}
	return v.AsString()
}

// useSources reads the sources that a build block lists.
func (m *module) useSources(b *buildBlock, a *hcl.Attribute) {
	v := m.evaluator().convert(a.Expr)
	switch {
	case v.kind == kindUnknown:
		return
	case v.kind != kindList:
		m.problem(v.pos, "sources must be a list of names such as %q, not %s", "source."+builderType+".NAME", v.kind)
		return
	}
	for _, e := range v.list {
		if e.kind != kindString {
			m.problem(e.pos, "sources must hold names such as %q, not %s", "source."+builderType+".NAME", e.kind)
			continue
		}
		m.use(b, e.text, e.pos, nil)
	}
}

// useSource reads a source block inside a build block, which may rename the source and add to it.
func (m *module) useSource(b *buildBlock, inner *hcl.Block) {
	content, rest, diags := inner.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "name"}}})
	m.diagnose(diags)
	at := posOf(inner.DefRange)
	if u := m.use(b, inner.Labels[0], at, rest); u != nil {
		if name := m.words(content.Attributes["name"]); name != "" {
			u.name = name
		}
	}
}

// use notes that a build block makes an image from a source.
func (m *module) use(b *buildBlock, ref string, at pos, more hcl.Body) *usage {
	s, ok := m.sources[strings.TrimPrefix(ref, "source.")]
	if !ok {
		m.problem(at, "there is no source %q%s", strings.TrimPrefix(ref, "source."), didYouMean(strings.TrimPrefix(ref, "source."), names(m.sources)))
		return nil
	}
	u := &usage{block: b, source: s, more: more, name: s.name, at: at}
	b.usages = append(b.usages, u)
	return u
}
