//go:build linux

package provision_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/provision"
	"github.com/imagobuild/imago/provision/provisiontest"
)

// said is what a script wrote, and how it ended.
type said struct {
	Out, Err string
	Exit     *provision.ExitError
}

func run(t *testing.T, h *provision.Host, s provision.Script) said {
	t.Helper()
	var out, stderr strings.Builder
	err := h.Run(context.Background(), s, &out, &stderr)
	result := said{Out: out.String(), Err: stderr.String()}
	if err != nil && !errors.As(err, &result.Exit) {
		t.Fatal(err)
	}
	return result
}

func script(lines ...string) provision.Script {
	return provision.Script{Name: "inline", Body: []byte(strings.Join(lines, "\n") + "\n")}
}

// noneLeft checks that the machine's /tmp holds no directory of a script that belongs to User.
func noneLeft(t *testing.T, s *provisiontest.Server) {
	t.Helper()
	var dirs []string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if dirs = leftBehind(t, s); len(dirs) == 0 { // Run does not wait for that
			return
		}
	}
	t.Errorf("left on the machine: %v", dirs)
}

func leftBehind(t *testing.T, s *provisiontest.Server) []string {
	t.Helper()
	all, err := filepath.Glob("/tmp/imago-*")
	if err != nil {
		t.Fatal(err)
	}
	var mine []string
	for _, dir := range all {
		var stat syscall.Stat_t
		if err := syscall.Lstat(dir, &stat); err == nil && int(stat.Uid) == s.UID {
			mine = append(mine, dir)
		}
	}
	return mine
}

func TestRun(t *testing.T) {
	t.Parallel()
	for shell, killed := range map[string]string{"dash": "Killed\n", "bash": ""} { // one of them says so
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			testRun(t, "/usr/bin/"+shell, killed)
		})
	}
}

func testRun(t *testing.T, shell, killed string) {
	_, h := machine(t, provisiontest.Options{Shell: shell})
	odd := "it's \"odd\" $HOME `id` \\ \n\ttwo lines, umlaut ü, \xff"
	for name, test := range map[string]struct {
		change func(*provision.Script)
		body   []string
		want   said
	}{
		"output":         {nil, []string{"echo out; echo err >&2; echo out"}, said{Out: "out\nout\n", Err: "err\n"}},
		"no line end":    {nil, []string{"printf out; printf err >&2"}, said{Out: "out", Err: "err"}},
		"own first line": {nil, []string{"#!/bin/bash", "a=(1 2 3); echo ${#a[@]}"}, said{Out: "3\n"}},
		"exit status": {nil, []string{"echo why >&2", "exit 7"},
			said{Err: "why\n", Exit: &provision.ExitError{Script: "inline", Code: 7, Tail: "why"}}},
		"tail of stdout when stderr is silent": {nil, []string{"echo hint", "exit 1"},
			said{Out: "hint\n", Exit: &provision.ExitError{Script: "inline", Code: 1, Tail: "hint"}}},
		"signal": {nil, []string{"kill -KILL $$"},
			said{Err: killed, Exit: &provision.ExitError{Script: "inline", Code: 137, Signal: "KILL", Tail: strings.TrimSpace(killed)}}},
		"valid exit codes": {func(s *provision.Script) { s.ValidExitCodes = []int{3, 143} }, []string{"exit 143"}, said{}},
		"0 is not valid unless listed": {func(s *provision.Script) { s.ValidExitCodes = []int{3} }, []string{"true"},
			said{Exit: &provision.ExitError{Script: "inline", Code: 0}}},
		"signals":        {nil, []string{"trap 'echo INT' INT; trap 'echo QUIT' QUIT; kill -INT $$; kill -QUIT $$"}, said{Out: "INT\nQUIT\n"}},
		"empty stdin":    {nil, []string{"cat; wc -c; read x || echo none"}, said{Out: "0\nnone\n"}},
		"private":        {nil, []string{"stat -c %a $0 $(dirname $0) $(dirname $0)/env"}, said{Out: "700\n700\n600\n"}},
		"umask":          {nil, []string{"umask"}, said{Out: "0022\n"}},
		"home directory": {nil, []string{`[ "$PWD" = "$HOME" ] && echo home`}, said{Out: "home\n"}},
		"not in argv": {func(s *provision.Script) { s.Env = []string{"TOKEN=hush"} },
			[]string{`echo $TOKEN; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -c [h]ush; true`}, said{Out: "hush\n0\n"}},
		"environment": {func(s *provision.Script) { s.Env = []string{"B=" + odd, "A=", "path=x", "A=last", "IFS=,"} },
			[]string{`printf '%s|%s|%s' "$A" "$B" "$path"`}, said{Out: "last|" + odd + "|x"}},
		"CRLF":        {func(s *provision.Script) { s.Body = []byte("#!/bin/sh\r\nif true; then\r\necho dos\r\nfi\r\n") }, nil, said{Out: "dos\n"}},
		"binary CRLF": {func(s *provision.Script) { s.Body, s.Binary = []byte("#!/bin/sh\nprintf 'a\r\n' | wc -c\n"), true }, nil, said{Out: "3\n"}},
		"Packer's command": {func(s *provision.Script) {
			s.Command, s.Env = "chmod +x {{.Path}}; {{.Vars}} {{.Path}}", []string{"B=" + "it's", "A=1"}
		}, []string{`echo "$A $B"`}, said{Out: "1 it's\n"}},
		"command with a file": {func(s *provision.Script) {
			s.Command, s.Env, s.UseEnvFile = "chmod +x {{ .Path }}; . {{ .EnvVarFile }} && {{ .Path }}", []string{"A=it's"}, true
		}, []string{`echo "$A"`}, said{Out: "it's\n"}},
		"command without either": {func(s *provision.Script) { s.Command, s.Env = "sh -eu {{.Path}}", []string{"A=1"} },
			[]string{`echo "$A"`}, said{Out: "1\n"}},
		"command's own format": {func(s *provision.Script) {
			s.Command, s.EnvFormat, s.Env = "{{.Vars}} sh {{.Path}}", "X_%s='%s' ", []string{"A=1"}
		}, []string{`echo "$X_A"`}, said{Out: "1\n"}},
		"command's own syntax": {func(s *provision.Script) { s.Command = "{{.Path}} | while read -r l; do echo \"<$l>\"; done" },
			[]string{"echo a; echo b"}, said{Out: "<a>\n<b>\n"}},
		"command for another account": {func(s *provision.Script) { s.Command = "stat -c %a {{.Path}} $(dirname {{.Path}})" },
			[]string{""}, said{Out: "755\n711\n"}},
		"file name":       {func(s *provision.Script) { s.RemoteFile = "setup" }, []string{"basename $0"}, said{Out: "setup\n"}},
		"folder":          {func(s *provision.Script) { s.RemoteFolder = "/dev/shm" }, []string{"dirname $(dirname $0)"}, said{Out: "/dev/shm\n"}},
		"folder and file": {func(s *provision.Script) { s.RemoteFolder, s.RemoteFile = "/dev/shm", "imago-a" }, []string{"echo $0"}, said{Out: "/dev/shm/imago-a\n"}},
		"path":            {func(s *provision.Script) { s.RemotePath = "/dev/shm/imago-b" }, []string{"echo $0"}, said{Out: "/dev/shm/imago-b\n"}},
		"long tail": {nil, []string{"seq 1 1000 >&2; exit 1"},
			said{Err: numbers(1, 1000) + "\n", Exit: &provision.ExitError{Script: "inline", Code: 1, Tail: numbers(981, 1000)}}},
		"a program that is not there": {func(s *provision.Script) { s.Command = "/nonexistent/x {{.Path}} 2>/dev/null" }, []string{""},
			said{Exit: &provision.ExitError{Script: "inline", Code: 127}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := script(test.body...)
			if test.change != nil {
				test.change(&s)
			}
			if diff := cmp.Diff(test.want, run(t, h, s)); diff != "" {
				t.Errorf("the script (-want +got):\n%s", diff)
			}
		})
	}
}

