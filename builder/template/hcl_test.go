package template_test

import (
	"regexp"
	"strings"
	"testing"
	gotemplate "text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/template"
)

// TestSameInBothLanguages: a template says the same in JSON and in HCL2.
func TestSameInBothLanguages(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"primal":     nil,
		"carnivore":  {"SOURCE_ID": "ami-0123456789abcdef0", "NODE_ENV": "production"},
		"everything": nil,
	} {
		t.Run(name, func(t *testing.T) {
			want, err := template.Parse(name+".json", options(vars))
			if err != nil {
				t.Fatal(err)
			}
			got, err := template.Parse(name+".pkr.hcl", options(vars))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(unplaced(t, want.Builds), unplaced(t, got.Builds)); diff != "" {
				t.Errorf("JSON and HCL2 differ (-json +hcl):\n%s", diff)
			}
			if diff := cmp.Diff(want.Sensitive, got.Sensitive); diff != "" {
				t.Errorf("sensitive (-json +hcl):\n%s", diff)
			}
		})
	}
}

var (
	where = regexp.MustCompile(`"Where": ".*"`)
	late  = regexp.MustCompile(`\s*"Late": "a function",`)
)

// unplaced writes builds without what depends on the language: their names, where their steps stand, and whether these
// are read again when the machine is there.
func unplaced(t *testing.T, builds []template.Build) string {
	for i := range builds {
		builds[i].Name, builds[i].Config.Name = "", ""
		named := len(builds) > 1
		if !named {
			builds[i].ScriptName = ""
		}
		for _, s := range builds[i].Config.Steps {
			run, _ := s.(builder.Run)
			for j := range run.Scripts {
				run.Scripts[j].Command = completed(t, run.Scripts[j].Command)
				if !named {
					run.Scripts[j].Env = withoutName(run.Scripts[j].Env)
				}
			}
		}
	}
	return where.ReplaceAllString(late.ReplaceAllString(readable(t, builds), ""), `"Where": ""`)
}

// completed fills in a command, which may be written in more than one way.
func completed(t *testing.T, command string) string {
	t.Helper()
	var out strings.Builder
	c, err := gotemplate.New("").Parse(command)
	if err == nil {
		err = c.Execute(&out, map[string]string{"Path": "PATH", "Vars": "VARS", "EnvVarFile": "FILE"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// withoutName leaves PACKER_BUILD_NAME out: a JSON builder without a name has its type's.
func withoutName(env []string) []string {
	var rest []string
	for _, e := range env {
		if len(e) < len("PACKER_BUILD_NAME") || e[:len("PACKER_BUILD_NAME")] != "PACKER_BUILD_NAME" {
			rest = append(rest, e)
		}
	}
	return rest
}

// TestGoldenHCL holds a directory of files, with most of the language in it, against what it was understood as.
func TestGoldenHCL(t *testing.T) {
	o := options(nil)
	o.Only = []string{"site.amazon-ebs.*"}
	got, err := template.Parse("site", o)
	if err != nil {
		t.Fatal(err)
	}
	isGolden(t, "site", got)
}
