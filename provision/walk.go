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

// entry is one file, directory or link of a tree.
type entry struct {
	name   string // slash-separated, relative to the root; "" is the root itself
	source string // local path; "" for Content
	mode   fs.FileMode
	size   int64
	link   string // target of a symbolic link
}

// shape is what a tree's root stands for at its destination.
type shape string

const (
	shapeFile     shape = "file"     // goes to Dest, or into it
	shapeDir      shape = "dir"      // goes into an existing Dest, or becomes a missing one
	shapeContents shape = "contents" // goes into Dest, which is made when missing
)

// survey is a tree as it was found: the root first, every directory before what it holds.
type survey struct {
	entries []entry
	shape   shape
	name    string // the root's own name
	files   int
	bytes   int64
}

// look walks the tree and returns every problem that would make an upload fail.
func (t Tree) look(ctx context.Context) (*survey, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.Content != nil || t.Source == "" {
		return t.lookContent(), nil
	}
	w := &walker{ctx: ctx, tree: t, used: make([]bool, len(t.Include))}
	s, err := w.root()
	if err != nil {
		return nil, err
	}
	for i, used := range w.used {
		if !used {
			w.problem(fmt.Errorf("%s: include pattern %q matches nothing", t.Source, t.Include[i]))
		}
	}
	return s, errors.Join(w.problems...)
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

func (t Tree) lookContent() *survey {
	mode := t.Mode
	if mode == 0 {
		mode = 0o644
	}
	size := int64(len(t.Content))
	return &survey{
		entries: []entry{{mode: mode &^ fs.ModeType, size: size}},
		shape:   shapeFile, name: path.Base(t.Dest), files: 1, bytes: size,
	}
}

// walker collects a survey.
type walker struct {
	ctx      context.Context
	tree     Tree
	found    survey
	used     []bool // by include pattern
	problems []error
}

func (w *walker) problem(err error) { w.problems = append(w.problems, err) }

// root follows a symbolic link that is the source itself; links inside are kept.
func (w *walker) root() (*survey, error) {
	source := w.tree.Source
	info, err := os.Stat(source)
	if err != nil {
		return nil, fmt.Errorf("upload source: %w", err)
	}
	base := filepath.Base(source)
	contents := strings.HasSuffix(source, "/") || base == "."
	if base == ".." {
		if absolute, err := filepath.Abs(source); err == nil {
			base = filepath.Base(absolute)
		}
	}
	w.found.name = base
	switch {
	case info.IsDir() && contents:
		w.found.shape = shapeContents
	case info.IsDir():
		w.found.shape = shapeDir
	case contents:
		return nil, fmt.Errorf("upload source %s: not a directory; a trailing slash means the contents of one", source)
	default:
		w.found.shape = shapeFile
	}
	if info.IsDir() {
		source = filepath.Clean(source)
		w.add(entry{source: source, mode: info.Mode()})
		w.dir(source, "", len(w.tree.Include) == 0)
	} else {
		w.visit(source, "", info, w.included(base, false))
	}
	return &w.found, context.Cause(w.ctx)
}

func (w *walker) dir(source, name string, included bool) {
	if w.ctx.Err() != nil {
		return
	}
	children, err := os.ReadDir(source) // sorted
	if err != nil {
		w.problem(fmt.Errorf("upload source: %w", err))
	}
	for _, c := range children {
		child := path.Join(name, c.Name())
		if matchAny(w.tree.Exclude, child) {
			continue
		}
		local := filepath.Join(source, c.Name())
		info, err := os.Lstat(local)
		if err != nil {
			w.problem(fmt.Errorf("upload source: %w", err))
			continue
		}
		w.visit(local, child, info, w.included(child, included))
	}
}

// included reports whether name is to be sent, given whether its directory is.
func (w *walker) included(name string, inherited bool) bool {
	if len(w.tree.Include) == 0 {
		return true
	}
	found := inherited
	for i, p := range w.tree.Include {
		if matchAny([]string{p}, name) {
			w.used[i], found = true, true
		}
	}
	return found
}

func (w *walker) visit(source, name string, info fs.FileInfo, included bool) {
	e := entry{name: name, source: source, mode: info.Mode()}
	switch mode := info.Mode(); {
	case mode.IsDir():
		w.subdir(e, included)
		return
	case !included:
		return
	case mode.IsRegular():
		e.size = info.Size()
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(source)
		if err != nil {
			w.problem(fmt.Errorf("upload source: %w", err))
			return
		}
		e.link = target
	default:
		w.problem(fmt.Errorf("%s is a %s, which cannot be uploaded; exclude it", source, kindOf(mode)))
		return
	}
	w.add(e)
}

// subdir adds a directory that is included or holds something that is.
func (w *walker) subdir(e entry, included bool) {
	before := len(w.found.entries)
	w.add(e)
	w.dir(e.source, e.name, included)
	if !included && len(w.found.entries) == before+1 {
		w.found.entries = w.found.entries[:before]
	}
}

func (w *walker) add(e entry) {
	w.found.entries = append(w.found.entries, e)
	if e.mode.IsRegular() {
		w.found.files++
		w.found.bytes += e.size
	}
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "FIFO"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	default:
		return "special file"
	}
}
