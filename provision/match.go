package provision

import (
	"fmt"
	"path"
	"strings"
)

// match reports whether pattern matches name whole. Both are slash-separated; **
// stands for any number of elements, none included.
func match(pattern, name string) bool {
	return matchElements(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchElements(pattern, name []string) bool {
	for len(pattern) > 0 && pattern[0] != "**" {
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	if len(pattern) == 0 {
		return len(name) == 0
	}
	for skip := 0; skip <= len(name); skip++ {
		if matchElements(pattern[1:], name[skip:]) {
			return true
		}
	}
	return false
}

// checkPatterns returns an error for each pattern that could never match as meant.
func checkPatterns(field string, patterns []string) []error {
	var problems []error
	for _, p := range patterns {
		_, err := path.Match(p, "")
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s pattern %q: %w", field, p, err))
		case p == "" || strings.HasPrefix(p, "/"):
			problems = append(problems, fmt.Errorf("%s pattern %q: patterns are relative to the source and not empty", field, p))
		}
	}
	return problems
}

// matchAny reports whether a pattern matches name. A trailing slash on a pattern is not looked at.
func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(strings.TrimSuffix(p, "/"), name) {
			return true
		}
	}
	return false
}
