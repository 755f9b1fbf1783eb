package funcs

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileSet lists the files below a directory whose paths match a pattern: * and ? within a name, ** over any number of
// directories, {a,b} for alternatives, [a-z] for characters.
func (s Surroundings) fileSet() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("path", cty.String), param("pattern", cty.String)},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			found, err := glob(s.absolute(args[0].AsString()), args[1].AsString())
			if err != nil || len(found) == 0 {
				return cty.SetValEmpty(cty.String), err
			}
			var all []cty.Value
			for _, f := range found {
				all = append(all, cty.StringVal(f))
			}
			return cty.SetVal(all), nil
		},
	})
}

// maxFiles is how many files and directories are looked at.
const maxFiles = 100_000

func glob(root, pattern string) ([]string, error) {
	patterns, err := alternatives(pattern)
	if err != nil {
		return nil, err
	}
	var found []string
	seen := 0
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if seen++; seen > maxFiles {
			return fmt.Errorf("%s holds more than %d files", root, maxFiles)
		}
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		below = filepath.ToSlash(below)
		for _, p := range patterns {
			ok, err := matchParts(strings.Split(p, "/"), strings.Split(below, "/"))
			if err != nil {
				return fmt.Errorf("%q is no pattern: %w", pattern, err)
			}
			if ok {
				found = append(found, below)
				break
			}
		}
		return nil
	})
	return found, err
}

// matchParts matches a path part by part; ** stands for any number of them.
func matchParts(pattern, parts []string) (bool, error) {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(parts) + 1 {
				if ok, err := matchParts(pattern[1:], parts[i:]); ok || err != nil {
					return ok, err
				}
			}
			return false, nil
		}
		if len(parts) == 0 {
			return false, nil
		}
		if ok, err := path.Match(pattern[0], parts[0]); !ok || err != nil {
			return false, err
		}
		pattern, parts = pattern[1:], parts[1:]
	}
	return len(parts) == 0, nil
}

// maxAlternatives is how many patterns one with braces may stand for.
const maxAlternatives = 1000

// alternatives writes {a,b} out.
func alternatives(pattern string) ([]string, error) {
	all := []string{pattern}
	for {
		var next []string
		expanded := false
		for _, p := range all {
			before, choices, after, ok := innermostBraces(p)
			if !ok {
				next = append(next, p)
				continue
			}
			expanded = true
			for c := range strings.SplitSeq(choices, ",") {
				next = append(next, before+c+after)
			}
		}
		if all = next; len(all) > maxAlternatives {
			return nil, fmt.Errorf("%q stands for more than %d patterns", pattern, maxAlternatives)
		}
		if !expanded {
			return all, nil
		}
	}
}

// innermostBraces finds the first pair of braces with none inside.
func innermostBraces(p string) (before, choices, after string, ok bool) {
	end := strings.IndexByte(p, '}')
	if end < 0 {
		return "", "", "", false
	}
	start := strings.LastIndexByte(p[:end], '{')
	if start < 0 {
		return "", "", "", false
	}
	return p[:start], p[start+1 : end], p[end+1:], true
}
