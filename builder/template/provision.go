package template

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/imagobuild/imago/builder"
)

// readSteps reads those provisioners that apply to the current build.
func (p *parser) readSteps(provisioners []value) []builder.Step {
	var steps []builder.Step
	for _, v := range provisioners {
		if s := p.readProvisioner(v); s != nil {
			steps = append(steps, s)
		}
	}
	return steps
}

// errorProvisioners is the template's error-cleanup-provisioner, if there is one.
func (p *parser) errorProvisioners() []value {
	if v, ok := p.root.member("error-cleanup-provisioner"); ok {
		return []value{v}
	}
	return nil
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
	if p.hcl {
		o.get("name")
	}
	o.unsupported(map[string]string{"continue_on_error": "end the script with || true, or list valid_exit_codes"})
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
			found = found || i.text == p.called.ref
			if i.kind == kindUnknown {
				continue
			}
			p.checkCalled(i.pos, name, i.text, p.called.refs)
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
		if !p.checkCalled(m.pos, "override", m.name, p.called.keys) {
			continue
		} else if m.value.kind != kindObject {
			p.problem(m.value.pos, "override for %s must be an object, not %s", m.name, m.value.kind)
		} else if m.name == p.called.key {
			v = v.with(m.value)
		}
	}
	v = v.without("override")
	if late := v.late; late != nil {
		v.late = func(q *parser) value { return q.overridden(late(q)) }
	}
	return v
}

// called is what the current build is called where only, except and override name builds, and what all of them are.
type called struct {
	ref, key   string // by only and except; by override
	refs, keys []string
}

// checkCalled says whether a name that an option holds is a build's. In HCL2 the builds of a template need not all have
// the same sources, and Packer takes any name there.
func (p *parser) checkCalled(at pos, option, name string, known []string) bool {
	if slices.Contains(known, name) {
		return true
	}
	if p.hcl {
		p.warnAt(at, "%s names the build %q, which is not there%s", option, name, didYouMean(name, known))
		return false
	}
	p.problem(at, "%s names the build %q, which is not there%s", option, name, didYouMean(name, known))
	return false
}

// readCommon reads what all provisioners have.
func readCommon(o *object) builder.StepOptions {
	return builder.StepOptions{
		Where:       o.where(),
		PauseBefore: o.duration("pause_before"), Timeout: o.duration("timeout"), MaxRetries: o.number("max_retries", 0),
	}
}

// where names an object's place for messages of later stages.
func (o *object) where() string {
	return fmt.Sprintf("%s:%d", cmp.Or(o.v.pos.file, o.p.path), o.v.pos.line)
}

// listProvisioners notes the types of all provisioners.
func (p *parser) listProvisioners() {
	for _, v := range p.section("provisioners") {
		if kind, ok := v.member("type"); ok {
			p.result.Provisioners = append(p.result.Provisioners, kind.text)
		}
	}
}
