//go:build unix

package provision

import (
	"io/fs"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// openNonblock keeps the open of a file that has just become a FIFO from waiting for its writer.
const openNonblock = unix.O_NONBLOCK

// blocksOf is how many blocks of 512 bytes a file takes.
func blocksOf(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks
	}
	return math.MaxInt64 / 512
}
