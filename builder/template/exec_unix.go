//go:build unix

package template

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// graceTime is how long a command may take to end after it was asked to.
const graceTime = 5 * time.Second

// endWithGroup makes the end of the command's context end all its processes:
// politely first, then not.
func endWithGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = graceTime
	cmd.Cancel = func() error {
		group := -cmd.Process.Pid
		time.AfterFunc(graceTime, func() { syscall.Kill(group, syscall.SIGKILL) })
		return syscall.Kill(group, syscall.SIGTERM)
	}
}

// endedBy names the signal that ended a process, such as KILL, or is empty.
func endedBy(s *os.ProcessState) string {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return unix.SignalName(status.Signal())[len("SIG"):]
	}
	return ""
}
