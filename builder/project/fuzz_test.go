package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/project"
)

// FuzzRead: whatever a file says, it is read or refused, each problem with its text; and what is read holds together.
func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	for _, name := range []string{"t.json", "web.json", "web.vars.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(shop, "")
	f.Add(shop, "production")
	f.Add(head+"image \"a\" {\n  recipe = \"primal\"\n  source_ami = \"ami-1\"\n  packages = [\"t.json\"]\n}\nimage \"b\" {\n  recipe = \"carnivore\"\n  from = \"a\"\n  app = \".\"\n}\n", "")
	f.Add(head+"image \"a\" {\n  template = \"t.json\"\n  from = \"b\"\n  vars = null\n  only = [null, {}]\n}\nimage \"b\" {\n  template = \"t.json\"\n  from = \"a\"\n}\n", "x")
	f.Add(head+"environment \"e\" {\n  variables = { (env(\"HOME\")) = 1, x = [], y = null }\n  deploy {\n    port = 1e9\n    min = -1\n    subnet_ids = \"x\"\n  }\n}\n", "e")
	f.Fuzz(func(t *testing.T, text, environment string) {
		path := filepath.Join(t.TempDir(), "imago.hcl")
		for _, name := range []string{"t.json", "web.json", "web.vars.json"} {
			if err := os.Symlink(filepath.Join(dir, name), filepath.Join(filepath.Dir(path), name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := project.Read(path, project.Options{Environment: environment, Env: home})
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("a problem without a text")
			}
			return
		}
		seen := map[string]bool{"": true}
		for _, i := range p.Images {
			if !seen[i.From] || seen[i.Name] || (i.Template == "") == (i.Recipe == nil) {
				t.Errorf("%+v", i)
			}
			seen[i.Name] = true
		}
	})
}
