package template_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagobuild/imago/builder/template"
)

// FuzzHCL reads anything as a template in both syntaxes: no panic, no hang, and whatever is said has a place in the text.
func FuzzHCL(f *testing.F) {
	for _, name := range []string{"primal.pkr.hcl", "carnivore.pkr.hcl", "everything.pkr.hcl", "site/build.pkr.hcl", "site/variables.pkr.hcl"} {
		text, err := os.ReadFile(filepath.Join("testdata/project", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{
		hclBake("", "", asking), hclBake("  tags = { for k, v in { a = 1 } : k => v... }", "", "locals { x = 1e9999 }"),
		"locals {\n  x = \"%{ for i in range(3) }${i}%{ endfor }\"\n  y = <<-EOT\n    a\n  EOT\n}\n", "build {\n  dynamic \"source\" {\n    for_each = []\n  }\n}\n",
		`{"build": {"sources": "${[]}"}, "locals": [{"a": "${a}"}], "variable": {"x": {"type": "object({a=optional(string)})"}}}`, "\t\t",
	} {
		f.Add(text)
	}
	o := options(nil)
	o.Getwd = f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"t.pkr.hcl", "t.pkr.json"} {
			if err := os.WriteFile(filepath.Join(o.Getwd, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, inspect := range []bool{false, true} {
				o.Inspect = inspect
				_, err := template.Parse(name, o)
				checkPlaces(t, text, err)
			}
		}
	})
}

func checkPlaces(t *testing.T, text string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, e := range split(err) {
		if e.Line < 0 || e.Column < 0 || e.Column > len(text)+2 {
			t.Errorf("the place of %v is outside the text", e)
		}
	}
}

// split takes a joined error apart.
func split(err error) []*template.Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*template.Error
		for _, e := range joined.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	var e *template.Error
	if !errors.As(err, &e) {
		return []*template.Error{{Text: err.Error()}}
	}
	return []*template.Error{e}
}
