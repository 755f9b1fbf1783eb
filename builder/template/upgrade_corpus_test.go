package template_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/template"
)

var upgradeCorpus = flag.String("corpus", "", "upgrade the JSON templates of this folder, too")

// TestUpgradeCorpus does it for real templates: all those of a folder that can be read.
func TestUpgradeCorpus(t *testing.T) {
	dir := *upgradeCorpus
	if dir == "" {
		t.Skip("no -corpus")
	}
	same, readable := 0, 0
	for _, row := range indexOf(t, dir) {
		if row["kind"] != "json" {
			continue
		}
		t.Run(row["id"], func(t *testing.T) {
			root := copied(t, filepath.Join(dir, "json", row["id"]))
			o := asIndexed(t, root, row)
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

// indexOf reads the corpus's list of templates, a row each.
func indexOf(t *testing.T, dir string) (rows []map[string]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "index.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[strings.Split(lines[0], "\t")[i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// asIndexed are the options with which the list has a template read whose repository is at root.
func asIndexed(t *testing.T, root string, row map[string]string) template.Options {
	t.Helper()
	o := options(map[string]string{})
	o.Getwd = filepath.Join(root, row["run_cwd"])
	args := strings.Fields(row["args_filled"])
	if len(args) == 0 {
		args = strings.Fields(row["args"])
	}
	for i := 0; i+1 < len(args); i += 2 {
		switch args[i] {
		case "-var":
			name, value, _ := strings.Cut(args[i+1], "=")
			o.Vars[name] = value
		case "-var-file":
			o.VarFiles = append(o.VarFiles, args[i+1])
		default:
			t.Errorf("%s: argument %q is new", row["id"], args[i])
		}
	}
	return o
}
