package template

import (
	"context"
	"io"
	"slices"

	"github.com/imagobuild/imago/builder"
)

// PostProcessor runs here once an image exists. Exactly one of Manifest, Shell,
// Files, Checksum and Cleaner is set.
type PostProcessor struct {
	Name string // defaults to Type
	Type string // such as manifest

	// Sequence numbers the lists of post-processors, from 0. Those of one list hand on what they
	// make; when one does not succeed, the rest of its list does not run.
	Sequence int

	// Where names the place in the template, such as web.json:14, for messages.
	Where string

	// Manifest describes the file to write.
	Manifest *Manifest

	// Shell runs the commands of shell-local. The environment gets env, KEY=value,
	// over the template's own.
	Shell func(ctx context.Context, f builder.Facts, env []string, stdout, stderr io.Writer) error

	// Files are the patterns of artifice: what they match is handed on in place of the image.
	Files []string

	// Checksum describes the files with the sums of other files.
	Checksum *Checksum

	// Cleaner describes the images to take away: amazon-ami-management.
	Cleaner *Cleaner
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

// postProcessors lists the template's post-processors, a list for each sequence.
func (p *parser) postProcessors() [][]value {
	var all [][]value
	for _, v := range p.section("post-processors") {
		if v.kind != kindList {
			v = value{kind: kindList, pos: v.pos, list: []value{v}}
		}
		var sequence []value
		for _, e := range v.list {
			if e.kind == kindString { // short for {"type": …}
				name := member{name: "type", pos: e.pos, value: e}
				e = value{kind: kindObject, pos: e.pos, members: []member{name}}
			}
			sequence = append(sequence, e)
		}
		all = append(all, sequence)
	}
	return all
}

// postProcessorNames lists the names that -except may hold.
func (p *parser) postProcessorNames() []string {
	var all []string
	for _, v := range slices.Concat(p.postProcessors()...) {
		for _, name := range []string{"name", "type"} {
			if n, ok := v.member(name); ok {
				all = append(all, n.text)
			}
		}
	}
	return all
}

// readPostProcessors reads those that apply to the current build. -except ends
// a sequence where it names one of it.
func (p *parser) readPostProcessors(sequences [][]value) []PostProcessor {
	var all []PostProcessor
	for i, list := range sequences {
		files := false
		for _, v := range list {
			name, ok := p.nameOf(v, "post-processor")
			if !ok {
				continue
			}
			kind, _ := v.member("type")
			if slices.Contains(p.o.Except, name) || slices.Contains(p.o.Except, kind.text) {
				break
			}
			post, ok := p.readPostProcessor(v, name, kind)
			if !ok {
				continue
			}
			if post.Checksum != nil && !files {
				p.warnAt(kind.pos, "checksum has no effect here: an image has no files; put artifice before it, in one list, with the files that are meant")
			}
			files = files || post.Files != nil
			post.Sequence = i
			all = append(all, post)
		}
	}
	return all
}

// readPostProcessor reads one, unless it is not for this build or this system.
func (p *parser) readPostProcessor(v value, name string, kind value) (post PostProcessor, ok bool) {
	o := p.object(v, "post-processor "+kind.text)
	if !p.applies(o) {
		return post, false
	}
	for _, common := range []string{"type", "name"} {
		o.get(common)
	}
	o.boolean("keep_input_artifact") // the image is always kept
	post = PostProcessor{Name: name, Type: kind.text, Where: o.where()}
	switch kind.text {
	case "manifest":
		post.Manifest = readManifest(o)
	case "shell-local":
		if _, _, post.Shell = readLocalShell(o); post.Shell == nil {
			return post, false // not on this system
		}
	case "artifice":
		post.Files = readArtifice(o)
	case "checksum":
		post.Checksum = readChecksum(o)
	case "amazon-ami-management":
		post.Cleaner = readCleaner(o)
	default:
		p.unknownType(kind, "post-processor", []string{"amazon-ami-management", "artifice", "checksum", "manifest", "shell-local"}, otherPostProcessors())
		return post, false
	}
	o.finish()
	return post, true
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
