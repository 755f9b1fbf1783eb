package journal

import (
	"fmt"
	"os"
	"strings"
)

func machineID() string { return firstLine("/etc/machine-id") }

func bootID() string { return firstLine("/proc/sys/kernel/random/boot_id") }

// space is the PID namespace.
func space() string {
	name, _ := os.Readlink("/proc/self/ns/pid") // empty without /proc
	return name
}

// started is when a process was started, in ticks since the boot (proc(5),
// /proc/pid/stat, field 22); empty when there is none.
func started(pid int) string {
	stat := firstLine(fmt.Sprintf("/proc/%d/stat", pid))
	if fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]); len(fields) > 19 { // from field 3 on; field 2 may hold anything
		return fields[19]
	}
	return ""
}

func firstLine(path string) string {
	b, _ := os.ReadFile(path) // what cannot be read is not known
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}
