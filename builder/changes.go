package builder

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imagobuild/imago/provision"
)

// changes says which inputs differ.
func (b *Builder) changes(p Plan, old record, fingerprint string) (all []string) {
	for i := range fixedParts {
		was, is := old.Parts[i], p.Parts[i]
		switch {
		case was.Digest == is.Digest:
		case i == sourcePart:
			all = append(all, fmt.Sprintf("source image: it was %s, and is %s", old.Source, p.Source.ID))
		default:
			all = append(all, partChanges(is.Title, was, is, nil)...)
		}
	}
	files := func(was, is int, name string) []string { return b.fileChanges(p, fingerprint, was, is, name) }
	return append(all, stepChanges(old.Parts[fixedParts:], p.Parts[fixedParts:], files)...)
}

// stepChanges aligns the steps: those that are the same at both ends are, and of
// the ones between, as many as there are on both sides are taken to have changed.
func stepChanges(was, is []Part, files func(was, is int, name string) []string) (all []string) {
	same := func(a, b Part) bool { return a.Digest == b.Digest }
	head := 0
	for head < min(len(was), len(is)) && same(was[head], is[head]) {
		head++
	}
	tail := 0
	for tail < min(len(was), len(is))-head && same(was[len(was)-1-tail], is[len(is)-1-tail]) {
		tail++
	}
	for i := head; i < max(len(was), len(is))-tail; i++ {
		switch {
		case i >= len(is)-tail:
			all = append(all, removedStep(was[i]))
		case i >= len(was)-tail:
			all = append(all, is[i].Title+": new")
		case !same(was[i], is[i]):
			all = append(all, partChanges(is[i].Title, was[i], is[i], func(name string) []string { return files(i, i, name) })...)
		}
	}
	return all
}

func removedStep(was Part) string {
	if was.Title == "" {
		return "a step is gone"
	}
	return "was " + was.Title + ": gone"
}

// partChanges says which inputs of one part differ.
func partChanges(title string, was, is Part, files func(name string) []string) (all []string) {
	if len(was.Inputs) == 0 {
		return []string{title + ": changed"}
	}
	find := func(p Part, name string) (Input, bool) {
		i := slices.IndexFunc(p.Inputs, func(in Input) bool { return in.Name == name })
		if i < 0 {
			return Input{}, false
		}
		return p.Inputs[i], true
	}
	for _, in := range is.Inputs {
		old, found := find(was, in.Name)
		switch {
		case !found:
			all = append(all, fmt.Sprintf("%s: %s: new", title, in.Name))
		case old.Digest == in.Digest:
		case files != nil && strings.HasPrefix(in.Name, treePrefix):
			all = append(all, prefixed(title+": ", files(in.Name))...)
		default:
			all = append(all, fmt.Sprintf("%s: %s: changed", title, in.Name))
		}
	}
	for _, in := range was.Inputs {
		if _, found := find(is, in.Name); !found {
			all = append(all, fmt.Sprintf("%s: %s: gone", title, in.Name))
		}
	}
	if len(all) == 0 { // the order, of what has no name of its own
		all = append(all, title+": changed")
	}
	return all
}

func prefixed(prefix string, all []string) (out []string) {
	for _, s := range all {
		out = append(out, prefix+s)
	}
	return out
}

// mostFiles bounds how many files of a tree are named.
const mostFiles = 20

// fileChanges says which files of a step's trees of that name differ.
func (b *Builder) fileChanges(p Plan, fingerprint string, was, is int, name string) (all []string) {
	for j, t := range uploads(p.Config.Steps[is]) {
		if treeInput(t, t.Dest) != name {
			continue
		}
		old := filepath.Join(b.recordDir(fingerprint), treeFile(was, j))
		changes, count, err := provision.Changes(old, b.knownFile(t), mostFiles)
		if err != nil {
			continue
		}
		for _, c := range changes {
			c.Name = cmp.Or(c.Name, filepath.Base(t.Source))
			all = append(all, c.String())
		}
		if count > len(changes) {
			all = append(all, fmt.Sprintf("and %d files more", count-len(changes)))
		}
	}
	if len(all) == 0 {
		all = []string{name + ": changed"}
	}
	return all
}
