//go:build !unix

package template

import (
	"os"
	"os/exec"
	"time"
)

// graceTime is how long a command's output is waited for after its end.
const graceTime = 5 * time.Second

func endWithGroup(cmd *exec.Cmd) { cmd.WaitDelay = graceTime }

func endedBy(*os.ProcessState) string { return "" }
