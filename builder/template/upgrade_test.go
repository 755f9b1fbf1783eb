package template_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

// TestUpgradeCorpus does it for real templates, if IMAGO_CORPUS names a directory of them: all those that can be read.
func TestUpgradeCorpus(t *testing.T) {
	dir := os.Getenv("IMAGO_CORPUS")
	if dir == "" {
		t.Log("IMAGO_CORPUS is not set: no corpus to read")
		return
	}
	same, readable := 0, 0
	for _, row := range corpusRows(t, filepath.Join(dir, "index.tsv")) {
		if row["kind"] != "json" {
			continue
		}
		t.Run(row["id"], func(t *testing.T) {
			root := copied(t, filepath.Join(dir, "json", row["id"]))
			o := rowOptions(t, root, row)
			o.Now, o.Seed = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), "seed"
			path := filepath.Join(root, row["template"])
			if _, err := template.Parse(path, o); err != nil {
				leaveOut(t, path)
			}
			parsed, err := template.Parse(path, o)
			if err != nil {
				t.Skip(err)
			}
			rename(t, path, parsed.Builds)
			readable++
			if sameWhenUpgraded(t, path, o) {
				same++
			}
		})
	}
	t.Logf("%d of %d templates that can be read are the same in HCL2", same, readable)
}

// leaveOut takes out of a JSON template what is not supported.
func leaveOut(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Skip(err)
	}
	for _, section := range []string{"builders", "provisioners", "post-processors"} {
		list, _ := root[section].([]any)
		root[section] = slices.DeleteFunc(list, func(v any) bool {
			o, _ := v.(map[string]any)
			kind, _ := o["type"].(string)
			return !template.Supported(kind)
		})
	}
	if data, err = json.Marshal(root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
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

// rename gives builds names that HCL2 has letters for.
func rename(t *testing.T, path string, builds []template.Build) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, b := range builds {
		text = strings.ReplaceAll(text, strconv.Quote(b.Name), strconv.Quote(strings.NewReplacer(" ", "_", ".", "_").Replace(b.Name)))
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
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
