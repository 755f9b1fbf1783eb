package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder/template"
	"github.com/imagobuild/imago/builder/template/upgrade"
)

// TestUpgradeSaysTheSame: what becomes of a JSON template in HCL2 makes the same builds.
func TestUpgradeSaysTheSame(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"primal":     nil,
		"carnivore":  {"SOURCE_ID": "ami-0123456789abcdef0", "NODE_ENV": "production"},
		"everything": nil,
	} {
		t.Run(name, func(t *testing.T) {
			o := options(vars)
			o.Getwd = copied(t, o.Getwd)
			sameWhenUpgraded(t, filepath.Join(o.Getwd, name+".json"), o)
		})
	}
}

// copied is a copy of a directory, to put files into.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// sameWhenUpgraded reads a JSON template, and what becomes of it.
func sameWhenUpgraded(t *testing.T, path string, o template.Options) bool {
	t.Helper()
	want, err := template.Parse(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := o.Vars["splunk_stream_app:"]; ok { // a name that HCL2 does not have
		o.Vars["splunk_stream_app_"] = text
		delete(o.Vars, "splunk_stream_app:")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	result, err := upgrade.Template(path, data, true)
	if err != nil {
		t.Fatal(err)
	}
	hcl := strings.TrimSuffix(path, ".json") + "-upgraded.pkr.hcl"
	if err := os.WriteFile(hcl, result.Text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := template.Parse(hcl, o)
	if err != nil {
		t.Errorf("%v\n%s", err, result.Text)
		return false
	}
	diff := cmp.Diff(unplaced(t, want.Builds), unplaced(t, got.Builds)) + cmp.Diff(want.Sensitive, got.Sensitive)
	if diff != "" {
		t.Errorf("JSON and what became of it differ (-json +hcl):\n%s\n%s", diff, result.Text)
	}
	return diff == ""
}
