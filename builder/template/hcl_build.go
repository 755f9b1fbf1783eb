package template

import (
	"path"
	"slices"
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
	ctx, ok := e.context(refs)
	if !ok {
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

// allUsages lists what all build blocks make, in their order.
func (m *module) allUsages() []*usage {
	var all []*usage
	for _, b := range m.builds {
		all = append(all, b.usages...)
	}
	return all
}

// selectUsages returns the builds that -only and -except leave.
func (m *module) selectUsages() []*usage {
	var selected []*usage
	first := map[string]pos{}
	for _, u := range m.allUsages() {
		if at, twice := first[u.full()]; twice {
			m.problem(u.at, "two builds are called %s; the other is at %s:%d; give one another name, in the build block or in a source block inside it", u.full(), at.file, at.line)
			continue
		}
		first[u.full()] = u.at
		m.names = append(m.names, u.full())
		if (len(m.o.Only) == 0 || matches(m.o.Only, u.full())) && !matches(m.o.Except, u.full()) {
			selected = append(selected, u)
		}
	}
	m.checkPatterns(selected)
	return selected
}

// matches says whether one of the patterns is for a name. In them * stands for anything, dots included.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// checkPatterns refuses patterns that are for nothing.
func (m *module) checkPatterns(selected []*usage) {
	unknown := false
	check := func(flag string, patterns, known []string, what string) {
		for _, p := range patterns {
			if !slices.ContainsFunc(known, func(name string) bool { return matches([]string{p}, name) }) {
				unknown = true
				m.problems.add("", pos{}, "-%s=%s: %s has no such %s; it has %s", flag, p, m.path, what, strings.Join(known, ", "))
			}
		}
	}
	check("only", m.o.Only, m.names, "build")
	check("except", m.o.Except, append(slices.Clone(m.names), m.postProcessorTypes()...), "build or post-processor")
	if len(selected) == 0 && len(m.names) > 0 && !unknown {
		m.problems.add("", pos{}, "-only and -except leave no build of %s", m.path)
	}
}

// postProcessorTypes lists what -except may hold beside builds.
func (m *module) postProcessorTypes() []string {
	var all []string
	for _, b := range m.builds {
		for _, sequence := range b.postProcessors {
			for _, c := range sequence {
				all = append(all, c.kind)
				content, _, _ := c.body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "name"}}})
				if name := m.words(content.Attributes["name"]); name != "" {
					all = append(all, name)
				}
			}
		}
	}
	return all
}

// readUsages makes the selected builds.
func (m *module) readUsages() {
	for _, u := range m.selectUsages() {
		m.result.Builds = append(m.result.Builds, m.readUsage(u))
	}
	for _, u := range m.allUsages() {
		selected := slices.ContainsFunc(m.result.Builds, func(b Build) bool { return b.Name == u.full() })
		if u.source.kind != builderType && !selected {
			m.warnAt(u.source.at, "the builder %s is not supported yet; %s is left out, as it is not selected", u.source.kind, u.full())
		}
	}
}

// readUsage makes one build.
func (m *module) readUsage(u *usage) Build {
	m.build = Build{Name: u.full(), Type: u.source.kind, ScriptName: u.source.name}
	m.called = called{ref: u.ref(), key: u.name}
	for _, other := range m.allUsages() {
		m.called.refs = append(m.called.refs, other.ref())
		m.called.keys = append(m.called.keys, other.name)
	}
	if m.o.Inspect {
		return m.build
	}
	if u.source.kind != builderType {
		m.unknownType(value{pos: u.source.at, text: u.source.kind}, "builder", []string{builderType}, otherBuilders())
		return m.build
	}
	body := u.source.body
	if u.more != nil {
		body = hcl.MergeBodies([]hcl.Body{body, u.more})
	}
	b := m.build
	e := m.evaluator()
	e.usage = u
	v := e.object(body, builderType, u.source.at)
	if v.kind != kindObject {
		return b
	}
	b.Config, b.Access = m.readEBS(v)
	b.Config.Name = b.Name
	b.Config.Steps = m.readSteps(m.provisionerValues(u, u.block.provisioners))
	b.Config.ErrorSteps = m.readSteps(m.provisionerValues(u, u.block.cleanups))
	b.PostProcessors = m.readPostProcessors(m.postProcessorValues(u))
	return b
}

func (m *module) provisionerValues(u *usage, all []component) []value {
	var list []value
	for _, c := range all {
		waits := c.kind != "file" && c.kind != "sleep" && c.kind != "breakpoint"
		if v := m.componentValue(u, c, waits); v.kind == kindObject {
			list = append(list, v)
		}
	}
	return list
}

// postProcessorValues lists the post-processors. A sequence hands the image on as it is, so that the order is all that counts.
func (m *module) postProcessorValues(u *usage) []value {
	var list []value
	for _, sequence := range u.block.postProcessors {
		for _, c := range sequence {
			if v := m.componentValue(u, c, true); v.kind == kindObject {
				list = append(list, v)
			}
		}
	}
	return list
}

// componentValue evaluates a component's body, for one build. One that waits for the machine is evaluated once more then.
func (m *module) componentValue(u *usage, c component, waits bool) value {
	evaluate := func(p *parser) (value, bool) {
		e := &evaluator{module: m, p: p, usage: u, block: u.block}
		if waits {
			e.facts = p.facts
		}
		v := e.object(c.body, c.kind, c.at)
		if v.kind == kindObject {
			v.members = append([]member{{name: "type", pos: c.at, value: value{kind: kindString, pos: c.at, text: c.kind}}}, v.members...)
		}
		return v, e.late
	}
	v, late := evaluate(m.parser)
	if late {
		v.late = func(p *parser) value {
			v, _ := evaluate(p)
			return v
		}
	}
	return v
}
