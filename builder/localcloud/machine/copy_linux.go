package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The extended attributes and the inode of overlayfs: a directory below which nothing of the lower layers shows, and the
// character device 0:0 that hides a name of the lower layers.
const opaqueAttribute = "trusted.overlay.opaque"

// copier copies trees of files as they are: owners, modes, times, extended attributes, hard links, holes, device nodes.
type copier struct {
	ctx   context.Context
	links map[inode]string // where the first name of a file with several went
}

type inode struct{ dev, ino uint64 }

// copyTree copies a directory to dst, which does not exist.
func copyTree(ctx context.Context, src, dst string) error {
	c := &copier{ctx: ctx, links: map[inode]string{}}
	return c.tree(src, dst)
}

func (c *copier) tree(src, dst string) error {
	if c.ctx.Err() != nil {
		return contextError(c.ctx, "copy "+src)
	}
	var st unix.Stat_t
	if err := unix.Lstat(src, &st); err != nil {
		return fmt.Errorf("copy %s: %w", src, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return c.entry(src, dst, &st)
	}
	if err := os.Mkdir(dst, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := c.tree(filepath.Join(src, e.Name()), filepath.Join(dst, e.Name())); err != nil {
			return err
		}
	}
	return copyAttributes(src, dst, &st)
}

// entry copies what is not a directory.
func (c *copier) entry(src, dst string, st *unix.Stat_t) error {
	if st.Nlink > 1 {
		if first, ok := c.links[inode{st.Dev, st.Ino}]; ok {
			return os.Link(first, dst)
		}
		c.links[inode{st.Dev, st.Ino}] = dst
	}
	var err error
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		err = copyFile(src, dst, st.Size)
	case unix.S_IFLNK:
		var target string
		if target, err = os.Readlink(src); err == nil {
			err = os.Symlink(target, dst)
		}
	case unix.S_IFSOCK:
		return nil // dead without its process
	default:
		err = unix.Mknod(dst, st.Mode, int(st.Rdev))
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", src, err)
	}
	return copyAttributes(src, dst, st)
}

// copyFile copies the data and leaves the holes out.
func copyFile(src, dst string, size int64) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(copyData(in, out, size), out.Close())
}

func copyData(in, out *os.File, size int64) error {
	if err := out.Truncate(size); err != nil {
		return err
	}
	for at := int64(0); at < size; {
		start, err := unix.Seek(int(in.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // a hole to the end
		}
		if err != nil {
			return err
		}
		end, err := unix.Seek(int(in.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := copyRange(in, out, start, end); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// copyRange lets the kernel copy; it shares the blocks where the file system can.
func copyRange(in, out *os.File, from, to int64) error {
	for from < to {
		a, b := from, from
		n, err := unix.CopyFileRange(int(in.Fd()), &a, int(out.Fd()), &b, int(min(to-from, 1<<30)), 0)
		if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) || err == nil && n == 0 {
			return copyBuffer(in, out, from, to)
		}
		if err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}

func copyBuffer(in, out *os.File, from, to int64) error {
	buf := make([]byte, 256<<10)
	for from < to {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if errors.Is(err, io.EOF) && n == 0 {
			return nil // the file became shorter while it was read
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := out.WriteAt(buf[:n], from); err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}

// copyAttributes copies the owner, then what a change of owner clears: the mode and the capabilities; the times last.
func copyAttributes(src, dst string, st *unix.Stat_t) error {
	if err := unix.Lchown(dst, int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("own %s: %w", dst, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		if err := unix.Chmod(dst, st.Mode&0o7777); err != nil {
			return fmt.Errorf("set the mode of %s: %w", dst, err)
		}
	}
	if err := copyExtended(src, dst); err != nil {
		return fmt.Errorf("copy the extended attributes of %s: %w", src, err)
	}
	times := []unix.Timespec{st.Atim, st.Mtim}
	return unix.UtimesNanoAt(unix.AT_FDCWD, dst, times, unix.AT_SYMLINK_NOFOLLOW)
}

func copyExtended(src, dst string) error {
	size, err := unix.Llistxattr(src, nil)
	if err != nil || size == 0 {
		return ignoreUnsupported(err)
	}
	names := make([]byte, size)
	if size, err = unix.Llistxattr(src, names); err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names[:size]), "\x00"), "\x00") {
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(src, name, value)
		if err != nil {
			return err
		}
		if err := unix.Lsetxattr(dst, name, value[:n], 0); err != nil {
			return err
		}
	}
	return nil
}

func ignoreUnsupported(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
