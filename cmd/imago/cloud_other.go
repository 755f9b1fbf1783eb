//go:build !linux

package main

import (
	"runtime"
	"syscall"
)

// canRunCloud says that this system cannot run a local cloud.
func canRunCloud() error {
	return usagef("the local cloud needs Linux, and this is %s; run imago on a Linux machine, or point AWS_ENDPOINT_URL at one", runtime.GOOS)
}

// detached is never reached: canRunCloud refuses first.
func detached() *syscall.SysProcAttr { return nil }
