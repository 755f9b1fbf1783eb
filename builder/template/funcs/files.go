package funcs

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func (s Surroundings) files() map[string]function.Function {
	return map[string]function.Function{
		"abspath":    ofText(func(a []string) (string, error) { return filepath.ToSlash(s.absolute(a[0])), nil }, "path"),
		"basename":   ofText(func(a []string) (string, error) { return filepath.Base(a[0]), nil }, "path"),
		"dirname":    ofText(func(a []string) (string, error) { return filepath.Dir(a[0]), nil }, "path"),
		"pathexpand": ofText(func(a []string) (string, error) { return s.expand(a[0]), nil }, "path"),
		"file":       ofText(func(a []string) (string, error) { return s.text(a[0]) }, "path"),
		"filebase64": ofText(func(a []string) (string, error) {
			data, err := s.read(a[0])
			return base64.StdEncoding.EncodeToString(data), err
		}, "path"),
		"fileexists": s.fileExists(), "fileset": s.fileSet(),
	}
}

// expand replaces a leading ~ by the home directory.
func (s Surroundings) expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && s.Home != "" && (rest == "" || rest[0] == '/') {
		return filepath.Join(s.Home, rest)
	}
	return path
}

func (s Surroundings) absolute(path string) string {
	if path = s.expand(path); !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	return filepath.Clean(path)
}

// maxFile is what a function reads of a file at most.
const maxFile = 64 << 20

func (s Surroundings) read(path string) ([]byte, error) {
	full := s.absolute(path)
	info, err := os.Stat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s in %s", path, s.Dir)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes, and may have %d", path, info.Size(), maxFile)
	}
	return os.ReadFile(full)
}

func (s Surroundings) text(path string) (string, error) {
	data, err := s.read(path)
	if err == nil && !utf8.Valid(data) {
		err = fmt.Errorf("%s is no UTF-8 text; filebase64 reads anything", path)
	}
	return string(data), err
}

func (s Surroundings) fileExists() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("path", cty.String)}, Type: function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			info, err := os.Stat(s.absolute(path))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return cty.False, nil
			case err != nil:
				return cty.UnknownVal(cty.Bool), err
			case !info.Mode().IsRegular():
				return cty.UnknownVal(cty.Bool), fmt.Errorf("%s is no regular file", path)
			}
			return cty.True, nil
		},
	})
}
