//go:build linux

package process_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagobuild/imago/builder/internal/process"
)

// TestRun: when its context ends, a command ends with everything in its group,
// also with what does not want to.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", `trap 'echo asked; exit 3' TERM
sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait`)
	out, in, err := os.Pipe() // which Run does not close before it is read
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); out.Close() })
	cmd.Stdout = in
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	ended := make(chan error)
	go func() { ended <- process.Run(ctx, cmd) }()
	stubborn, err := strconv.Atoi(<-lines)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if said := <-lines; said != "asked" {
		t.Errorf("it said %q, want that it was asked to end", said)
	}
	if err := <-ended; err == nil || process.EndedBy(cmd.ProcessState) != "" {
		t.Errorf("Run = %v, ended by %q", err, process.EndedBy(cmd.ProcessState))
	}
	isGone(t, stubborn)
}

// TestMark: what has left the group is found by its mark, and by its name.
func TestMark(t *testing.T) {
	m, other := process.NewMark(), process.NewMark()
	start := func(mark process.Mark) int {
		cmd := exec.CommandContext(t.Context(), "setsid", "sleep", "300")
		cmd.Env = append(cmd.Environ(), mark.Env())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go cmd.Wait()
		for deadline := time.Now().Add(10 * time.Second); !isCalled(cmd.Process.Pid, "sleep"); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("sleep does not start")
			}
		}
		return cmd.Process.Pid
	}
	ours, theirs := start(m), start(other)
	m.Kill("ssh")
	if err := syscall.Kill(ours, 0); err != nil {
		t.Errorf("another name: %v", err)
	}
	m.Kill()
	isGone(t, ours)
	if err := syscall.Kill(theirs, 0); err != nil {
		t.Errorf("another mark: %v", err)
	}
	other.Kill("ssh", "sleep")
	isGone(t, theirs)
}

func isCalled(pid int, name string) bool {
	out, err := exec.Command("ps", "-o", "comm=", strconv.Itoa(pid)).Output()
	return err == nil && strings.TrimSpace(string(out)) == name
}

// isGone waits until a process is.
func isGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}
