package template_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imagobuild/imago/builder/template"
)

// TestCorpus reads real templates, if IMAGO_CORPUS names a directory of them, and
// reports how many can be used and why others cannot. A template whose every
// component is known here and that Packer takes must be taken; but an upload of
// nothing, which Packer finds out during the bake, is refused here.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("IMAGO_CORPUS")
	if dir == "" {
		t.Log("IMAGO_CORPUS is not set: no corpus to read")
		return
	}
	reasons := map[string][]string{}
	all, parsed, inScope, inScopeParsed := 0, 0, 0, 0
	for _, row := range corpusRows(t, filepath.Join(dir, "index.tsv")) {
		if row["kind"] != "json" {
			continue
		}
		all++
		err := parseRow(t, dir, row)
		scope := row["scope"] == "in"
		if scope {
			inScope++
		}
		if err == nil {
			if row["filled"] != "0" && row["comparable"] == "yes" {
				t.Logf("%s %s is taken here, and Packer says %s", row["id"], row["repo"], row["error"])
			}
			parsed++
			if scope {
				inScopeParsed++
			}
			continue
		}
		for _, e := range split(err) {
			key := generalize(e.Text)
			if !slices.Contains(reasons[key], row["id"]) {
				reasons[key] = append(reasons[key], row["id"])
			}
			if scope && row["filled"] == "0" && !strings.HasPrefix(e.Text, "source is empty") {
				t.Errorf("%s %s: Packer takes it: %v", row["id"], row["repo"], e)
			} else if scope {
				t.Logf("%s %s (Packer: %s, filled %s): %v", row["id"], row["repo"], row["validate"], row["filled"], e)
			}
		}
	}
	t.Logf("parsed %d of %d; of those in scope %d of %d", parsed, all, inScopeParsed, inScope)
	keys := make([]string, 0, len(reasons))
	for k := range reasons {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return len(reasons[b]) - len(reasons[a]) })
	for _, k := range keys {
		t.Logf("%3d %s", len(reasons[k]), k)
	}
}

// parseRow reads one template in the way that the index says.
func parseRow(t *testing.T, dir string, row map[string]string) error {
	root := filepath.Join(dir, "json", row["id"])
	cwd := filepath.Join(root, row["run_cwd"])
	o := template.Options{
		Getwd: cwd, Vars: map[string]string{},
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"HOME": "/root", "SSH_AUTH_SOCK": "/run/agent"}[name]
			return v, ok
		},
	}
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
	_, err := template.Parse(filepath.Join(root, row["template"]), o)
	return err
}

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

var quoted = regexp.MustCompile(`"[^"]*"|/\S+`)

func generalize(text string) string {
	return quoted.ReplaceAllString(text, "…")
}

func corpusRows(t *testing.T, path string) []map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			if i < len(record) {
				row[name] = record[i]
			}
		}
		rows = append(rows, row)
	}
	return rows
}
