package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// accepted has the differences that are on purpose: who objects, in which families,
// a pattern for what it says, and why imago is right.
//
//go:embed accepted.tsv
var accepted string

// reason is a line of accepted.tsv.
type reason struct {
	who          string // packer or imago: the one that objects
	family, text *regexp.Regexp
	why          string
}

func acceptedReasons() (all []reason, err error) {
	for i, line := range strings.Split(accepted, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 || f[0] != "packer" && f[0] != "imago" {
			return nil, fmt.Errorf("accepted.tsv:%d: want packer or imago, a pattern for the family, one for the text, and a reason, with tabs between", i+1)
		}
		r := reason{who: f[0], why: f[3]}
		if r.family, err = regexp.Compile(f[1]); err == nil {
			r.text, err = regexp.Compile(f[2])
		}
		if err != nil {
			return nil, fmt.Errorf("accepted.tsv:%d: %w", i+1, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// explain finds out why one objects to a template and the other does not. Each of
// imago's problems needs a reason of its own.
func explain(reasons []reason, e entry, packerTakes bool, stderr string) string {
	if !packerTakes {
		return why(reasons, "packer", e.family(), e.complaint)
	}
	var all []string
	for _, text := range messages(stderr) {
		because := why(reasons, "imago", e.family(), text)
		if because == "" {
			return ""
		}
		if !slices.Contains(all, because) {
			all = append(all, because)
		}
	}
	return strings.Join(all, "; ")
}

func why(reasons []reason, who, family, text string) string {
	for _, r := range reasons {
		if r.who == who && r.family.MatchString(family) && r.text.MatchString(text) {
			return r.why
		}
	}
	return ""
}
