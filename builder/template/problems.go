package template

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/imagobuild/imago/builder/redact"
)

// Error is one thing wrong with a template, and where.
type Error struct {
	File         string // the template or variable file; empty for the command line
	Line, Column int    // from 1, in characters; 0 when the problem has no place
	Text         string // what is wrong, and what would be right

	// Excerpt is the line of the file and one that underlines the place in it. Empty for JSON.
	Excerpt string
}

// Error returns FILE:LINE:COLUMN: TEXT, and the excerpt below it.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Text
	case e.Line == 0:
		return e.File + ": " + e.Text
	}
	text := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
	if e.Excerpt != "" {
		text += "\n" + e.Excerpt
	}
	return text
}

// problems collects what is wrong, so that all of it is told at once.
type problems struct {
	all     []*Error
	sources map[string][]byte // the files to take excerpts from
}

// maxExcerpts is how many problems are shown with their lines. Where there are more, nobody reads on.
const maxExcerpts = 100

// add notes a problem at a place of a file, unless the place knows its own.
func (p *problems) add(file string, at pos, format string, args ...any) {
	file = cmp.Or(at.file, file)
	var source []byte
	if len(p.all) < maxExcerpts {
		source = p.sources[file]
	}
	at = within(source, at)
	p.all = append(p.all, &Error{
		File: file, Line: at.line, Column: at.column, Text: fmt.Sprintf(format, args...),
		Excerpt: excerpt(source, at),
	})
}

// err joins the problems in the order of their places. A provisioner is read
// once for each build, so the same problem may be there twice: it is told once.
//
// What is sensitive is not shown, neither in a message nor in an excerpt.
func (p *problems) err(sensitive []string) error {
	slices.SortStableFunc(p.all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var errs []error
	told := map[Error]bool{}
	secrets := &redact.Redactor{}
	secrets.Hide(sensitive...)
	for _, e := range p.all {
		e.Text, e.Excerpt = secrets.Clean(e.Text), secrets.Clean(e.Excerpt)
		if !told[*e] {
			told[*e] = true
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
}
