package template

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

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
	for i, c := range all {
		if v := m.componentValue(u, c, i); v.kind == kindObject {
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
			if v := m.componentValue(u, c, len(list)); v.kind == kindObject {
				list = append(list, v)
			}
		}
	}
	return list
}

// componentValue evaluates a component's body, for one build. One that says something of the machine is evaluated once
// more when that is there. Those that a dynamic block makes have the same place, and another index.
func (m *module) componentValue(u *usage, c component, index int) value {
	evaluate := func(p *parser) (value, bool) {
		e := &evaluator{module: m, p: p, usage: u, block: u.block, facts: p.facts, index: index}
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
