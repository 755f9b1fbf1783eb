//go:build unix

package provision

import "golang.org/x/sys/unix"

// openNonblock keeps the open of a file that has just become a FIFO from waiting for its writer.
const openNonblock = unix.O_NONBLOCK
