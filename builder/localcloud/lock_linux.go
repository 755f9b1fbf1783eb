package localcloud

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile makes the process the owner of a file until the lock is closed, or
// the process ends in whatever way. locked is false when another owns it.
func lockFile(path string) (lock io.Closer, locked bool, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &whole)
	if err == nil {
		return file, true, nil
	}
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		err = nil
	}
	return nil, false, errors.Join(err, file.Close())
}

// isLocked says whether somebody owns the file. It does not lock it, so that
// asking gets in nobody's way.
func isLocked(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	asked := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &asked); err != nil {
		return false, err
	}
	return asked.Type != unix.F_UNLCK, nil
}
