// Package journal keeps what builds make in files, one a build, in a directory
// of its caller's. A build holds its file locked as long as it lives; so whoever
// gets the lock knows that the builder is gone.
package journal

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/imagobuild/imago/builder"
)

// suffix is that of the files. A file that is being made has another.
const suffix = ".jsonl"

// Via says how a build reached its account, for those who have to reach it
// again. There are no secrets in it.
type Via struct {
	Local    bool   `json:"local,omitempty"` // the local cloud of the same state directory
	Profile  string `json:"profile,omitempty"`
	Role     string `json:"role,omitempty"` // the ARN of the role to assume
	Endpoint string `json:"endpoint,omitempty"`
}

// Header is the first line of a file.
type Header struct {
	Version int    `json:"imago"` // 1
	Build   string `json:"build"`
	Locked  bool   `json:"locked"` // the file system has locks
	Owner   Owner  `json:"owner"`
	Via     Via    `json:"via"`

	Reading Reading `json:"reading,omitzero"`
}

// Reading is what two readings of one template differ in: the time, and what its
// random parts are made of. With it, the template says once more what it said.
type Reading struct {
	Time time.Time `json:"time,omitzero"`
	Seed string    `json:"seed,omitempty"`
}

// Log writes the journals of the builds that reach an account in one way. It is
// a builder.Journal.
type Log struct {
	Dir     string
	Via     Via
	Reading Reading

	mu    sync.Mutex
	files map[string]*logged
}

// logged is an open file. Its name is not the one that it was opened under.
type logged struct {
	*os.File
	path  string
	found *Found // that it goes on with, if any
}

// Close lets go of the file, and of the one that it goes on with.
func (f *logged) Close() error {
	err := f.File.Close()
	if f.found != nil {
		err = errors.Join(err, f.found.Close())
	}
	return err
}

var _ builder.Journal = (*Log)(nil)

// Record writes one line, and returns when it is on the disk if somebody has to
// act on it. A file ends with its build, unless something is left of that.
func (l *Log) Record(r builder.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.file(r.Build)
	if err != nil {
		return err
	}
	if r.Act == builder.Ended {
		delete(l.files, r.Build)
		return errors.Join(os.Remove(f.path), f.Close())
	}
	if err := writeLine(f, r); err != nil {
		return err
	}
	switch r.Act {
	case builder.Gone, builder.Kept: // who does not find these lines looks for himself
		return nil
	case builder.Leaked, builder.Left:
		delete(l.files, r.Build)
		return errors.Join(f.Sync(), f.Close())
	}
	return f.Sync()
}

// Check says whether a journal can be kept here.
func (l *Log) Check() error { return os.MkdirAll(l.Dir, 0o700) }

// file is the open file of a build.
func (l *Log) file(build string) (*logged, error) {
	if f := l.files[build]; f != nil {
		return f, nil
	}
	f, err := l.create(build, nil)
	if err != nil {
		return nil, err
	}
	l.keep(build, f)
	return f, nil
}

func (l *Log) keep(build string, f *logged) {
	if l.files == nil {
		l.files = map[string]*logged{}
	}
	l.files[build] = f
}

// GoOn goes on with a journal that Read holds, as its new owner. It is closed
// with the build, or by Close.
func (l *Log) GoOn(f *Found) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	log, err := l.create(f.Build.ID, f.Records)
	if err != nil {
		return err
	}
	log.found = f // whoever has opened the old file still finds it locked
	l.keep(f.Build.ID, log)
	return nil
}

// Close lets go of what builds have not closed themselves. Their journals stay.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	l.files = nil
	return errors.Join(errs...)
}

// create makes a build's file, with what was said before. It has its name only
// once it is locked: nobody else may find it unlocked as long as we live.
func (l *Log) create(build string, before []builder.Record) (*logged, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	path := filepath.Join(l.Dir, build+suffix)
	tmp, err := os.OpenFile(path+".new", os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	locked, err := tryLock(tmp, true)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, errors.Join(err, tmp.Close())
	}
	err = writeLine(tmp, Header{Version: 1, Build: build, Locked: locked, Owner: self(), Via: l.Via, Reading: l.Reading})
	for _, r := range before {
		err = errors.Join(err, writeLine(tmp, r))
	}
	if err = errors.Join(err, tmp.Sync(), os.Rename(tmp.Name(), path), syncDir(l.Dir)); err != nil {
		return nil, errors.Join(err, tmp.Close())
	}
	return &logged{File: tmp, path: path}, nil
}

func writeLine(f io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return err
}

// syncDir makes a new name in a directory last.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, fs.ErrInvalid) { // some file systems have no such thing
		return err
	}
	return nil
}
