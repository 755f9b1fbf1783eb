// Package process runs programs on this computer, and ends them whole.
package process

import (
	"context"
	"os/exec"
	"time"
)

// graceTime is how long a program may take to end after it was asked to, and how
// long its output is waited for after its end.
const graceTime = 5 * time.Second

// Run runs a command that was made with ctx (exec.CommandContext), in a process
// group of its own. When ctx ends, so does the whole group: politely first, then
// not. Nothing of it is there any more when Run returns then.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	cmd.WaitDelay = graceTime
	group(cmd)
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		killGroup(cmd.Process.Pid)
	}
	return err
}
