package template

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty/function"
)

// module is the reading of an HCL2 template: one file, or all files of a directory.
type module struct {
	*parser
	base      string // the directory of the template, as given
	variables map[string]*variable
	locals    map[string]*local
	data      map[[2]string]*dataSource // by type and name
	sources   map[string]*source        // by type.name
	builds    []*buildBlock
	functions map[string]function.Function // made at the first call
	asking    sync.Mutex
	secrets   map[string]string // what aws_secretsmanager has read
}

// readHCL reads a template that is written in HCL2.
func (p *parser) readHCL() {
	m := &module{
		parser: p, variables: map[string]*variable{}, locals: map[string]*local{},
		data: map[[2]string]*dataSource{}, sources: map[string]*source{}, secrets: map[string]string{},
	}
	p.hcl = true
	p.problems.sources = map[string][]byte{}
	bodies := m.readFiles()
	if len(p.problems.all) > 0 {
		return // half a template says too much that is not so
	}
	for _, body := range bodies {
		m.readBlocks(body)
	}
	m.readValues()
	m.readLocals()
	m.makeBuilds()
	m.outline()
	m.readUsages()
}

// rootSchema lists what may stand at the top of a file.
func rootSchema() *hcl.BodySchema {
	return &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "packer"},
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "variables"},
		{Type: "local", LabelNames: []string{"name"}},
		{Type: "locals"},
		{Type: "data", LabelNames: []string{"type", "name"}},
		{Type: "source", LabelNames: []string{"type", "name"}},
		{Type: "build"},
		{Type: "communicator", LabelNames: []string{"type", "name"}},
		{Type: "hcp_packer_registry"},
	}}
}

// readBlocks notes the blocks of one file by what they declare.
func (m *module) readBlocks(body hcl.Body) {
	content := m.contentOf(body, rootSchema(), "a template")
	for _, b := range content.Blocks {
		switch b.Type {
		case "packer":
			m.readPackerBlock(b)
		case "variable":
			m.declareVariable(b)
		case "variables":
			m.declareVariables(b)
		case "local":
			m.declareLocal(b)
		case "locals":
			m.declareLocals(b)
		case "data":
			m.declareData(b)
		case "source":
			m.declareSource(b)
		case "build":
			m.declareBuild(b)
		case "communicator":
			m.warnAt(posOf(b.DefRange), "communicator blocks have no effect, here as in Packer; write the ssh_ options into the source")
		case "hcp_packer_registry":
			m.warnRegistry(b)
		}
	}
}

func (m *module) warnRegistry(b *hcl.Block) {
	m.warnAt(posOf(b.DefRange), "hcp_packer_registry has no effect: imago reports to no registry")
}

// twice says that a name is declared already.
func (m *module) twice(at pos, what, name string, first pos) {
	m.problem(at, "%s %s is declared twice, first at %s:%d; give one of them another name", what, name, first.file, first.line)
}

// diagnose tells what the HCL library found.
func (p *parser) diagnose(diags hcl.Diagnostics) {
	for _, d := range diags {
		at := pos{}
		if d.Subject != nil {
			at = posOf(*d.Subject)
		}
		text := d.Summary
		if d.Detail != "" {
			text += ": " + d.Detail
		}
		if d.Severity == hcl.DiagError {
			p.problem(at, "%s", text)
		} else {
			p.warnAt(at, "%s", text)
		}
	}
}

// posOf is where a range begins, and how much of its line it has.
func posOf(r hcl.Range) pos {
	at := pos{file: r.Filename, line: r.Start.Line, column: r.Start.Column, width: maxExcerpt}
	if r.End.Line == r.Start.Line {
		at.width = r.End.Column - r.Start.Column
	}
	return at
}

// beside is the path of a file in the template's directory, as it is shown.
func (m *module) beside(name string) string { return filepath.Join(m.base, name) }

// sortedAttributes lists attributes as they stand in the file.
func sortedAttributes(attrs hcl.Attributes) []*hcl.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hcl.Attribute) int {
		return compareRanges(a.NameRange, b.NameRange)
	})
}

func compareRanges(a, b hcl.Range) int {
	if a.Filename != b.Filename {
		if a.Filename < b.Filename {
			return -1
		}
		return 1
	}
	return a.Start.Byte - b.Start.Byte
}
