//go:build !unix

package process

import (
	"os"
	"os/exec"
)

func group(*exec.Cmd) {}

func killGroup(int) {}

// EndedBy names the signal that ended a process: there is none here.
func EndedBy(*os.ProcessState) string { return "" }
