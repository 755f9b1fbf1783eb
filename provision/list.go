package provision

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// List looks at the tree without touching the machine, and reads every file. Its
// error holds everything that would stop an upload: missing and unreadable
// files, sockets, FIFOs and devices, each by name, up to twenty of them.
func (t Tree) List(ctx context.Context) (Listing, error) { return t.ListKnown(ctx, "") }

// ListKnown is List with a memory: files that have not changed since the file
// known was written are not read again. It is made or renewed, for one tree; an
// empty name is no memory. A file counts as unchanged when its device, inode,
// size, and times of modification and change are what they were, unless it had
// changed within two seconds of being looked at.
func (t Tree) ListKnown(ctx context.Context, known string) (Listing, error) {
	if err := t.check(); err != nil {
		return Listing{}, err
	}
	s, err := t.rootSurvey()
	if err != nil {
		return Listing{}, err
	}
	l := newLister(ctx, t, known)
	err = t.walk(ctx, visitor{enter: func(e entry) error {
		l.add(e)
		return s.add(e)
	}})
	sum, unread := l.finish(err == nil)
	if err := errors.Join(err, unread); err != nil {
		return Listing{}, err
	}
	listing := Listing{Files: s.files, Bytes: s.bytes, Digest: hex.EncodeToString(sum)}
	if s.shape != shapeContents {
		listing.Name = s.name
	}
	return listing, nil
}

// copyBuffer is how much of a file is read at once.
const copyBuffer = 256 << 10

// copyEntry writes the contents of a regular file through buffer, exactly as
// many bytes as it had when the tree was looked at.
func (t Tree) copyEntry(ctx context.Context, to io.Writer, e entry, buffer []byte) (int64, error) {
	in, err := t.open(ctx, e)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	return io.CopyBuffer(onlyWriter{to}, in, buffer)
}

// open returns a reader of the contents of e, exactly as many bytes as it has.
func (t Tree) open(ctx context.Context, e entry) (io.ReadCloser, error) {
	if e.source == "" {
		return io.NopCloser(bytes.NewReader(t.Content)), nil
	}
	in, err := openRegular(e)
	if err != nil {
		return nil, err
	}
	return &exactReader{ctx: ctx, in: in, entry: e}, nil
}

// onlyWriter hides ReadFrom, which would read in pieces of its own size.
type onlyWriter struct{ io.Writer }

// openRegular opens the file that was looked at, and nothing that took its place.
func openRegular(e entry) (*os.File, error) {
	in, err := os.OpenFile(e.source, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, sourceError(e.source, err)
	}
	info, err := in.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() != e.size) {
		err = fmt.Errorf("%s changed while the tree was read: it had %d bytes and has %d now", e.source, e.size, info.Size())
	}
	if err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// exactReader reads as many bytes as the entry has, and reports a file that has
// fewer or more of them.
type exactReader struct {
	ctx   context.Context
	in    *os.File
	entry entry
	read  int64
}

// Read implements io.Reader.
func (r *exactReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.in.Read(p)
	r.read += int64(n)
	switch {
	case r.read > r.entry.size:
		return 0, fmt.Errorf("%s grew while it was read: it had %d bytes when the upload began", r.entry.source, r.entry.size)
	case errors.Is(err, io.EOF) && r.read < r.entry.size:
		return n, fmt.Errorf("%s shrank while it was read: it had %d bytes when the upload began, and has %d", r.entry.source, r.entry.size, r.read)
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("upload source: %w", err)
	}
	return n, err
}

// Close implements io.Closer.
func (r *exactReader) Close() error { return r.in.Close() }
