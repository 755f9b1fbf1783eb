package machine

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isEnded recognises the answers to a signal for a process that has ended.
func isEnded(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, unix.ESRCH)
}
