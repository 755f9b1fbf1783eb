package template

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// contentOf reads a body that may hold what the schema lists and nothing else.
func (p *parser) contentOf(body hcl.Body, schema *hcl.BodySchema, what string) *hcl.BodyContent {
	content, diags := body.Content(schema)
	var arguments, blocks []string
	for _, a := range schema.Attributes {
		arguments = append(arguments, a.Name)
	}
	for _, b := range schema.Blocks {
		blocks = append(blocks, b.Type)
	}
	p.diagnoseShape(diags, what, arguments, blocks)
	return content
}

// diagnoseShape tells what is wrong with the shape of a body, and which of the known names may be meant.
func (p *parser) diagnoseShape(diags hcl.Diagnostics, what string, arguments, blocks []string) {
	for _, d := range diags {
		name := ""
		if d.Subject != nil {
			name = string(d.Subject.SliceBytes(p.problems.sources[d.Subject.Filename]))
			name = strings.Trim(name, `"`)
		}
		switch {
		case d.Summary == "Unsupported argument" && name != "":
			if arguments != nil { // else those who read them tell
				p.problem(posOf(*d.Subject), "%s has no argument %q%s", what, name, didYouMean(name, append(arguments, blocks...)))
			}
		case d.Summary == "Unsupported block type" && name != "":
			hint := didYouMean(name, blocks)
			if near := nearest(name, blocks); near == "" || strings.HasPrefix(name, near) {
				hint = "; an argument is written " + name + " = …"
			}
			p.problem(posOf(*d.Subject), "%s has no block %q%s", what, name, hint)
		default:
			p.diagnose(hcl.Diagnostics{d})
		}
	}
}
