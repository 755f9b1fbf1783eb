//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// group makes the command the first of a process group, which is asked to end with its context.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// EndedBy names the signal that ended a process, such as KILL, or is empty.
func EndedBy(s *os.ProcessState) string {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return unix.SignalName(status.Signal())[len("SIG"):]
	}
	return ""
}
