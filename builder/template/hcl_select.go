package template

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

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
