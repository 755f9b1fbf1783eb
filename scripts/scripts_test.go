package scripts_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/scripts"
)

func project(t *testing.T) []scripts.File {
	t.Helper()
	files, err := scripts.Project("shop")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// write puts the project's files below a new directory.
func write(t *testing.T, files []scripts.File) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, f := range files {
		file := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Content, f.Mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProjectFiles(t *testing.T) {
	got := map[string]fs.FileMode{}
	for _, f := range project(t) {
		got[f.Path] = f.Mode
	}
	want := map[string]fs.FileMode{
		"README.md":                             0o644,
		"app/cluster.js":                        0o644,
		"deploy/env/development.json":           0o644,
		"deploy/env/production.json":            0o644,
		"deploy/env/staging.json":               0o644,
		"deploy/mailtube/app.init":              0o755,
		"deploy/mailtube/app.service":           0o644,
		"deploy/mailtube/http-redirect":         0o755,
		"deploy/mailtube/http-redirect.service": 0o644,
		"deploy/mailtube/image-header":          0o755,
		"deploy/mailtube/image-header.service":  0o644,
		"deploy/mailtube/nginx.conf":            0o644,
		"deploy/mailtube/package.json":          0o644,
		"deploy/mailtube/site.conf":             0o644,
		"deploy/mailtube/sysctl.conf":           0o644,
		"deploy/templates/carnivore":            0o755,
		"deploy/templates/carnivore.json":       0o644,
		"deploy/templates/primal":               0o755,
		"deploy/templates/primal.json":          0o644,
		"imago.hcl":                             0o644,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestProjectCarriesItsName(t *testing.T) {
	for _, f := range project(t) {
		if strings.Contains(string(f.Content), "{APP}") {
			t.Errorf("%s: {APP} is not filled in", f.Path)
		}
		if path.Ext(f.Path) == ".json" && !json.Valid(f.Content) {
			t.Errorf("%s is not JSON", f.Path)
		}
	}
}

func TestProjectRefusesNames(t *testing.T) {
	for _, name := range []string{"", "Shop", "1shop", "my shop", "../shop", "shop_1", "-shop", "shöp", "shop\n", strings.Repeat("a", 41)} {
		files, err := scripts.Project(name)
		if err == nil || files != nil {
			t.Errorf("Project(%q) = %d files, %v; want an error", name, len(files), err)
		}
	}
	for _, name := range []string{"s", "shop-2", strings.Repeat("a", 40)} {
		if _, err := scripts.Project(name); err != nil {
			t.Error(err)
		}
	}
}

// A manifest hands its script every variable that the script reads, and a script
// that begins with sudo takes each of them along.
func TestManifestsAndScriptsAgree(t *testing.T) {
	contents := map[string]string{}
	for _, f := range project(t) {
		contents[f.Path] = string(f.Content)
	}
	for _, name := range []string{"primal", "carnivore"} {
		var manifest struct {
			Variables    map[string]*string
			Provisioners []struct {
				Type, Script string
				Vars         []string `json:"environment_vars"`
			}
		}
		if err := json.Unmarshal([]byte(contents["deploy/templates/"+name+".json"]), &manifest); err != nil {
			t.Fatal(err)
		}
		shell := manifest.Provisioners[len(manifest.Provisioners)-1]
		if want := "deploy/templates/" + name; shell.Type != "shell" || shell.Script != want {
			t.Errorf("%s.json ends with %s %q, want the script %s", name, shell.Type, shell.Script, want)
		}
		script := contents["deploy/templates/"+name]
		for _, v := range shell.Vars {
			key, value, _ := strings.Cut(v, "=")
			if !regexp.MustCompile(`(?s)readonly inputs=\([^)]*\b` + key + `\b`).MatchString(script) {
				t.Errorf("%s: the manifest gives %s, which is not among the script's inputs", name, key)
			}
			for _, used := range regexp.MustCompile("user `([^`]+)`").FindAllStringSubmatch(value, -1) {
				if _, ok := manifest.Variables[used[1]]; !ok {
					t.Errorf("%s.json uses the variable %s and does not declare it", name, used[1])
				}
			}
		}
	}
}

func TestCarnivoreNeedsASource(t *testing.T) {
	for _, f := range project(t) {
		if f.Path == "deploy/templates/carnivore.json" && !strings.Contains(string(f.Content), `"SOURCE_ID": null`) {
			t.Error("carnivore.json: SOURCE_ID has a default")
		}
	}
}

// shells are the project's files that a shell runs, by the shell that does.
func shells(t *testing.T) (dir string, byShell map[string][]string) {
	t.Helper()
	files := project(t)
	dir, byShell = write(t, files), map[string][]string{}
	for _, f := range files {
		first, _, _ := strings.Cut(string(f.Content), "\n")
		switch first {
		case "#!/usr/bin/env bash":
			byShell["bash"] = append(byShell["bash"], f.Path)
		case "#!/bin/sh":
			byShell["sh"] = append(byShell["sh"], f.Path)
		}
	}
	return dir, byShell
}

func TestShellSyntax(t *testing.T) {
	dir, byShell := shells(t)
	want := map[string][]string{
		"bash": {"deploy/templates/carnivore", "deploy/templates/primal"},
		"sh":   {"deploy/mailtube/app.init", "deploy/mailtube/http-redirect", "deploy/mailtube/image-header"},
	}
	if diff := cmp.Diff(want, byShell); diff != "" {
		t.Fatalf("scripts (-want +got):\n%s", diff)
	}
	for shell, files := range byShell {
		for _, f := range files {
			run(t, dir, shell, "-n", f)
			run(t, dir, "shellcheck", f)
		}
	}
}

// What the scripts promise of themselves.
func TestScriptHabits(t *testing.T) {
	for _, f := range project(t) {
		body := string(f.Content)
		if strings.HasPrefix(body, "#!/usr/bin/env bash") && !strings.Contains(body, "\nset -euo pipefail\n") {
			t.Errorf("%s: no set -euo pipefail", f.Path)
		}
		if strings.Contains(body, "apt-key") {
			t.Errorf("%s: apt-key is gone from Debian", f.Path)
		}
	}
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}
