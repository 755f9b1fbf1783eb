package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/sftp"
)

const downloadsInFlight = 16

// Download fetches files by SFTP, many at once. Symbolic links inside a tree
// stay links; permissions are kept, but for setuid, setgid and sticky bits; files
// appear by rename. Local directories that exist keep their modes. on is as for Upload.
func (h *Host) Download(ctx context.Context, f Fetch, on func(Progress)) error {
	if f.Source == "" || f.Dest == "" {
		return fmt.Errorf("download %q to %q: both are needed", f.Source, f.Dest)
	}
	client, err := h.openSFTP(ctx, false)
	if err != nil {
		return err
	}
	defer client.Close()
	d := &download{client: client}
	if err := d.fetch(ctx, f, on); err != nil {
		return fmt.Errorf("download %s to %s: %w", f.Source, f.Dest, causeOr(ctx, err))
	}
	return nil
}

// download is one Fetch under way.
type download struct {
	client   *sftp.Client
	entries  []fetched
	progress *meter
}

// fetched is an entry of the machine: source is its remote path.
type fetched struct {
	entry
	dest string // local path
}

func (d *download) fetch(ctx context.Context, f Fetch, on func(Progress)) error {
	if err := d.plan(ctx, f); err != nil {
		return err
	}
	made, err := d.makeDirs()
	if err != nil {
		return err
	}
	var bytes int64
	var others []entry
	files, dests := 0, map[string]string{}
	for _, e := range d.entries {
		if e.mode.IsDir() {
			continue
		}
		others, dests[e.source] = append(others, e.entry), e.dest
		if e.mode.IsRegular() {
			files, bytes = files+1, bytes+e.size
		}
	}
	d.progress = newMeter(on, bytes, files)
	defer d.progress.stop()
	err = each(ctx, downloadsInFlight, others, func(_ context.Context, e entry) error {
		if err := d.get(e, dests[e.source]); err != nil {
			return fmt.Errorf("%s: %w", e.source, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Last and from the bottom up, because a mode may forbid writing.
	for _, e := range slices.Backward(made) {
		if err := os.Chmod(e.dest, e.mode.Perm()); err != nil {
			return err
		}
	}
	d.progress.finish()
	return nil
}

// makeDirs makes the local directories, and returns those that are new.
func (d *download) makeDirs() (made []fetched, err error) {
	for _, e := range d.entries {
		if !e.mode.IsDir() || localDir(e.dest) {
			continue
		}
		if err := os.MkdirAll(e.dest, 0o755); err != nil {
			return nil, err
		}
		made = append(made, e)
	}
	return made, nil
}

// plan finds out what there is, and where each of it goes.
func (d *download) plan(ctx context.Context, f Fetch) error {
	source := remotePath(f.Source)
	switch {
	case strings.ContainsAny(source, "*?["):
		return d.planPattern(ctx, source, f.Dest)
	case strings.HasSuffix(source, "/") || source == ".":
		return d.add(ctx, path.Clean(source), f.Dest, "")
	}
	info, err := d.client.Stat(source)
	if err != nil {
		return err
	}
	into := localDir(f.Dest) || !info.IsDir() && strings.HasSuffix(f.Dest, "/")
	dest := f.Dest
	if into {
		dest = filepath.Join(dest, path.Base(source))
	}
	return d.add(ctx, source, dest, path.Base(source))
}

func (d *download) planPattern(ctx context.Context, pattern, dest string) error {
	matches, err := d.client.Glob(strings.TrimSuffix(pattern, "/"))
	if err != nil {
		return err
	}
	if len(matches) == 0 {
		return errors.New("nothing on the machine matches")
	}
	for _, m := range matches {
		if err := d.add(ctx, m, filepath.Join(dest, path.Base(m)), path.Base(m)); err != nil {
			return err
		}
	}
	return nil
}

func localDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// add plans one remote path, following it when it is a link, and all below it.
func (d *download) add(ctx context.Context, source, dest, name string) error {
	info, err := d.client.Stat(source)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return d.addEntry(ctx, fetched{entry{name: name, source: source, mode: info.Mode(), size: info.Size()}, dest})
}

func (d *download) addEntry(ctx context.Context, e fetched) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case e.mode.IsRegular(), e.mode&fs.ModeSymlink != 0:
		d.entries = append(d.entries, e)
		return nil
	case !e.mode.IsDir():
		return fmt.Errorf("%s is a %s, which cannot be downloaded", e.source, kindOf(e.mode))
	}
	d.entries = append(d.entries, e)
	children, err := d.client.ReadDirContext(ctx, e.source)
	if err != nil {
		return fmt.Errorf("%s: %w", e.source, err)
	}
	for _, c := range children {
		if c.Name() != path.Base(c.Name()) || c.Name() == ".." {
			return fmt.Errorf("%s: the machine names a file %q, which is no file name", e.source, c.Name())
		}
		child := fetched{
			entry: entry{name: path.Join(e.name, c.Name()), source: path.Join(e.source, c.Name()), mode: c.Mode(), size: c.Size()},
			dest:  filepath.Join(e.dest, c.Name()),
		}
		if err := d.addEntry(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

// get fetches one file or link to a temporary name and renames it.
func (d *download) get(e entry, dest string) error {
	if err := os.MkdirAll(filepath.Dir(dest), 0o755); err != nil {
		return err
	}
	stage, err := os.MkdirTemp(filepath.Dir(dest), ".imago-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	temporary := filepath.Join(stage, "file")
	if e.mode&fs.ModeSymlink != 0 {
		target, err := d.client.ReadLink(e.source)
		if err == nil {
			err = os.Symlink(target, temporary)
		}
		if err != nil {
			return err
		}
		return os.Rename(temporary, dest)
	}
	d.progress.file(e.name)
	if err := d.getFile(e, temporary); err != nil {
		return err
	}
	d.progress.fileDone()
	return os.Rename(temporary, dest)
}

func (d *download) getFile(e entry, temporary string) error {
	in, err := d.client.Open(e.source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	// io.Copy calls in.WriteTo, which has many reads in flight; wrapping in would hide it.
	if _, err := io.Copy(d.progress.count(out), in); err != nil {
		return err
	}
	if err := out.Chmod(e.mode.Perm()); err != nil {
		return err
	}
	return out.Close()
}
