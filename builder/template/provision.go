package template

import (
	"fmt"
	"slices"

	"github.com/imagobuild/imago/builder"
)

// readSteps reads the provisioners that apply to the current build.
func (p *parser) readSteps() (steps, errorSteps []builder.Step) {
	for _, v := range p.section("provisioners") {
		if s := p.readProvisioner(v); s != nil {
			steps = append(steps, s)
		}
	}
	if v, ok := p.root.member("error-cleanup-provisioner"); ok {
		if s := p.readProvisioner(v); s != nil {
			errorSteps = append(errorSteps, s)
		}
	}
	return steps, errorSteps
}

// readProvisioner returns nil when there is nothing to do for the current build.
func (p *parser) readProvisioner(v value) builder.Step {
	if _, ok := p.nameOf(v, "provisioner"); !ok {
		return nil
	}
	kind, _ := v.member("type")
	readers := map[string]func(*object) builder.Step{
		"file": readFileStep, "shell": readShell, "shell-local": readShellLocal,
		"sleep": readSleep, "breakpoint": readBreakpoint,
	}
	if !p.applies(p.object(v, "provisioner "+kind.text)) {
		return nil
	}
	read, ok := readers[kind.text]
	if !ok {
		p.unknownType(kind, "provisioner", names(readers), otherProvisioners())
		return nil
	}
	o := p.object(p.overridden(v), "provisioner "+kind.text)
	for _, name := range []string{"type", "only", "except"} {
		o.get(name)
	}
	step := read(o)
	o.finish()
	return step
}

// applies reads only and except of a provisioner or post-processor.
func (p *parser) applies(o *object) bool {
	o.exclusive("only", "except")
	holds := func(name string) bool {
		found := false
		for _, i := range o.items(name, place{}) {
			found = found || i.text == p.build.Name
			if !slices.Contains(p.names, i.text) {
				o.wrong(i.value, name, "names the build %q, which is not there%s", i.text, didYouMean(i.text, p.names))
			}
		}
		return found
	}
	_, only := o.get("only")
	in, out := holds("only"), holds("except")
	return (!only || in) && !out
}

// overridden puts what override says for the current build over a provisioner's options.
func (p *parser) overridden(v value) value {
	all, ok := v.member("override")
	if !ok {
		return v
	}
	if all.kind != kindObject {
		p.problem(all.pos, "override must be an object of builds and options, not %s", all.kind)
		return v.without("override")
	}
	for _, m := range all.members {
		if !slices.Contains(p.names, m.name) {
			p.problem(m.pos, "override names the build %q, which is not there%s", m.name, didYouMean(m.name, p.names))
		} else if m.value.kind != kindObject {
			p.problem(m.value.pos, "override for %s must be an object, not %s", m.name, m.value.kind)
		} else if m.name == p.build.Name {
			v = v.with(m.value)
		}
	}
	return v.without("override")
}

// readCommon reads what all provisioners have.
func readCommon(o *object) builder.StepOptions {
	return builder.StepOptions{
		Where:       o.where(),
		PauseBefore: o.duration("pause_before"), Timeout: o.duration("timeout"), MaxRetries: o.number("max_retries", 0),
	}
}

// where names an object's place for messages of later stages.
func (o *object) where() string { return fmt.Sprintf("%s:%d", o.p.path, o.v.pos.line) }

func readSleep(o *object) builder.Step {
	s := builder.Pause{StepOptions: readCommon(o), For: o.duration("duration")}
	o.need("duration", s.For > 0)
	return s
}

// readBreakpoint makes a pause without an end of its own.
func readBreakpoint(o *object) builder.Step {
	s := builder.Pause{StepOptions: readCommon(o), Note: o.text("note")}
	if o.boolean("disable") {
		return nil
	}
	return s
}

// listProvisioners notes the types of all provisioners.
func (p *parser) listProvisioners() {
	for _, v := range p.section("provisioners") {
		if kind, ok := v.member("type"); ok {
			p.result.Provisioners = append(p.result.Provisioners, kind.text)
		}
	}
}
