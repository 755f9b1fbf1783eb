package provision

import (
	"archive/tar"
	"io/fs"
	"path"
)

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
