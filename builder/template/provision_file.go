package template

import (
	"os"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/provision"
)

// readFileStep reads a file provisioner. One that uses {{build `X`}} is read once more when the machine is there.
func readFileStep(o *object) builder.Step {
	o.facts = true
	if o.text("direction") == "download" {
		d := readDownload(o)
		d.Late = renewed(o, readDownload)
		return d
	}
	u := readUpload(o)
	u.Late = renewed(o, readUpload)
	return u
}

func readDownload(o *object) builder.Download {
	common, dest, sources, _ := readFiles(o)
	d := builder.Download{StepOptions: common}
	for _, s := range sources {
		d.Files = append(d.Files, provision.Fetch{Source: s.text, Dest: o.p.local(dest)})
	}
	return d
}

func readUpload(o *object) builder.Upload {
	common, dest, sources, content := readFiles(o)
	u := builder.Upload{StepOptions: common, Generated: o.boolean("generated") || o.varies("source") || o.varies("sources")}
	for _, s := range sources {
		if !u.Generated && !o.informed {
			o.p.checkSource(s)
		}
		u.Trees = append(u.Trees, provision.Tree{Source: o.p.local(s.text), Dest: dest})
	}
	if content != "" {
		u.Trees = append(u.Trees, provision.Tree{Content: []byte(content), Dest: dest})
	}
	return u
}

// readFiles reads what both directions have.
func readFiles(o *object) (common builder.StepOptions, dest string, sources []item, content string) {
	common, dest, content = readCommon(o), o.required("destination"), o.text("content")
	o.oneOf("direction", "upload", "download")
	o.boolean("generated")
	sources = append(o.items("sources", place{}), o.items1("source")...)
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
	return common, dest, sources, content
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
	if _, err := os.Stat(p.local(s.text)); err != nil {
		p.problem(s.pos, "the upload source %s %s%s; if an earlier step makes it, say \"generated\": true", s.text, reason(err), p.counted(s.text))
	}
}
