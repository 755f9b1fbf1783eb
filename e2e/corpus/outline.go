package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// outline is what inspect should say of an HCL2 template, read without understanding the language: its
// variables, the types of its builders, and how often it has each provisioner. Those two are in the index.
func (e entry) outline() []string {
	var all []string
	for _, file := range e.files() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, m := range variableBlock.FindAllSubmatch(text, -1) {
			all = append(all, "variable "+string(m[1]))
		}
		for _, block := range variablesBlock.FindAll(text, -1) {
			for _, m := range attribute.FindAllSubmatch(block, -1) {
				all = append(all, "variable "+string(m[1]))
			}
		}
	}
	for _, b := range e.builders {
		name, _, _ := strings.Cut(b, "*")
		all = append(all, "builder "+name)
	}
	for _, p := range e.provisioners {
		name, n, found := strings.Cut(p, "*")
		if !found {
			n = "1"
		}
		all = append(all, "provisioner "+name+" "+n)
	}
	slices.Sort(all)
	return all
}

var (
	variableBlock  = regexp.MustCompile(`(?m)^[ \t]*variable[ \t]+"?([\w-]+)"?[ \t]*\{`)
	variablesBlock = regexp.MustCompile(`(?ms)^variables[ \t]*\{.*?^\}`)
	attribute      = regexp.MustCompile(`(?m)^[ \t]+([\w-]+)[ \t]*=`)
)

// outlineOf says the same of inspect's lines.
func outlineOf(lines []string) []string {
	var all []string
	provisioners := map[string]int{}
	for _, line := range lines {
		kind, rest, _ := strings.Cut(line, ",")
		fields := strings.Split(rest, ",")
		switch kind {
		case "variable":
			all = append(all, "variable "+fields[0])
		case "builder":
			all = append(all, "builder "+fields[len(fields)-1])
		case "provisioner":
			provisioners[rest]++
		default:
			all = append(all, line)
		}
	}
	for name, n := range provisioners {
		all = append(all, "provisioner "+name+" "+strconv.Itoa(n))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// files are those of an HCL2 template.
func (e entry) files() []string {
	path := filepath.Join(e.dir, e.template)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}
	}
	var all []string
	names, _ := os.ReadDir(path) // who reads the template says what is wrong with it
	for _, n := range names {
		if strings.HasSuffix(n.Name(), ".pkr.hcl") || strings.HasSuffix(n.Name(), ".pkr.json") {
			all = append(all, filepath.Join(path, n.Name()))
		}
	}
	return all
}
