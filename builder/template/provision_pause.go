package template

import "github.com/imagobuild/imago/builder"

func readSleep(o *object) builder.Step {
	o.facts = true
	read := func(o *object) builder.Pause {
		s := builder.Pause{StepOptions: readCommon(o), For: o.duration("duration")}
		o.need("duration", s.For > 0 || o.varies("duration"))
		return s
	}
	s := read(o)
	s.Late = renewed(o, read)
	return s
}

// readBreakpoint makes a pause without an end of its own.
func readBreakpoint(o *object) builder.Step {
	o.facts = true
	read := func(o *object) builder.Pause {
		return builder.Pause{StepOptions: readCommon(o), Note: o.text("note")}
	}
	s := read(o)
	s.Late = renewed(o, read)
	if o.boolean("disable") {
		return nil
	}
	return s
}
