package provision

import (
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

//go:embed keep.sh
var keepScript string

//go:embed kill.sh
var killScript string

const (
	defaultStartTimeout = 5 * time.Minute

	// killTime bounds ending a canceled script on the machine.
	killTime = 15 * time.Second

	// disconnectCode is what Packer calls a lost connection in valid_exit_codes.
	disconnectCode = 2300218
)

// Run puts a script on the machine, runs it with an empty stdin and removes it
// again. stdout and stderr get whole lines, never both at the same time; each may
// be nil. A script that ends with a code that does not mean success is an
// *ExitError. When ctx ends, the script and what it started are ended too, and
// the error is ctx's cause.
//
// The script does not depend on the connection: when that is lost, Run connects
// again, as often as it has to, and goes on where it was; Host itself stays lost.
// The script runs once, and none of its output is lost or comes twice. A script
// in a terminal (Identity.PTY) ends with the connection, which is an ErrLost.
func (h *Host) Run(ctx context.Context, s Script, stdout, stderr io.Writer) error {
	r, err := newRun(h, s)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(r.rendered.path, r.rendered.dir+"/") {
		h.settled(ctx) // the script before may be removing the same path
	}
	status, err := r.do(ctx, stdout, stderr)
	switch {
	case errors.Is(err, ErrLost) && s.expectsLoss() && r.pid() != 0:
		h.leave(Left{run: r})
		return nil
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrLost):
		h.leave(Left{run: r, givenUp: true})
		fallthrough
	case err != nil:
		return fmt.Errorf("run %s: %w", s.Name, err)
	default:
		return r.judge(ctx, status)
	}
}

func (s Script) expectsLoss() bool {
	return s.ExpectDisconnect || slices.Contains(s.ValidExitCodes, disconnectCode)
}

// run is one run of one script.
type run struct {
	first    *Host // the caller's
	host     *Host // the connection in use: another one after the first is lost
	script   Script
	rendered *rendered
	mark     string

	stdout, stderr   follower
	out, err         lineWriter
	outTail, errTail tail
	chatter          tail // what came before the script's stderr
	started          func()

	heard chan struct{} // holds one when run.sh has said something
	acks  chan struct{} // holds one when the machine should be told what has arrived
	acked int64

	mu   sync.Mutex
	told told
	got  [2]int64 // what has arrived of stdout and stderr
}

func newRun(h *Host, s Script) (*run, error) {
	id := strings.ToLower(rand.Text())
	rendered, err := s.render(id)
	if err != nil {
		return nil, err
	}
	r := &run{
		first: h, host: h, script: s, rendered: rendered, mark: "imago-mark-" + id,
		heard: make(chan struct{}, 1), acks: make(chan struct{}, 1),
	}
	mark := []byte(r.mark + " ")
	r.stdout = follower{mark: mark, to: &r.out, say: r.hear, moved: r.moved}
	r.stderr = follower{mark: mark, to: &r.err, say: r.hear, moved: r.moved, before: &r.chatter}
	return r, nil
}

// do runs the script to its end.
func (r *run) do(ctx context.Context, stdout, stderr io.Writer) (exitStatus, error) {
	starting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := r.script.StartTimeout
	if limit <= 0 {
		limit = defaultStartTimeout
	}
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("it was not started within %v", limit)) })
	defer timer.Stop()
	defer r.hangUp()

	r.out.to, r.err.to = tee(stdout, &r.outTail), tee(stderr, &r.errTail)
	r.started = func() { timer.Stop() }
	follow := r.follow
	if r.host.id.PTY {
		follow = r.inTerminal
	}
	status, err := follow(starting)
	if err != nil && starting.Err() != nil {
		err = context.Cause(starting)
		if r.kill(ctx) != nil {
			r.first.leave(Left{run: r, givenUp: true})
		}
	}
	r.out.flush()
	r.err.flush()
	if t := r.now(); t.overs == 2 && t.ends < 2 && t.status.known && r.stdout.times > 1 {
		_, _ = io.WriteString(r.err.to, "imago: the machine could not keep the output while the connection was lost: some of it is missing\n")
	}
	return status, err
}

func tee(w io.Writer, t *tail) io.Writer {
	if w == nil {
		return t
	}
	return io.MultiWriter(t, w)
}

// inTerminal takes two sessions: what goes through a terminal does not arrive as it was sent.
func (r *run) inTerminal(ctx context.Context) (exitStatus, error) {
	status, err := r.host.exec(ctx, r.command(phasePut), streams{feed: r.feed, stderr: &r.chatter})
	if err == nil && status.code == 0 {
		status, err = r.host.exec(ctx, r.command(phaseRun), streams{stdout: &r.stdout, stderr: &r.err, pty: true})
	}
	if err != nil || r.pid() != 0 {
		return status, err
	}
	return status, r.notStarted(status)
}

func (r *run) notStarted(status exitStatus) error {
	return fmt.Errorf("it could not be put in place on the machine (status %d): %s", status.code, r.chatter.String())
}

// Phases of run.sh.
const (
	phaseStart  = "start"
	phaseAttach = "attach"
	phasePut    = "put"
	phaseRun    = "run"
)

func (r *run) command(phase string) string {
	p, custom, keeper, leaves := r.rendered, "", "", ""
	if p.command != "" {
		custom = "custom"
	}
	if phase == phaseStart {
		keeper = bare(keepScript)
	}
	if r.script.expectsLoss() {
		leaves = "leaves"
	}
	return command("sh", "-c", bare(runScript), "imago-run", r.mark, phase, p.dir, p.dirMode, p.path, custom, r.keep(),
		strconv.Itoa(len(p.command)), strconv.Itoa(len(p.env)), strconv.Itoa(len(p.body)), keeper, leaves,
		strconv.FormatInt(r.stdout.at, 10), strconv.FormatInt(r.stderr.at, 10))
}

// bare is a script without its comment lines and indentation: what starts a
// script is to fit into what a network takes at once.
func bare(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		if line = strings.TrimLeft(line, "\t"); line != "\n" && !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// keep says to the machine whether the script stays there.
func (r *run) keep() string {
	if r.script.SkipClean {
		return "keep"
	}
	return ""
}

// feed sends command, environment and script on stdin: nothing of them is ever in a command line.
func (r *run) feed(_ context.Context, w io.Writer) error {
	p := r.rendered
	_, err := w.Write(slices.Concat([]byte(p.command), []byte(p.env), p.body))
	return err
}

// kill ends what runs on the machine. Its error says that it may go on: the caller
// is on its way out, and the machine usually is too.
func (r *run) kill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	pid := r.pid()
	if pid == 0 {
		pid = noProcess
	}
	for {
		err := r.end(ctx, r.host, pid)
		if !errors.Is(err, ErrLost) || r.reconnect(ctx) != nil {
			return err
		}
	}
}

// end ends a process of the script's and all that belongs to it, and removes its files.
func (r *run) end(ctx context.Context, host *Host, pid int) error {
	_, err := host.exec(ctx, command("sh", "-c", killScript, "imago-kill", strconv.Itoa(pid), r.rendered.dir, r.rendered.path, r.keep()), streams{})
	return err
}

// noProcess is a process number that Linux never gives.
const noProcess = 1 << 30
