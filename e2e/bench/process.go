package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processLimit bounds one run of one program.
const processLimit = 10 * time.Minute

// stampedLine is a line of output and when it came, counted from the start.
type stampedLine struct {
	at   time.Duration
	text string
}

// usage is what a program cost.
type usage struct {
	wall      time.Duration
	cpu       time.Duration // user and system, of the program and the children it waited for
	largest   int64         // bytes: the largest peak of one of its processes, see peak
	together  int64         // bytes: the peak of what all its processes took together (PSS)
	lines     []stampedLine
	processes int
}

// run runs a program to its end. An error shows the last lines that it printed.
func run(ctx context.Context, env []string, argv ...string) (usage, error) {
	ctx, cancel := context.WithTimeout(ctx, processLimit)
	defer cancel()
	read, write, err := os.Pipe()
	if err != nil {
		return usage{}, err
	}
	defer read.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, write, write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) } // a bake cleans up
	cmd.WaitDelay = time.Minute
	before := floor()
	start := time.Now()
	err = cmd.Start()
	write.Close()
	if err != nil {
		return usage{}, err
	}
	lines := make(chan []stampedLine, 1)
	go func() { lines <- stamp(read, start) }()
	watch := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	u := usage{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	u.largest, u.together, u.processes = watch.stop()
	u.largest = peak(u.largest, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss<<10, before)
	u.lines = <-lines
	if err != nil {
		return u, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, lastLines(u.lines))
	}
	return u, nil
}

func stamp(r io.Reader, start time.Time) []stampedLine {
	var lines []stampedLine
	in := bufio.NewScanner(r)
	for in.Scan() {
		lines = append(lines, stampedLine{time.Since(start), in.Text()})
	}
	_, _ = io.Copy(io.Discard, r) // what follows a line too long for the scanner
	return lines
}

func lastLines(lines []stampedLine) string {
	var text strings.Builder
	for _, l := range lines[max(0, len(lines)-30):] {
		fmt.Fprintln(&text, l.text)
	}
	return text.String()
}

// mark names a part of a run by the lines of output that begin and end it: the
// n-th that match, counted from 1.
type mark struct {
	begin, end   *regexp.Regexp
	beginN, endN int
}

// span returns how long the part took.
func (m mark) span(lines []stampedLine) (time.Duration, error) {
	from, err := nth(lines, m.begin, m.beginN)
	if err != nil {
		return 0, err
	}
	to, err := nth(lines, m.end, m.endN)
	return to - from, err
}

func nth(lines []stampedLine, pattern *regexp.Regexp, n int) (time.Duration, error) {
	for _, l := range lines {
		if !pattern.MatchString(l.text) {
			continue
		}
		if n--; n == 0 {
			return l.at, nil
		}
	}
	return 0, fmt.Errorf("no line of the output matches %q often enough:\n%s", pattern, lastLines(lines))
}

// floor makes this process small, and returns how large it still is: what it
// starts inherits that as the least that the kernel's account says of its peak.
func floor() int64 {
	debug.FreeOSMemory()
	// 5 sets the peak back to the size of now. Where that is not to be had, the floor is merely higher.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	return field("/proc/self/status", "VmHWM:")
}

// peak is the largest size that one process of a program had. The kernel's
// account at its end misses nothing, but says nothing below the floor; what was
// sampled may lack the last moments, by which a small program is told all the same.
func peak(sampled, accounted, floor int64) int64 {
	if accounted > floor {
		return max(sampled, accounted)
	}
	return sampled
}

// memoryWatch samples a program's processes.
type memoryWatch struct {
	root              int
	ended             chan struct{}
	done              chan struct{}
	largest, together int64
	processes         int
}

func watchMemory(root int) *memoryWatch {
	w := &memoryWatch{root: root, ended: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		// Close together at first, for programs that end at once; then seldom, to cost nothing.
		for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
			w.sample()
			select {
			case <-w.ended:
				return
			case <-time.After(pause):
			}
		}
	}()
	return w
}

func (w *memoryWatch) stop() (largest, together int64, processes int) {
	close(w.ended)
	<-w.done
	return w.largest, w.together, w.processes
}

func (w *memoryWatch) sample() {
	var together int64
	todo, seen := []int{w.root}, 0
	for len(todo) > 0 {
		pid := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], children(pid)...)
		dir := "/proc/" + strconv.Itoa(pid)
		seen++
		w.largest = max(w.largest, field(dir+"/status", "VmHWM:"))
		together += field(dir+"/smaps_rollup", "Pss:")
	}
	w.together, w.processes = max(w.together, together), max(w.processes, seen)
}

func children(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var all []int
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for word := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(word); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

// field reads a value in kB out of a file of /proc, and returns bytes; 0 when the process has gone.
func field(file, name string) int64 {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

// quiet waits until the computer has been nine tenths idle for half a second:
// what else it does would be measured too. It is false when that never came.
func quiet(ctx context.Context, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end) && ctx.Err() == nil; {
		idle, all := cpuTimes()
		time.Sleep(500 * time.Millisecond)
		idle2, all2 := cpuTimes()
		if float64(idle2-idle) > 0.9*float64(all2-all) {
			return true
		}
	}
	return false
}

func cpuTimes() (idle, all int64) {
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	for i, word := range strings.Fields(line)[1:9] {
		n, _ := strconv.ParseInt(word, 10, 64)
		all += n
		if i == 3 || i == 4 { // idle, and waiting for the disk
			idle += n
		}
	}
	return idle, all
}
