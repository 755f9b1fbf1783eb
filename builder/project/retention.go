package project

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/imagobuild/imago/builder/template"
)

// Retention says which images outlive a prune, for each image and environment: the newest Keep, and those that are
// younger than Days. The zero value keeps everything.
type Retention struct {
	Keep int // 0: none for their number
	Days int // 0: none for their age
}

// All says whether everything is kept.
func (r Retention) All() bool { return r == Retention{} }

// Retention answers which images of a name outlive a prune: what the image's own block says, else what the project's does.
func (p *Project) Retention(image string) Retention {
	for _, i := range p.Images {
		if i.Name == image && i.Retention != nil {
			return *i.Retention
		}
	}
	return p.retention
}

// readRetention reads a retention block; nil when there is none.
func readRetention(doc *template.Document, b *hcl.Block) *Retention {
	if b == nil {
		return nil
	}
	in := open(doc, b, "a retention block", schema([]string{"keep", "days"}, nil))
	if !in.has("keep") && !in.has("days") {
		doc.Problem(b.DefRange, "a retention block needs keep (how many), days (how long), or both")
	}
	return &Retention{Keep: in.number("keep", 0, 1, 1_000_000), Days: in.number("days", 0, 1, 36_500)}
}
