package template

import (
	"context"
	"io"
	"slices"

	"github.com/imagobuild/imago/builder"
)

// PostProcessor runs here once an image exists. Exactly one of Manifest and
// Shell is set.
type PostProcessor struct {
	Name string // defaults to Type
	Type string // manifest or shell-local

	// Where names the place in the template, such as web.json:14, for messages.
	Where string

	// Manifest describes the file to write.
	Manifest *Manifest

	// Shell runs the commands of shell-local. The environment gets env, KEY=value,
	// over the template's own.
	Shell func(ctx context.Context, f builder.Facts, env []string, stdout, stderr io.Writer) error
}

// Manifest is the manifest post-processor: a JSON file that lists what was built.
type Manifest struct {
	// Output is the path of the file. Defaults to packer-manifest.json.
	Output string

	// StripPath keeps the directories of files out; StripTime the time of the build.
	StripPath, StripTime bool

	// CustomData is put beside each build. Where it uses {{build `X`}} it holds
	// examples: Data has the facts.
	CustomData map[string]string

	data func(builder.Facts) (map[string]string, error)
}

// Data is CustomData with the facts of a build.
func (m Manifest) Data(f builder.Facts) (map[string]string, error) {
	if m.data == nil {
		return m.CustomData, nil
	}
	return m.data(f)
}

// postProcessors lists the template's post-processors. A nested list is a
// pipeline in Packer; the types that are known here pass the image on as it is, so that the order is all that counts.
func (p *parser) postProcessors() []value {
	var all []value
	add := func(v value) {
		if v.kind == kindString { // short for {"type": …}
			name := member{name: "type", pos: v.pos, value: v}
			v = value{kind: kindObject, pos: v.pos, members: []member{name}}
		}
		all = append(all, v)
	}
	for _, v := range p.section("post-processors") {
		if v.kind != kindList {
			add(v)
			continue
		}
		for _, e := range v.list {
			add(e)
		}
	}
	return all
}

// postProcessorNames lists the names that -except may hold.
func (p *parser) postProcessorNames() []string {
	var all []string
	for _, v := range p.postProcessors() {
		for _, name := range []string{"name", "type"} {
			if n, ok := v.member(name); ok {
				all = append(all, n.text)
			}
		}
	}
	return all
}

// readPostProcessors reads those that apply to the current build.
func (p *parser) readPostProcessors(list []value) []PostProcessor {
	var all []PostProcessor
	for _, v := range list {
		name, ok := p.nameOf(v, "post-processor")
		if !ok {
			continue
		}
		kind, _ := v.member("type")
		o := p.object(v, "post-processor "+kind.text)
		if !p.applies(o) || slices.Contains(p.o.Except, name) || slices.Contains(p.o.Except, kind.text) {
			continue
		}
		for _, common := range []string{"type", "name"} {
			o.get(common)
		}
		o.boolean("keep_input_artifact") // the image is always kept
		post := PostProcessor{Name: name, Type: kind.text, Where: o.where()}
		switch kind.text {
		case "manifest":
			post.Manifest = readManifest(o)
		case "shell-local":
			if _, _, post.Shell = readLocalShell(o); post.Shell == nil {
				continue // not on this system
			}
		default:
			p.unknownType(kind, "post-processor", []string{"manifest", "shell-local"}, otherPostProcessors())
			continue
		}
		o.finish()
		all = append(all, post)
	}
	return all
}

func readManifest(o *object) *Manifest {
	m := &Manifest{
		Output: o.text("output"), StripPath: o.boolean("strip_path"), StripTime: o.boolean("strip_time"),
		CustomData: o.pairs("custom_data", "", place{facts: true}),
	}
	p := *o.p // with the current build
	m.data = func(f builder.Facts) (map[string]string, error) {
		q := p.informed(f)
		data := q.again(o).pairs("custom_data", "", place{facts: true})
		return data, q.problems.err(q.result.Sensitive)
	}
	if m.Output == "" {
		m.Output = "packer-manifest.json"
	}
	return m
}
