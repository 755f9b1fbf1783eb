package template_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
)

// hclBake is a good template: what else the source has stands from line 7 on, and what follows the build from line 12 on.
func hclBake(sourceOptions, buildBlocks, rest string) string {
	return fmt.Sprintf(`source "amazon-ebs" "web" {
  region        = "us-east-1"
  source_ami    = "ami-1"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "name"
%s
}
build {
  sources = ["source.amazon-ebs.web"]
%s
}
%s
`, sourceOptions, buildBlocks, rest)
}

// parseHCL writes files to a new directory and parses it.
func parseHCL(t *testing.T, files map[string]string, change func(*template.Options)) (*template.Template, error) {
	t.Helper()
	o := options(nil)
	o.Getwd = t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(o.Getwd, name), text)
	}
	if change != nil {
		change(&o)
	}
	got, err := template.Parse(".", o)
	if err != nil {
		err = fmt.Errorf("%s", strings.ReplaceAll(err.Error(), o.Getwd, "CWD"))
	}
	return got, err
}

// TestDiagnostics holds what is said of mistakes, with the line that is shown below it.
func TestDiagnostics(t *testing.T) {
	for _, tt := range badHCL() {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			if tt.text != "" {
				files["t.pkr.hcl"] = tt.text
			}
			for name, text := range tt.files {
				files[name] = text
			}
			_, err := parseHCL(t, files, func(o *template.Options) {
				o.Only, o.Except, o.Vars, o.VarFiles = tt.only, tt.except, tt.vars, tt.varFiles
				if tt.env != nil {
					o.Env = func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }
				}
			})
			if err == nil {
				t.Fatal("it was taken")
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), err.Error()+"\n"); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}
