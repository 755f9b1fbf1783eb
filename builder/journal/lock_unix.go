//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errHeld says that somebody else has the lock.
var errHeld = errors.New("locked")

// tryLock takes a lock on an open file, for us alone or shared, without waiting.
// The system drops it when the file is closed, however the process ends.
func tryLock(f *os.File, alone bool) (bool, error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for {
		switch err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, errHeld
		default: // such as ENOLCK, of a file system without locks
			return false, fmt.Errorf("lock %s: %w (%w)", f.Name(), errors.ErrUnsupported, err)
		}
	}
}