func numbers(from, to int) string {
	var lines []string
	for i := from; i <= to; i++ {
		lines = append(lines, fmt.Sprint(i))
	}
	return strings.Join(lines, "\n")
}

func TestRunCleansUp(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	run(t, h, script("exit 3"))
	noneLeft(t, s)

	kept := script("echo $0")
	kept.SkipClean = true
	kept.Env = []string{"TOKEN=hush"}
	path := strings.TrimSpace(run(t, h, kept).Out)
	output(t, h, "true")
	defer os.RemoveAll(filepath.Dir(path))
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 || files[0].Name() != "script.sh" {
		t.Errorf("SkipClean keeps %v (%v), want the script without its environment", files, err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{})
	for name, test := range map[string]struct {
		change func(*provision.Script)
		says   string
	}{
		"no name":              {func(s *provision.Script) { s.Name = "" }, "no name"},
		"bad variable":         {func(s *provision.Script) { s.Env = []string{"a-b=c", "9=x"} }, `"a-b"`},
		"NUL in variable":      {func(s *provision.Script) { s.Env = []string{"A=\x00"} }, "NUL"},
		"unknown field":        {func(s *provision.Script) { s.Command = "{{.Paht}}" }, "Paht"},
		"bad template":         {func(s *provision.Script) { s.Command = "{{.Path" }, "inline: command"},
		"bad format":           {func(s *provision.Script) { s.Command, s.EnvFormat = "{{.Vars}}", "%s" }, "two %s"},
		"no such folder":       {func(s *provision.Script) { s.RemoteFolder = "/nonexistent" }, "/nonexistent"},
		"not a folder of ours": {func(s *provision.Script) { s.RemotePath = "/proc/imago" }, "/proc/imago"},
	} {
		t.Run(name, func(t *testing.T) {
			s := script("echo ran")
			test.change(&s)
			var out strings.Builder
			err := h.Run(context.Background(), s, &out, nil)
			if exit := (*provision.ExitError)(nil); err == nil || errors.As(err, &exit) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Run = %v, want no *ExitError and %q", err, test.says)
			}
			if out.Len() > 0 {
				t.Errorf("it ran: %q", &out)
			}
		})
	}
	noneLeft(t, s)
}

