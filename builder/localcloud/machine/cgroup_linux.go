package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroupRoot is where cgroup2 is mounted on this computer: /sys/fs/cgroup on most, below it where cgroup v1 is in use too.
func cgroupRoot() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1], nil
		}
	}
	return "", errors.New("cgroup2 is not mounted on this computer: mount -t cgroup2 cgroup2 /sys/fs/cgroup (inside a container, run it with --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup)")
}

func hostCgroup(root, key string) string { return filepath.Join(root, "imago-"+key) }

// cgroup is the directory of one machine's processes.
type cgroup string

// makeCgroup makes an empty one.
func makeCgroup(key, id string) (cgroup, error) {
	root, err := cgroupRoot()
	if err != nil {
		return "", err
	}
	parent := hostCgroup(root, key)
	c := cgroup(filepath.Join(parent, id))
	if err := os.MkdirAll(string(c), 0o755); err != nil {
		return "", fmt.Errorf("make the cgroup of %s: %w", id, err)
	}
	// Limits in the machine's units need these. A computer whose controllers are elsewhere (cgroup v1) has none to pass
	// on, and the machine works without.
	for _, controller := range []string{"+cpu", "+memory", "+pids", "+io"} {
		_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte(controller), 0)
	}
	return c, nil
}

// freeze stops every process of the machine, and waits until they have stopped.
func (c cgroup) freeze(ctx context.Context) error {
	if err := c.write("cgroup.freeze", "1"); err != nil {
		return err
	}
	return c.wait(ctx, "frozen 1")
}

func (c cgroup) thaw() error { return c.write("cgroup.freeze", "0") }

func (c cgroup) write(name, value string) error {
	return os.WriteFile(filepath.Join(string(c), name), []byte(value), 0)
}

// wait polls cgroup.events for a line. Freezing takes a few milliseconds.
func (c cgroup) wait(ctx context.Context, line string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		events, err := os.ReadFile(filepath.Join(string(c), "cgroup.events"))
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(string(events), line) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return contextError(ctx, fmt.Sprintf("wait for %q in %s", line, c))
		}
	}
}

// remove kills what is left in the cgroup, waits for it to be gone (10 s at most), and removes the directories.
func (c cgroup) remove() error {
	if _, err := os.Stat(string(c)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(c.kill(), c.wait(ctx, "populated 0"))
	return errors.Join(err, removeDirs(string(c)))
}

// kill ends every process in the cgroup and below it.
func (c cgroup) kill() error {
	err := c.write("cgroup.kill", "1")
	if err == nil {
		return nil
	}
	// Before Linux 5.14 there is no cgroup.kill.
	return filepath.WalkDir(string(c), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return nil
		}
		procs, err := os.ReadFile(path)
		for _, field := range strings.Fields(string(procs)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		return err
	})
}

// removeDirs removes a tree of cgroups, whose files cannot be removed, the deepest first.
func removeDirs(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, removeDirs(filepath.Join(dir, e.Name())))
		}
	}
	if err := unix.Rmdir(dir); err != nil && err != unix.ENOENT {
		errs = append(errs, fmt.Errorf("remove the cgroup %s: %w", dir, err))
	}
	return errors.Join(errs...)
}
