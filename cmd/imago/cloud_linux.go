package main

import (
	"os"
	"syscall"
)

// canRunCloud says what is missing for a local cloud, before anything is tried.
func canRunCloud() error { return needsRoot(os.Geteuid()) }

func needsRoot(uid int) error {
	if uid != 0 {
		return usagef("the local cloud needs root, to make machines of its own; run imago with: sudo -E")
	}
	return nil
}

// detached makes a process that outlives us and that our terminal's signals do not reach.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
