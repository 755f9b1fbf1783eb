package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entry is one template of the corpus and what Packer said of it.
type entry struct {
	kind, id, repo string // json or hcl
	root           string // its directory in the corpus
	dir            string // where it runs
	template       string // seen from dir

	// What it names: a type, with *3 behind it where it is there three times.
	builders, provisioners, data []string

	inScope    bool
	comparable bool     // Packer 1.16.0 had every component
	args       []string // the variables that have no default
	filled     []string // also those whose default is blank
	complaint  string   // Packer's, if it had one

	said map[string]string // Packer's exit codes, by the name of the column
}

func (e entry) name() string { return e.kind + "/" + e.id }

// has says whether a template names one of some types.
func has(types []string, names ...string) bool {
	return slices.ContainsFunc(types, func(t string) bool {
		t, _, _ = strings.Cut(t, "*")
		return slices.Contains(names, t)
	})
}

// readIndex reads FOLDER/index.tsv, or the entries of it that only names.
func readIndex(folder, only string) ([]entry, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(folder, "index.tsv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	var entries []entry
	for i, record := range records {
		if i == 0 {
			continue
		}
		e, err := readEntry(folder, records[0], record)
		if err != nil {
			return nil, fmt.Errorf("%s, record %d: %w", f.Name(), i+1, err)
		}
		if only == "" || slices.Contains(listed(only), e.name()) {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s: nothing in it is named %s", f.Name(), only)
	}
	return entries, nil
}

func readEntry(folder string, columns, record []string) (entry, error) {
	row := map[string]string{}
	for i, name := range columns {
		if i < len(record) {
			row[name] = record[i]
		}
	}
	root := filepath.Join(folder, row["kind"], row["id"])
	e := entry{
		kind: row["kind"], id: row["id"], repo: row["repo"], complaint: row["error"], said: row,
		root: root, dir: filepath.Join(root, row["run_cwd"]),
		builders: listed(row["builders"]), provisioners: listed(row["provisioners"]), data: listed(row["data_sources"]),
		inScope: row["scope"] == "in", comparable: row["comparable"] == "yes",
	}
	var err error
	if e.template, err = filepath.Rel(e.dir, filepath.Join(root, row["template"])); err != nil {
		return e, err
	}
	if e.args, err = words(row["args"]); err != nil {
		return e, fmt.Errorf("args: %w", err)
	}
	if e.filled, err = words(row["args_filled"]); err != nil {
		return e, fmt.Errorf("args_filled: %w", err)
	}
	if len(e.filled) == 0 {
		e.filled = e.args
	}
	return e, nil
}

// words splits a command line as a shell does, as far as quotes.
func words(line string) (all []string, err error) {
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if inside {
				all = append(all, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote is not closed in %q", line)
	}
	if inside {
		all = append(all, word.String())
	}
	return all, nil
}
