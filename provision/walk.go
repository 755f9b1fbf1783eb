package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// entry is one file, directory or link of a tree.
type entry struct {
	name   string // slash-separated, relative to the root; "" is the root itself
	source string // local path; "" for Content
	mode   fs.FileMode
	size   int64
	link   string // target of a symbolic link
	stamp  stamp  // of a regular file
}

// visitor is told of a tree's entries, one at a time and always in the same
// order: names sorted, a directory before what it holds. An error of its own ends the walk.
type visitor struct {
	enter func(entry) error
	leave func(entry) error // of a directory, after what it holds; may be nil
}

// walk shows a tree to v. What is wrong with the tree does not end the walk: the
// error holds all of it. Memory is needed for one directory's names, not for the tree.
func (t Tree) walk(ctx context.Context, v visitor) error {
	if t.Source == "" {
		return v.enter(t.contentEntry())
	}
	info, err := os.Stat(t.Source) // follows a link that is the source itself; links inside are kept
	if err != nil {
		return fmt.Errorf("upload source: %w", err)
	}
	w := &walker{ctx: ctx, tree: t, visitor: v, used: make([]bool, len(t.Include))}
	if info.IsDir() {
		w.root(info)
	} else {
		w.visit(t.Source, "", info, w.included(filepath.Base(t.Source), false))
	}
	if w.stopped == nil {
		w.stopped = context.Cause(ctx)
	}
	if w.stopped != nil {
		return w.stopped
	}
	for i, used := range w.used {
		if !used {
			w.problems.add(fmt.Errorf("%s: include pattern %q matches nothing", t.Source, t.Include[i]))
		}
	}
	return w.problems.err()
}

func (t Tree) contentEntry() entry {
	mode := t.Mode
	if mode == 0 {
		mode = 0o644
	}
	return entry{mode: mode &^ fs.ModeType, size: int64(len(t.Content))}
}

// walker is one walk.
type walker struct {
	visitor
	ctx      context.Context
	tree     Tree
	used     []bool  // by include pattern
	pending  []entry // directories not told of yet, because nothing in them is included so far
	problems problems
	stopped  error // the visitor's own
}

func (w *walker) root(info fs.FileInfo) {
	source := filepath.Clean(w.tree.Source)
	e := entry{source: source, mode: info.Mode()}
	w.tell(e)
	w.dir(e, len(w.tree.Include) == 0)
	w.left(e)
}

// dir walks what a directory holds.
func (w *walker) dir(e entry, included bool) {
	names, err := namesIn(e.source)
	if err != nil {
		w.problems.add(fmt.Errorf("upload source: %w", err))
	}
	for _, n := range names {
		if w.ctx.Err() != nil || w.stopped != nil {
			return
		}
		name := path.Join(e.name, n)
		if matchAny(w.tree.Exclude, name) {
			continue
		}
		source := filepath.Join(e.source, n)
		info, err := os.Lstat(source)
		if err != nil {
			w.problems.add(sourceError(source, err))
			continue
		}
		w.visit(source, name, info, w.included(name, included))
	}
}

// namesIn is what a directory holds, sorted.
func namesIn(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// sourceError is for a file that is in its directory's list.
func sourceError(source string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s vanished while the tree was read", source)
	}
	return fmt.Errorf("upload source: %w", err)
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
		e.size, e.stamp = info.Size(), stampOf(info)
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(source)
		if err != nil {
			w.problems.add(sourceError(source, err))
			return
		}
		e.link = target
	default:
		w.problems.add(fmt.Errorf("%s is a %s, which cannot be uploaded; exclude it", source, kindOf(mode)))
		return
	}
	w.tell(e)
}

// subdir tells of a directory that is included or holds something that is.
func (w *walker) subdir(e entry, included bool) {
	above := len(w.pending)
	if included {
		w.tell(e)
	} else {
		w.pending = append(w.pending, e)
	}
	w.dir(e, included)
	if len(w.pending) > above { // nobody has been told of it
		w.pending = w.pending[:above]
		return
	}
	w.left(e)
}

// tell shows an entry, and before it the directories that it is in.
func (w *walker) tell(e entry) {
	for _, each := range append(w.pending, e) {
		if w.stopped == nil {
			w.stopped = w.enter(each)
		}
	}
	w.pending = nil
}

func (w *walker) left(e entry) {
	if w.leave != nil && w.stopped == nil {
		w.stopped = w.leave(e)
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

// problemsTold bounds a list of problems: a tree may have one for each of its files.
const problemsTold = 20

// problems are what is wrong with a tree.
type problems struct {
	told []error
	more int
}

func (p *problems) add(err error) {
	if len(p.told) < problemsTold {
		p.told = append(p.told, err)
	} else {
		p.more++
	}
}

func (p *problems) err() error {
	if p.more > 0 {
		return errors.Join(append(p.told, fmt.Errorf("and %d more like these", p.more))...)
	}
	return errors.Join(p.told...)
}
