package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
)

// Found is the journal of one build, as another process finds it.
type Found struct {
	Build   gc.Build
	Via     Via
	Regions []string // that the build has made something in
	Reading Reading
	Records []builder.Record

	path string
	held *os.File
}

// Read reads all journals of a directory; there may be none. With hold, those
// whose builders are gone stay locked, so that nobody else acts on them too,
// until Close. The error is of journals that could not be read; the others are
// returned all the same.
func Read(dir string, hold bool) (all []*Found, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	here, errs := self(), []error{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(e.Name(), suffix+".new") && hold:
			errs = append(errs, sweep(path))
		case strings.HasSuffix(e.Name(), suffix):
			found, err := open(path, here, hold)
			if found != nil {
				all = append(all, found)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // it has ended meanwhile
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
			}
		}
	}
	return all, errors.Join(errs...)
}

// open reads one journal.
func open(path string, here Owner, hold bool) (*Found, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // some file systems lock only what can be written
	if err != nil {
		return nil, err
	}
	_, lockErr := tryLock(f, hold) // before reading: what is read is then the end of it
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	h, records, err := Decode(data)
	if h.Build == "" {
		return nil, errors.Join(err, f.Close())
	}
	found := &Found{Build: gc.Build{ID: h.Build, Things: things(records)}, Via: h.Via, Reading: h.Reading, Records: records, path: path}
	found.Build.State, found.Build.Why = h.state(lockErr, here, records)
	for _, r := range records {
		if r.Region != "" && !slices.Contains(found.Regions, r.Region) {
			found.Regions = append(found.Regions, r.Region)
		}
		found.Build.Account = cmp.Or(found.Build.Account, r.Account)
	}
	if !hold || found.Build.State == gc.Living {
		return found, errors.Join(err, f.Close())
	}
	found.held = f
	return found, err
}

// state says what is known of a builder, from the lock if there is one.
func (h Header) state(lock error, here Owner, records []builder.Record) (gc.State, string) {
	gone := lock == nil && h.Owner.near(here)
	if !h.Locked || lock != nil && !errors.Is(lock, errHeld) {
		gone = h.Owner.ended(here)
	}
	left := len(records) > 0 && records[len(records)-1].Act == builder.Left
	switch {
	case errors.Is(lock, errHeld):
		return gc.Living, h.Owner.String() + " is at it"
	case left:
		return gc.Left, ""
	case gone:
		return gc.Gone, h.Owner.String() + " is gone"
	}
	return gc.Unknown, ""
}

// Is says whether the build was of the Config of this name, in this region.
func (f *Found) Is(config, region string) bool {
	return slices.ContainsFunc(f.Records, func(r builder.Record) bool {
		return r.Act == builder.Begun && r.Config == config && r.Region == region
	})
}

// Close lets others have the journal.
func (f *Found) Close() error {
	if f.held == nil {
		return nil
	}
	held := f.held
	f.held = nil
	return held.Close()
}

// Remove takes the journal away: nothing is left of its build.
func (f *Found) Remove() error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// sweep takes away a file whose making was interrupted long ago.
func sweep(path string) error {
	info, err := os.Stat(path)
	if err == nil && time.Since(info.ModTime()) > time.Hour {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
