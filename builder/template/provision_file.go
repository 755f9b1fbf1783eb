package template

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/provision"
)

// readFileStep reads a file provisioner.
func readFileStep(o *object) builder.Step {
	common, dest := readCommon(o), o.required("destination")
	content, generated := o.text("content"), o.boolean("generated")
	direction := o.oneOf("direction", "upload", "download")
	sources := append(o.items("sources", place{}), o.items1("source")...)
	if len(sources) == 0 && content == "" && !o.told["source"] && !o.told["sources"] && !o.told["content"] {
		if v, ok := o.get("source"); ok {
			o.wrong(v, "source", "is empty; %s needs it", o.what)
		} else {
			o.p.problem(o.v.pos, "%s needs source, sources or content", o.what)
		}
	}
	if len(sources) > 0 && content != "" {
		v, _ := o.get("content")
		o.wrong(v, "content", "and source exclude each other; keep one")
	}
	if direction == "download" {
		d := builder.Download{StepOptions: common}
		for _, s := range sources {
			d.Files = append(d.Files, provision.Fetch{Source: s.text, Dest: o.p.local(dest)})
		}
		return d
	}
	u := builder.Upload{StepOptions: common, Generated: generated}
	for _, s := range sources {
		if !generated {
			o.p.checkSource(s)
		}
		u.Trees = append(u.Trees, provision.Tree{Source: o.p.local(s.text), Dest: dest})
	}
	if content != "" {
		u.Trees = append(u.Trees, provision.Tree{Content: []byte(content), Dest: dest})
	}
	return u
}

// items1 is an option with one string, which is not cut at its commas.
func (o *object) items1(name string) []item {
	v, ok := o.get(name)
	if text := o.text(name); ok && text != "" {
		return []item{{v, text}}
	}
	return nil
}

// checkSource says that an upload's source is not there, before anything is launched.
func (p *parser) checkSource(s item) {
	if s.kind == kindUnknown {
		return
	}
	if _, err := os.Stat(p.local(s.text)); err != nil && !p.later(s.text) {
		p.problem(s.pos, "the upload source %s %s%s; if an earlier step makes it, say \"generated\": true", s.text, reason(err), p.counted(s.text))
	}
}

// later says whether a path is at or below one that is made before the build runs.
func (p *parser) later(path string) bool {
	return slices.ContainsFunc(p.o.Later, func(made string) bool {
		rel, err := filepath.Rel(p.local(made), p.local(path))
		return err == nil && filepath.IsLocal(rel)
	})
}
