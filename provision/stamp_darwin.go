package provision

import (
	"io/fs"
	"syscall"
)

// stampOf is what the file system says of a file.
func stampOf(info fs.FileInfo) stamp {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}
	}
	return stamp{dev: uint64(s.Dev), ino: s.Ino, mtime: uint64(s.Mtimespec.Nano()), ctime: uint64(s.Ctimespec.Nano())}
}
