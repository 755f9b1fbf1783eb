package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// settling is how long a program may take until it is as large as it is when it waits.
const settling = time.Second

// idleSizes returns how large each program is that has started and does nothing
// yet: one that waits for its input, which is a pipe that nobody writes.
func (b *bench) idleSizes(ctx context.Context) (map[string]int64, error) {
	pipe := filepath.Join(b.dir, "idle.json")
	sizes := map[string]int64{}
	for name, argv := range map[string][]string{
		imagoBake:  b.imagoBuild(pipe),
		packerBake: b.packerBuild(pipe),
		imagoPut:   {b.self, "put", b.cloud.machine, pipe, b.dir, inbox}, // the key
	} {
		size, err := idleSize(ctx, b.cloud.env, pipe, argv)
		if err != nil {
			return nil, fmt.Errorf("measure %s, waiting: %w", name, err)
		}
		sizes[name] = size
	}
	return sizes, nil
}

func idleSize(ctx context.Context, env []string, pipe string, argv []string) (int64, error) {
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		return 0, err
	}
	defer os.Remove(pipe)
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that opening it does not wait for a reader
	if err != nil {
		return 0, err
	}
	defer writer.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	watch := watchMemory(cmd.Process.Pid)
	time.Sleep(settling)
	size, _, _ := watch.stop()
	waits := field(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid), "VmHWM:") > 0 // a process that has ended has no size
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Wait() // killed
	if !waits {
		return 0, fmt.Errorf("%v did not wait for its input", argv)
	}
	return size, nil
}
