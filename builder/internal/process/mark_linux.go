package process

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// sweeps bounds looking again for what was started meanwhile.
const sweeps = 5

// Kill ends the processes that have the mark; with names, those of them that are
// called so.
func (m Mark) Kill(names ...string) {
	for range sweeps {
		pids := m.find(names)
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if len(pids) == 0 {
			return
		}
	}
}

func (m Mark) find(names []string) (pids []int) {
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range entries {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil || !slices.ContainsFunc(bytes.Split(env, []byte{0}), func(v []byte) bool { return string(v) == m.Env() }) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(dir, "comm"))
		if len(names) == 0 || slices.Contains(names, strings.TrimSpace(string(name))) {
			pids = append(pids, pid)
		}
	}
	return pids
}