// lineChecker is an output that wants whole lines, from one goroutine at a time.
type lineChecker struct {
	t     *testing.T
	mu    *sync.Mutex
	bytes int
	slow  time.Duration
}

func (c *lineChecker) Write(p []byte) (int, error) {
	if !c.mu.TryLock() {
		c.t.Error("two writes at the same time")
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	if p[len(p)-1] != '\n' {
		c.t.Errorf("a write ends within a line: %q", p[max(0, len(p)-40):])
	}
	c.bytes += len(p)
	time.Sleep(c.slow)
	return len(p), nil
}

// TestRunBigOutput writes more than the window to both streams, with a slow reader.
func TestRunBigOutput(t *testing.T) {
	t.Parallel()
	_, h := machine(t, provisiontest.Options{})
	var both sync.Mutex
	out, stderr := &lineChecker{t: t, mu: &both, slow: time.Millisecond}, &lineChecker{t: t, mu: &both}
	err := h.Run(context.Background(), script(
		"line=$(printf %0999d 0)", "yes $line | head -c 4000000 & yes $line | head -c 4000000 >&2; wait"), out, stderr)
	if err != nil || out.bytes != 4_000_000 || stderr.bytes != 4_000_000 {
		t.Errorf("%d and %d bytes (%v), want 4000000 of each", out.bytes, stderr.bytes, err)
	}
}

// TestRunStreams has output arrive while the script runs.
func TestRunStreams(t *testing.T) {
	t.Parallel()
	_, h := machine(t, provisiontest.Options{})
	gate := filepath.Join(openDir(t), "gate")
	var once sync.Once
	out := writerFunc(func(p []byte) (int, error) {
		once.Do(func() {
			if err := os.WriteFile(gate, nil, 0o644); err != nil {
				t.Error(err)
			}
		})
		return len(p), nil
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.Run(ctx, script("echo ready", "until [ -e "+gate+" ]; do sleep 0.02; done"), out, nil); err != nil {
		t.Errorf("the script waits for what it said to be heard: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRunWithTerminal(t *testing.T) {
	t.Parallel()
	s := provisiontest.Start(t, provisiontest.Options{})
	id := s.Identity()
	id.PTY = true
	h := connect(t, s.Addr, id)
	got := run(t, h, provision.Script{Name: "tty", Body: []byte("tty <&1; printf '%s\\n' \"$A\"; wc -c; exit 4\n"), Env: []string{"A=\x03\x04"}})
	want := said{Out: "/dev/pts/0\r\n\x03\x04\r\n0\r\n", Exit: &provision.ExitError{Script: "tty", Code: 4, Tail: "/dev/pts/0\r\n\x03\x04\r\n0"}}
	if !strings.HasPrefix(got.Out, "/dev/pts/") {
		t.Errorf("no terminal: %q", got.Out)
	}
	_, got.Out, _ = strings.Cut(got.Out, "\r\n")
	_, want.Out, _ = strings.Cut(want.Out, "\r\n")
	if got.Exit != nil {
		_, got.Exit.Tail, _ = strings.Cut(got.Exit.Tail, "\r\n")
		_, want.Exit.Tail, _ = strings.Cut(want.Exit.Tail, "\r\n")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the script (-want +got):\n%s", diff)
	}
	noneLeft(t, s)
}

// TestChatter has a login shell that talks before it gets to work.
func TestChatter(t *testing.T) {
	t.Parallel()
	s, h := machine(t, provisiontest.Options{Hidden: []string{"/usr/bin/tar"}})
	if err := os.WriteFile(filepath.Join(s.Home, ".bashrc"), []byte("echo Welcome!; echo Hello >&2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := output(t, h, "echo hi"); got != "hi\n" {
		t.Errorf("output is %q", got)
	}
	if diff := cmp.Diff("hi\n", run(t, h, script("echo hi")).Out); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	upload(t, h, provision.Tree{Content: []byte("x"), Dest: "file"})
}

func TestOutput(t *testing.T) {
	t.Parallel()
	_, h := machine(t, provisiontest.Options{})
	if got := output(t, h, "echo \"it's\"; cat"); got != "it's\n" {
		t.Errorf("output is %q", got)
	}
	got, err := h.OutputOf(context.Background(), "cat; tr '\\0' ' ' < /proc/$$/cmdline", []byte("a secret\n"))
	if said, arguments, _ := strings.Cut(got, "\n"); err != nil || said != "a secret" || arguments == "" || strings.Contains(arguments, "secret") {
		t.Errorf("output with a stdin is %q, %v", got, err)
	}
	_, err = h.Output(context.Background(), "echo no >&2; exit 5")
	exit := (*provision.ExitError)(nil)
	if !errors.As(err, &exit) || exit.Code != 5 || !strings.Contains(err.Error(), "no") {
		t.Errorf("Output = %v, want an *ExitError with 5 and what stderr said", err)
	}
}
