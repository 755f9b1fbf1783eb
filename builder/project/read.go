package project

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/imagobuild/imago/builder/template"
)

// block is a block of the file, or its top, whose arguments are read one by one.
type block struct {
	doc    *template.Document
	what   string // for messages: "an image block"
	at     hcl.Range
	attrs  hcl.Attributes
	blocks hcl.Blocks
}

// open reads the shape of a block.
func open(doc *template.Document, b *hcl.Block, what string, schema *hcl.BodySchema) block {
	content := doc.Content(b.Body, schema, what)
	return block{doc, what, b.DefRange, content.Attributes, content.Blocks}
}

// schema lists arguments, and blocks that have no labels.
func schema(arguments, blocks []string) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, name := range arguments {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, name := range blocks {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: name})
	}
	return s
}

// has says whether an argument is written.
func (b block) has(name string) bool { return b.attrs[name] != nil }

// place is where an argument's value stands, or the block's head.
func (b block) place(name string) hcl.Range {
	if a := b.attrs[name]; a != nil {
		return a.Expr.Range()
	}
	return b.at
}

// wrong says what is wrong with an argument.
func (b block) wrong(name, format string, args ...any) {
	b.doc.Problem(b.place(name), name+" "+format, args...)
}

// one returns the only block of a kind, if there is one. Another one is refused.
func (b block) one(kind string) *hcl.Block {
	all := b.blocks.OfType(kind)
	for _, more := range all[min(1, len(all)):] {
		b.doc.Problem(more.DefRange, "%s has one %s block; the first is at line %d", b.what, kind, all[0].DefRange.Start.Line)
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// value evaluates an argument, as a type that words name. It is not ok when the argument is missing, null, or wrong.
func (b block) value(name string, t cty.Type, words string) (cty.Value, bool) {
	a := b.attrs[name]
	if a == nil {
		return cty.NilVal, false
	}
	v, ok := b.doc.Value(a.Expr)
	if !ok || !v.IsWhollyKnown() || v.IsNull() {
		return cty.NilVal, false
	}
	out, err := convert.Convert(v, t)
	if err != nil || out.IsNull() {
		b.wrong(name, "must be %s", words)
		return cty.NilVal, false
	}
	return out, true
}

// text is an argument that is a text, which may not be empty when it is written.
func (b block) text(name string) string {
	v, ok := b.value(name, cty.String, "a string")
	if !ok {
		return ""
	}
	text := v.AsString()
	if text == "" {
		b.wrong(name, "is empty")
	}
	return text
}

// number is a whole number from least to most, or usual.
func (b block) number(name string, usual, least, most int) int {
	v, ok := b.value(name, cty.Number, "a number")
	if !ok {
		return usual
	}
	f := v.AsBigFloat()
	n, _ := f.Int64()
	if !f.IsInt() || n < int64(least) || n > int64(most) {
		b.wrong(name, "is %s; it must be a whole number from %d to %d", f.Text('f', -1), least, most)
		return usual
	}
	return int(n)
}

// duration is a time such as 30m, or usual.
func (b block) duration(name string, usual time.Duration) time.Duration {
	text := b.text(name)
	if text == "" {
		return usual
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		b.wrong(name, "is %q; it must be a time such as 30m, 1h30m or 0s", text)
		return usual
	}
	return d
}

// texts is a list of texts.
func (b block) texts(name string) (all []string) {
	v, ok := b.value(name, cty.List(cty.String), "a list of strings")
	if !ok {
		return nil
	}
	for _, e := range v.AsValueSlice() {
		if e.IsNull() || e.AsString() == "" {
			b.wrong(name, "has an empty string in it")
			continue
		}
		all = append(all, e.AsString())
	}
	return all
}

// pairs is an object of texts. Lists and objects in it become JSON, which HCL2 templates read.
func (b block) pairs(name string) map[string]string {
	a := b.attrs[name]
	if a == nil {
		return nil
	}
	v, ok := b.doc.Value(a.Expr)
	if !ok || !v.IsWhollyKnown() || v.IsNull() {
		return nil
	}
	if !v.CanIterateElements() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		b.wrong(name, "must be an object such as { NAME = \"value\" }")
		return nil
	}
	all := map[string]string{}
	for key, value := range v.AsValueMap() {
		if value.IsNull() {
			continue // as if it were not written
		}
		all[key] = asText(value)
	}
	return all
}

// asText writes a value as a command line has it.
func asText(v cty.Value) string {
	if text, err := convert.Convert(v, cty.String); err == nil {
		return text.AsString()
	}
	text, err := stdlib.JSONEncode(v)
	if err != nil {
		return ""
	}
	return text.AsString()
}

// fits says whether a name can be in tags, file names and command lines.
func fits(name string) bool {
	const first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= 64 && strings.Trim(name, first+"_.-") == "" && strings.Contains(first, name[:1])
}

// namesRule says what fits wants.
const namesRule = "a name has 1 to 64 letters, digits, and _ . -, a letter or digit first"
