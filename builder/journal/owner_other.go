//go:build !linux

package journal

import "os"

// machineID is the computer's name: good enough beside a lock.
func machineID() string {
	name, _ := os.Hostname() // empty: not known
	return name
}

func bootID() string { return "" }

func space() string { return "" }

func started(int) string { return "" }
