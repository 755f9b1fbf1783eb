//go:build !linux

package localcloud

import (
	"errors"
	"io"
)

var errNotLinux = errors.New("the local cloud needs Linux: run imago on Linux, in a virtual machine for example, or bake on AWS")

func lockFile(string) (io.Closer, bool, error) { return nil, false, errNotLinux }

// isLocked is false where no local cloud can run.
func isLocked(string) (bool, error) { return false, nil }
