//go:build !unix

package journal

import (
	"errors"
	"os"
)

// errHeld says that somebody else has the lock.
var errHeld = errors.New("locked")

// tryLock does nothing here: this system has no advisory locks.
func tryLock(*os.File, bool) (bool, error) { return false, errors.ErrUnsupported }
