// Package format writes HCL2 templates and variable files in the canonical
// form: indentation, blanks around equals signs, and these below one another.
package format

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/imagobuild/imago/builder/template"
)

// passes is how often a text is formatted at most, until it stays the same: what one
// pass moves to another line is indented by the next.
const passes = 8

// Source returns src in the canonical form. name is for messages. A text that
// cannot be read is an error that says where.
func Source(name string, src []byte) ([]byte, error) {
	if why := template.TooMuch(src); why != "" {
		return nil, fmt.Errorf("%s: the file %s", name, why)
	}
	if _, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos); diags.HasErrors() {
		return nil, mistakes(diags)
	}
	for range passes {
		out := layOut(src)
		if bytes.Equal(out, src) {
			break
		}
		src = out
	}
	return src, nil
}

// mistakes puts what the reader found into one error.
func mistakes(diags hcl.Diagnostics) error {
	var lines []string
	for _, d := range diags.Errs() {
		d := d.(*hcl.Diagnostic)
		at := d.Subject.Start
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s: %s", d.Subject.Filename, at.Line, at.Column, d.Summary, d.Detail))
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// Files lists the files that a path stands for: itself, or the templates,
// variable files and project file of a directory, with recursive also those of the directories in
// it, but for hidden ones.
func Files(path string, recursive bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if filepath.Ext(path) != ".hcl" {
			return nil, fmt.Errorf("%s is not HCL: its name must end in .pkr.hcl or .pkrvars.hcl (JSON has no canonical form)", path)
		}
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && p != path && (!recursive || strings.HasPrefix(e.Name(), ".")):
			return fs.SkipDir
		case !e.IsDir() && ours(e.Name()):
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

// ours says whether a directory's file is formatted with it: templates, variable files, and a project's file.
func ours(name string) bool {
	ends := func(ending string) bool { return strings.HasSuffix(name, ending) }
	return !strings.HasPrefix(name, ".") && (ends(".pkr.hcl") || ends(".pkrvars.hcl") || name == "imago.hcl")
}
