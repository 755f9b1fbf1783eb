package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// shape is what a tree's root stands for at its destination.
type shape string

const (
	shapeFile     shape = "file"     // goes to Dest, or into it
	shapeDir      shape = "dir"      // goes into an existing Dest, or becomes a missing one
	shapeContents shape = "contents" // goes into Dest, which is made when missing
)

// survey is what is known of a tree before it is sent.
type survey struct {
	shape  shape
	name   string // the root's own name
	files  int
	bytes  int64
	locked bool // a directory is one that its owner may not change
	count  *counter
}

func newSurvey(s shape, name string) *survey {
	return &survey{shape: s, name: name, count: newCounter(nil)}
}

// ownerAll are the permissions that a directory's owner needs to fill it.
const ownerAll fs.FileMode = 0o700

// look walks the tree and returns every problem that would make an upload fail.
func (t Tree) look(ctx context.Context) (*survey, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	s, err := t.rootSurvey()
	if err != nil {
		return nil, err
	}
	return s, t.walk(ctx, visitor{enter: s.add})
}

func (s *survey) add(e entry) error {
	s.count.add(e)
	switch {
	case e.mode.IsRegular():
		s.files++
		s.bytes += e.size
	case e.mode.IsDir() && e.mode&ownerAll != ownerAll:
		s.locked = true
	}
	return nil
}

// rootSurvey is what the root says of the tree.
func (t Tree) rootSurvey() (*survey, error) {
	if t.Source == "" {
		return newSurvey(shapeFile, path.Base(t.Dest)), nil
	}
	info, err := os.Stat(t.Source)
	if err != nil {
		return nil, fmt.Errorf("upload source: %w", err)
	}
	base := filepath.Base(t.Source)
	contents := strings.HasSuffix(t.Source, "/") || base == "."
	if base == ".." {
		if absolute, err := filepath.Abs(t.Source); err == nil {
			base = filepath.Base(absolute)
		}
	}
	switch {
	case info.IsDir() && contents:
		return newSurvey(shapeContents, base), nil
	case info.IsDir():
		return newSurvey(shapeDir, base), nil
	case contents:
		return nil, fmt.Errorf("upload source %s: not a directory; a trailing slash means the contents of one", t.Source)
	}
	return newSurvey(shapeFile, base), nil
}

func (t Tree) check() error {
	problems := append(checkPatterns("include", t.Include), checkPatterns("exclude", t.Exclude)...)
	if t.Source != "" && t.Content != nil {
		problems = append(problems, fmt.Errorf("%s: a tree has a source or content, not both", t.Source))
	}
	if t.Source == "" && t.Content == nil {
		problems = append(problems, errors.New("a tree needs a source or content"))
	}
	if t.Dest == "" {
		problems = append(problems, fmt.Errorf("%s: no destination", t.label()))
	}
	if strings.ContainsRune(t.Dest, 0) {
		problems = append(problems, fmt.Errorf("%s: the destination %q holds a NUL byte", t.label(), t.Dest))
	}
	return errors.Join(problems...)
}

func (t Tree) label() string {
	if t.Source == "" {
		return "content"
	}
	return t.Source
}
