package template_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/template"
)

// TestOptionTable holds the table of options against Packer's list, against what the parser asks for, and against the
// tests there are.
func TestOptionTable(t *testing.T) {
	table := map[string]template.Option{}
	for _, o := range template.OptionTable() {
		if _, twice := table[o.Component+" "+o.Name]; twice {
			t.Errorf("%s of %s is in the table twice", o.Name, o.Component)
		}
		table[o.Component+" "+o.Name] = o
	}
	for _, name := range packersOptions(t) {
		if o, ok := table[name]; !ok || o.Status == "" || o.Test == "" {
			t.Errorf("%s is an option of Packer's, and has here: %+v", name, o)
		}
	}
	asked := askedFor(t)
	for name := range table {
		if !asked[name] && !strings.HasSuffix(name, " override") { // which is put into the others before they are asked for
			t.Errorf("%s is in the table, and the parser does not ask for it", name)
		}
	}
	for name := range asked {
		if _, ok := table[name]; !ok {
			t.Errorf("the parser asks for %s, which is not in the table", name)
		}
	}
	tests := testsThere(t)
	for name, o := range table {
		if top, sub, _ := strings.Cut(o.Test, "/"); !tests[top] || sub != "" && !tests[top+"/"+sub] {
			t.Errorf("%s names the test %s, which is not there", name, o.Test)
		}
		if o.Status == template.Implemented && !isRead(o) {
			t.Errorf("%s has no reading in TestOptionsAreRead", name)
		}
		if o.Differs != "" && o.Test == "TestOptionsAreRead" {
			t.Errorf("%s differs on purpose, and no test shows that an explicit setting is obeyed", name)
		}
		if o.Status != template.Implemented && o.Note == "" {
			t.Errorf("%s is %s without a reason", name, o.Status)
		}
	}
}

// isRead says whether TestOptionsAreRead has an option: by its name, or in the text of the one that it is below.
func isRead(o template.Option) bool {
	if kind, step := strings.CutPrefix(o.Component, "provisioner "); step {
		_, ok := stepReadings()[kind+" "+o.Name]
		return ok
	}
	all := readings()
	maps.Copy(all, sshReadings())
	if o.Component == "builder amazon-ebs" {
		r, ok := all[o.Name]
		return ok && strings.Contains(r.text, fmt.Sprintf("%q:", o.Name))
	}
	for name, r := range all {
		if (name == o.Component || strings.Contains(r.text, fmt.Sprintf("%q: ", o.Component))) && strings.Contains(r.text, fmt.Sprintf("%q:", o.Name)) {
			return true
		}
	}
	return false
}

// packersOptions lists the options of Packer's documentation: in each line of a file a component, and its options.
func packersOptions(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/packer-options.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		component, names, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		for name := range strings.FieldsSeq(names) {
			all = append(all, component+" "+name)
		}
	}
	return all
}

// askedFor is what the parser asks for while all of it is read, by component and option.
func askedFor(t *testing.T) map[string]bool {
	t.Helper()
	asked, components := map[string]bool{}, map[string]bool{}
	for _, o := range template.OptionTable() {
		components[o.Component] = true
	}
	watch := func(o *template.Options) {
		o.Check = true
		template.Watch(o, func(component string, names map[string]bool) {
			for name := range names {
				if components[component] && name != "type" && (name != "name" || !strings.Contains(component, " ")) {
					asked[component+" "+name] = true
				}
			}
		})
	}
	all := readings()
	maps.Copy(all, sshReadings())
	all["fast_launch"] = reading{text: `"fast_launch": {"region_launch_templates": [{}]}`}
	all["vault_aws_engine"] = reading{text: `"vault_aws_engine": {}`}
	for _, r := range all {
		if _, _, err := read(t, r.text, "", watch); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range stepReadings() {
		if _, _, err := read(t, "", r.text, watch); err != nil {
			t.Fatal(err)
		}
	}
	return asked
}

// testsThere are the tests of the whole module, and all string literals in their files as names of tests below them.
func testsThere(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		var tests, texts []string
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && strings.HasPrefix(n.Name.Name, "Test") {
					tests = append(tests, n.Name.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					texts = append(texts, strings.Trim(n.Value, "\"`"))
				}
			}
			return true
		})
		for _, test := range tests {
			there[test] = true
			for _, text := range texts {
				there[test+"/"+text] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}
