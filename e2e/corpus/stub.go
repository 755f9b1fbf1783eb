package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stubs is what stands in for the scripts of a template: the same everywhere in it.
type stubs struct {
	line  string // of an inline script on the machine
	local string // of one on this side
}

// plainStubs do nothing.
func plainStubs() stubs { return stubs{line: "true", local: "true"} }

// apply writes the stubs into the copy of a template: inline scripts become the line, and script files, which are
// empty in the corpus, get it as their text. Pauses become short. All else stays as it is.
func (s stubs) apply(e entry, root string) error {
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		stub := len(text) == 0 || string(text) == plainStubs().script()
		if err != nil || !stub || slices.Contains([]string{".json", ".hcl", ".yml", ".yaml", ".pem"}, filepath.Ext(path)) {
			return err
		}
		return os.WriteFile(path, []byte(s.script()), 0o755)
	})
	if err != nil {
		return err
	}
	files := e.files()
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if e.kind == "json" || strings.HasSuffix(path, ".pkr.json") {
			text, err = s.json(text)
		} else {
			text, err = s.hcl(path, text)
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// script is a script file.
func (s stubs) script() string { return "#!/bin/sh\n" + s.line + "\n" }

// json puts stubs into a JSON template.
func (s stubs) json(text []byte) ([]byte, error) {
	var root map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return nil, err
	}
	for _, section := range []string{"provisioners", "post-processors"} {
		s.steps(root[section])
	}
	if one, ok := root["error-cleanup-provisioner"]; ok {
		s.steps([]any{one})
	}
	var out bytes.Buffer
	w := json.NewEncoder(&out)
	w.SetEscapeHTML(false)
	w.SetIndent("", "  ")
	err := w.Encode(root)
	return out.Bytes(), err
}

func (s stubs) steps(list any) {
	all, _ := list.([]any)
	for _, one := range all {
		if step, ok := one.(map[string]any); ok {
			s.step(step)
		} else {
			s.steps(one) // a sequence of post-processors
		}
	}
}

// step puts stubs into one provisioner or post-processor.
func (s stubs) step(step map[string]any) {
	if _, ok := step["pause_before"]; ok {
		step["pause_before"] = "1s"
	}
	line := s.line
	if step["type"] == "shell-local" {
		line = s.local
	}
	for _, name := range []string{"inline", "command"} {
		if _, ok := step[name]; ok {
			step[name] = map[string]any{"inline": []any{line}, "command": line}[name]
		}
	}
}
