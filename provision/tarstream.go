package provision

import (
	"archive/tar"
	"bufio"
	"context"
	"io"
	"io/fs"
	"path"
)

// The layout of what receive.sh unpacks: the tree is "t", and "complete" comes
// last and says that nothing is missing.
const (
	stagedTree     = "t"
	stagedComplete = "complete"
)

// writeTar sends a tree as a tar stream.
func (t Tree) writeTar(ctx context.Context, w io.Writer, s *survey, progress *meter) error {
	// tar.Writer writes headers of 512 bytes, each of which would be a packet of its own.
	buffered := bufio.NewWriterSize(w, 256<<10)
	archive := tar.NewWriter(buffered)
	for _, e := range s.entries {
		if err := archive.WriteHeader(tarHeader(e)); err != nil {
			return err
		}
		if !e.mode.IsRegular() {
			continue
		}
		progress.file(e.name)
		if _, err := t.copyEntry(ctx, progress.count(archive), e); err != nil {
			return err
		}
		progress.fileDone()
	}
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: stagedComplete, Mode: 0o600, Format: tar.FormatGNU}); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// tarHeader writes names as the bytes they are, which GNU's format takes and
// PAX, being UTF-8, does not.
func tarHeader(e entry) *tar.Header {
	h := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     path.Join(stagedTree, e.name),
		Mode:     unixMode(e.mode),
		Size:     e.size,
		Format:   tar.FormatGNU,
	}
	switch {
	case e.mode.IsDir():
		h.Typeflag = tar.TypeDir
		h.Name += "/"
	case e.mode&fs.ModeSymlink != 0:
		h.Typeflag = tar.TypeSymlink
		h.Linkname = e.link
	}
	return h
}

// unixMode is a mode's permission, setuid, setgid and sticky bits, as Unix has them.
func unixMode(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for _, b := range []struct {
		flag fs.FileMode
		bit  int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if mode&b.flag != 0 {
			bits |= b.bit
		}
	}
	return bits
}
