package provision

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed run.sh
var runScript string

//go:embed kill.sh
var killScript string

const (
	defaultStartTimeout = 5 * time.Minute

	// killTime bounds ending a canceled script on the machine.
	killTime = 15 * time.Second

	// goingDown is how long a machine that was told to reboot may take to end the
	// connection, after it has ended the script.
	goingDown = 30 * time.Second

	// disconnectCode is what Packer calls a lost connection in valid_exit_codes.
	disconnectCode = 2300218
)

// Run puts a script on the machine, runs it with an empty stdin and removes it
// again, in one session. stdout and stderr get whole lines, never both at the
// same time; each may be nil. A script that ends with a code that does not mean
// success is an *ExitError. When ctx ends, the script and what it started are
// ended too, and the error is ctx's cause.
func (h *Host) Run(ctx context.Context, s Script, stdout, stderr io.Writer) error {
	id := strings.ToLower(rand.Text())
	r, err := s.render(id)
	if err != nil {
		return err
	}
	run := &run{host: h, script: s, rendered: r, mark: "imago-start-" + id}
	status, err := run.do(ctx, stdout, stderr)
	switch {
	case errors.Is(err, ErrLost) && s.expectsLoss() && run.start.pid() != 0:
		return nil
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("run %s: %w", s.Name, err)
	default:
		return run.judge(ctx, status)
	}
}

func (s Script) expectsLoss() bool {
	return s.ExpectDisconnect || slices.Contains(s.ValidExitCodes, disconnectCode)
}

// run is one run of one script.
type run struct {
	host     *Host
	script   Script
	rendered *rendered
	mark     string
	out, err lineWriter
	outTail  tail
	errTail  tail
	start    startLine
}

// do runs the script to its end. With a terminal it takes a session more: what
// goes through a terminal does not arrive as it was sent.
func (r *run) do(ctx context.Context, stdout, stderr io.Writer) (exitStatus, error) {
	starting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := r.script.StartTimeout
	if limit <= 0 {
		limit = defaultStartTimeout
	}
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("it was not started within %v", limit)) })
	defer timer.Stop()

	r.out.to, r.err.to = tee(stdout, &r.outTail), tee(stderr, &r.errTail)
	r.start = startLine{mark: r.mark, rest: &r.out, found: func() { timer.Stop() }}
	std := streams{feed: r.feed, stdout: &r.start, stderr: &r.err, pty: r.host.id.PTY}
	phases := "put,run"
	if std.pty {
		status, err := r.host.exec(starting, r.command("put"), streams{feed: r.feed, stderr: &r.err})
		if err != nil || status.code != 0 {
			return status, r.startError(status, err)
		}
		phases, std.feed = "run", nil
	}
	status, err := r.host.exec(starting, r.command(phases), std)
	if err != nil && starting.Err() != nil {
		err = context.Cause(starting)
		r.kill(ctx)
	}
	r.out.flush()
	r.err.flush()
	return status, r.startError(status, err)
}

func tee(w io.Writer, t *tail) io.Writer {
	if w == nil {
		return t
	}
	return io.MultiWriter(t, w)
}

// startError is err, or that the script never began.
func (r *run) startError(status exitStatus, err error) error {
	if err != nil || r.start.pid() != 0 {
		return err
	}
	r.err.flush()
	return fmt.Errorf("it could not be put in place on the machine (status %d): %s", status.code, r.errTail.String())
}

func (r *run) command(phases string) string {
	p, keep, custom := r.rendered, "", ""
	if r.script.SkipClean {
		keep = "keep"
	}
	if p.command != "" {
		custom = "custom"
	}
	return command("sh", "-c", runScript, "imago-run", r.mark, phases, p.dir, p.dirMode, p.path, custom, keep,
		strconv.Itoa(len(p.command)), strconv.Itoa(len(p.env)), strconv.Itoa(len(p.body)))
}

// feed sends command, environment and script on stdin: nothing of them is ever in a command line.
func (r *run) feed(_ context.Context, w io.Writer) error {
	p := r.rendered
	_, err := w.Write(slices.Concat([]byte(p.command), []byte(p.env), p.body))
	return err
}

// kill ends what runs on the machine. Its own errors have nobody to go to: the
// caller is on its way out, and the machine usually is too.
func (r *run) kill(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	keep := ""
	if r.script.SkipClean {
		keep = "keep"
	}
	pid := r.start.pid()
	if pid == 0 {
		pid = noProcess
	}
	_, _ = r.host.exec(ctx, command("sh", "-c", killScript, "imago-kill", strconv.Itoa(pid), r.rendered.dir, r.rendered.path, keep), streams{})
}

// noProcess is a process number that Linux never gives.
const noProcess = 1 << 30

// judge decides whether the script succeeded.
func (r *run) judge(ctx context.Context, status exitStatus) error {
	valid := r.script.ValidExitCodes
	if len(valid) == 0 {
		valid = []int{0}
	}
	e := &ExitError{Script: r.script.Name, Code: status.code, Signal: status.signal, Tail: r.errTail.String()}
	if e.Signal == "" {
		e.Signal = signalBehind(status.code)
	}
	if slices.Contains(valid, status.code) {
		return nil
	}
	if e.Signal != "" && r.script.expectsLoss() && r.host.goesDown(ctx) {
		return nil
	}
	if e.Tail == "" {
		e.Tail = r.outTail.String()
	}
	return e
}

// goesDown waits a while for the connection to end. A machine that shuts down
// ends its processes first.
func (h *Host) goesDown(ctx context.Context) bool {
	timer := time.NewTimer(goingDown)
	defer timer.Stop()
	select {
	case <-h.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// startLine passes on what comes behind run.sh's mark. What comes before it is
// the login shell's start-up chatter.
type startLine struct {
	mark  string
	rest  io.Writer
	found func()

	mu    sync.Mutex
	group int
	head  []byte
}

// pid is the script's process group, or 0 before it was started.
func (l *startLine) pid() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.group
}

// Write implements io.Writer.
func (l *startLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.group != 0 {
		return l.rest.Write(p)
	}
	l.head = append(l.head, p...)
	_, behind, ok := bytes.Cut(l.head, []byte(l.mark+" "))
	if !ok {
		return len(p), nil
	}
	number, rest, ok := bytes.Cut(behind, []byte("\n"))
	if !ok {
		return len(p), nil
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(number)))
	if err != nil {
		return len(p), nil
	}
	l.group, l.head = pid, nil
	l.found()
	if len(rest) > 0 {
		_, _ = l.rest.Write(rest)
	}
	return len(p), nil
}
