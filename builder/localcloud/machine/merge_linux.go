package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// merger applies one layer of an overlay to a directory that already holds the ones below it, as the kernel would show them.
type merger struct{ copier }

// merge applies the directory src, which is there in dst. alone says that nothing of a lower layer shows in dst, because it
// or a directory above it is opaque: then there is nothing to hide.
func (m *merger) merge(src, dst string, alone bool) error {
	if m.ctx.Err() != nil {
		return contextError(m.ctx, "merge "+src)
	}
	if isOpaque(src) {
		if err := emptyDir(dst); err != nil {
			return err
		}
	}
	alone = alone || isOpaque(src) || isOpaque(dst)
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := m.apply(filepath.Join(src, e.Name()), filepath.Join(dst, e.Name()), alone); err != nil {
			return err
		}
	}
	return m.attributes(src, dst)
}

// attributes gives dst what src has. An opaque directory stays opaque below layers that add to it.
func (m *merger) attributes(src, dst string) error {
	var st unix.Stat_t
	if err := unix.Lstat(src, &st); err != nil {
		return fmt.Errorf("merge %s: %w", src, err)
	}
	return copyAttributes(src, dst, &st)
}

// apply puts one entry of a layer over what dst has under its name.
func (m *merger) apply(src, dst string, alone bool) error {
	var st unix.Stat_t
	if err := unix.Lstat(src, &st); err != nil {
		return fmt.Errorf("merge %s: %w", src, err)
	}
	there, err := os.Lstat(dst)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR && err == nil && there.IsDir() {
		return m.merge(src, dst, alone)
	}
	if err := os.RemoveAll(dst); err != nil {
		return err
	}
	hides := st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == 0
	if hides && alone {
		return nil
	}
	return m.place(src, dst, &st, err == nil, alone)
}

// place copies an entry to where nothing is any more. A directory that takes the place of something that was not one, a
// whiteout mostly, hides what lies below that, so it must be opaque: the kernel has marked it, unless the thing that it
// replaces was in the same layer.
func (m *merger) place(src, dst string, st *unix.Stat_t, replaces, alone bool) error {
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return m.entry(src, dst, st)
	}
	if err := os.Mkdir(dst, 0o700); err != nil {
		return err
	}
	if err := m.merge(src, dst, alone || replaces); err != nil {
		return err
	}
	if replaces && !alone {
		return unix.Setxattr(dst, opaqueAttribute, []byte("y"), 0)
	}
	return nil
}

func isOpaque(dir string) bool {
	value := make([]byte, 1)
	n, err := unix.Lgetxattr(dir, opaqueAttribute, value)
	return err == nil && n == 1 && value[0] == 'y'
}

func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}
