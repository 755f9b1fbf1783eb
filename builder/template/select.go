package template

import (
	"fmt"
	"slices"
	"strings"
)

// selectBuilds names all builders and returns the selected ones.
func (p *parser) selectBuilds() []value {
	section, ok := p.root.member("builders")
	if !ok {
		p.problem(p.root.pos, "the template has no builders")
		return nil
	}
	all := p.section("builders")
	if len(all) == 0 && section.kind == kindList {
		p.problem(section.pos, "builders is empty; a template needs at least one")
	}
	var selected []value
	for _, b := range all {
		name, ok := p.nameOf(b, "builder")
		if !ok {
			continue
		}
		if slices.Contains(p.names, name) {
			p.problem(b.pos, "two builds are called %q; give one of them another name", name)
			continue
		}
		p.names = append(p.names, name)
		if (len(p.o.Only) == 0 || slices.Contains(p.o.Only, name)) && !slices.Contains(p.o.Except, name) {
			selected = append(selected, b)
		}
	}
	p.checkSelection(selected)
	return selected
}

// checkSelection refuses names in -only and -except that nothing has.
func (p *parser) checkSelection(selected []value) {
	unknown := false
	for _, name := range p.o.Only {
		if !slices.Contains(p.names, name) {
			unknown = true
			p.problems.add("", pos{}, "-only=%s: %s has no such build; it has %s", name, p.path, strings.Join(p.names, ", "))
		}
	}
	known := append(slices.Clone(p.names), p.postProcessorNames()...)
	for _, name := range p.o.Except {
		if !slices.Contains(known, name) {
			unknown = true
			p.problems.add("", pos{}, "-except=%s: %s has no such build or post-processor%s", name, p.path, didYouMean(name, known))
		}
	}
	if len(selected) == 0 && len(p.names) > 0 && !unknown {
		p.problems.add("", pos{}, "-only and -except leave no build of %s", p.path)
	}
}

// nameOf returns the name of a builder: its name, else its type. Where the shape alone is
// read, it is what is written: variables need no values there.
func (p *parser) nameOf(v value, what string) (string, bool) {
	if v.kind != kindObject {
		p.problem(v.pos, "a %s must be an object, not %s", what, v.kind)
		return "", false
	}
	kind, ok := v.member("type")
	if !ok || kind.kind != kindString || kind.text == "" {
		p.problem(v.pos, "a %s needs a type, such as %q", what, example(what))
		return "", false
	}
	name, ok := v.member("name")
	if !ok || p.hcl && (name.kind == kindNull || name.kind == kindUnknown) {
		return kind.text, true
	}
	if name.kind != kindString || name.text == "" {
		p.problem(name.pos, "a %s's name must be a string that is not empty", what)
		return "", false
	}
	if p.o.Inspect {
		return name.text, true
	}
	text, err := p.render(name.text, place{})
	if err != nil {
		p.told(name.pos, err, "name")
		return "", false
	}
	return text, true
}

// section returns the elements of one of the template's lists.
func (p *parser) section(name string) []value {
	v, ok := p.root.member(name)
	switch {
	case !ok || v.kind == kindNull:
		return nil
	case v.kind != kindList:
		p.problem(v.pos, "%s must be a list, not %s", name, v.kind)
		return nil
	}
	return v.list
}

// unknownType refuses a type, and says whether it is a mistake or only not there yet.
func (p *parser) unknownType(kind value, what string, known, later []string) {
	if slices.Contains(later, kind.text) {
		hint := otherHint(kind.text)
		if what == "builder" {
			hint = "; leave it out with -only or -except"
		}
		text := fmt.Sprintf("%s %s is not supported yet%s", what, kind.text, hint)
		if p.o.Check && what == "provisioner" {
			p.warnAt(p.placeOf(kind), "a build refuses this: %s", text)
			return
		}
		p.problem(kind.pos, "%s", text)
		return
	}
	p.problem(kind.pos, "there is no %s %q%s", what, kind.text, didYouMean(kind.text, append(known, later...)))
}

// otherHint is what to do instead of a provisioner that is not supported, where there is something.
func otherHint(kind string) string {
	program, _, _ := strings.Cut(kind, "-")
	switch {
	case program == "windows" || kind == "powershell" || kind == "dsc":
		return "; Windows images are not made yet"
	case slices.Contains([]string{"chef", "puppet", "salt", "inspec", "goss", "converge"}, program):
		return "; run " + program + " in a shell provisioner"
	}
	return ""
}

// example is a type that things of a kind may have.
func example(what string) string {
	return map[string]string{"builder": builderType, "provisioner": "shell", "post-processor": "manifest"}[what]
}
