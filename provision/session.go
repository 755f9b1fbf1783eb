package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// strayOutput is how long output may pause after a command has ended before the
// rest is not waited for: a daemon that it left behind holds its stdout open.
const strayOutput = 2 * time.Second

// strayMost is how long such output is listened to when it does not pause.
const strayMost = 15 * time.Second

// exitStatus is how a remote command ended.
type exitStatus struct {
	known  bool // false when the connection ended first
	code   int
	signal string
}

// streams are what a remote command reads and writes. Every field is optional.
type streams struct {
	// feed writes the command's stdin. It is given a context that ends with the command.
	feed           func(context.Context, io.Writer) error
	stdout, stderr io.Writer
	pty            bool
}

// session is one command on the machine. Not ssh.Session, because that one tells
// of a command's end only when everybody who holds its output has gone.
type session struct {
	ch     ssh.Channel
	exited chan exitStatus // one value, at the exit or at the loss of the channel
}

// start opens a channel and runs command on it: two round trips.
func (h *Host) start(ctx context.Context, command string, pty bool) (*session, error) {
	type opened struct {
		s   *session
		err error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := h.startNow(command, pty)
		done <- opened{s, err}
	}()
	var err error
	select {
	case o := <-done:
		return o.s, o.err
	case <-h.done: // a channel that is opened just then may never be told
		err = h.lostError()
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	go func() { // the machine may open it yet
		if o := <-done; o.err == nil {
			o.s.ch.Close()
		}
	}()
	return nil, err
}

func (h *Host) startNow(command string, pty bool) (*session, error) {
	asked := time.Now()
	ch, requests, err := h.client.OpenChannel("session", nil)
	if err != nil {
		return nil, h.channelError("open a session", err)
	}
	h.saw(time.Since(asked))
	s := &session{ch: ch, exited: make(chan exitStatus, 1)}
	go s.watch(requests)
	if err := h.prepare(ch, pty); err != nil {
		ch.Close()
		return nil, err
	}
	asked = time.Now() // once more: opening the first session is much work for the machine
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{command}))
	h.saw(time.Since(asked))
	if err == nil && !ok {
		err = errors.New("the machine refuses to run commands for this user")
	}
	if err != nil {
		ch.Close()
		return nil, h.channelError("start a command", err)
	}
	return s, nil
}

// prepare asks for what the command's surroundings need, without waiting for answers.
func (h *Host) prepare(ch ssh.Channel, pty bool) error {
	if h.id.ForwardAgent {
		if _, err := ch.SendRequest("auth-agent-req@openssh.com", false, nil); err != nil {
			return h.channelError("forward the agent", err)
		}
	}
	if !pty {
		return nil
	}
	request := ssh.Marshal(struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}{"xterm", 80, 40, 0, 0, "\x00"})
	ok, err := ch.SendRequest("pty-req", true, request)
	if err == nil && !ok {
		err = errors.New("the machine gives this user no terminal")
	}
	if err != nil {
		return h.channelError("ask for a terminal", err)
	}
	return nil
}

func (h *Host) channelError(doing string, err error) error {
	select {
	case <-h.done:
		return h.lostError()
	default:
		if isLoss(err) {
			return h.lostError()
		}
		return fmt.Errorf("%s on %s: %w", doing, h.addr, err)
	}
}

// isLoss reports whether an error is of the connection, and not an answer. For a
// connection that ends while a channel is opened the library has no type.
func isLoss(err error) bool {
	if strings.Contains(err.Error(), "unexpected packet in response to channel open: <nil>") {
		return true
	}
	broken := (*net.OpError)(nil)
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &broken)
}

// watch learns the exit status from the channel's requests.
func (s *session) watch(requests <-chan *ssh.Request) {
	var status exitStatus
	for r := range requests {
		was := status.known
		switch r.Type {
		case "exit-status":
			var msg struct{ Code uint32 }
			if ssh.Unmarshal(r.Payload, &msg) == nil {
				status = exitStatus{known: true, code: int(msg.Code)}
			}
		case "exit-signal":
			var msg struct {
				Signal      string
				CoreDumped  bool
				Error, Lang string
			}
			if ssh.Unmarshal(r.Payload, &msg) == nil {
				status = exitStatus{known: true, code: codeOf(msg.Signal), signal: msg.Signal}
			}
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
		if status.known && !was {
			s.exited <- status
		}
	}
	if !status.known {
		s.exited <- status
	}
}

// exec runs command to its end. The error is ctx's cause, the feed's own error,
// or an ErrLost; a command that ends with any exit status is no error here.
// After exec has returned, nothing is written to the streams, and the feed has
// ended, unless ctx has.
func (h *Host) exec(ctx context.Context, command string, std streams) (exitStatus, error) {
	s, err := h.start(ctx, command, std.pty)
	if err != nil {
		return exitStatus{}, err
	}
	out := &gate{}
	defer out.close()
	output := s.copyOutput(out, std)
	feedCtx, stopFeed := context.WithCancel(ctx)
	fed, feedEnded := s.feedInput(feedCtx, std.feed)
	defer func() {
		stopFeed()
		s.ch.Close()
		select {
		case <-feedEnded:
		case <-ctx.Done(): // it may wait for a machine that does not answer any more
		}
	}()

	for {
		select {
		case err := <-fed:
			if err != nil && !isLoss(err) { // the command has stopped reading, and its status says why
				return exitStatus{}, err
			}
			fed = nil
		case status := <-s.exited:
			out.drain(ctx, output)
			if !status.known {
				return status, h.lostError()
			}
			return status, nil
		case <-ctx.Done():
			return exitStatus{}, context.Cause(ctx)
		}
	}
}

// feedInput writes the command's stdin and ends it. The machine closing the
// channel ends a write that waits for the window.
func (s *session) feedInput(ctx context.Context, feed func(context.Context, io.Writer) error) (fed <-chan error, ended <-chan struct{}) {
	result, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		var err error
		if feed != nil {
			err = feed(ctx, s.ch)
		}
		if err == nil {
			err = s.ch.CloseWrite()
		}
		result <- err
	}()
	return result, done
}

// copyOutput reads both streams at once: they share one window, so that a
// stream nobody reads would stop the other.
func (s *session) copyOutput(g *gate, std streams) <-chan struct{} {
	done, each := make(chan struct{}), make(chan struct{}, 2)
	for _, c := range []struct {
		to   io.Writer
		from io.Reader
	}{{std.stdout, s.ch}, {std.stderr, s.ch.Stderr()}} {
		go func() {
			g.copy(c.to, c.from)
			each <- struct{}{}
		}()
	}
	go func() {
		<-each
		<-each
		close(done)
	}()
	return done
}

// gate lets output through, one stream at a time, until it is closed.
type gate struct {
	lock   sync.Mutex
	closed bool
	moves  atomic.Int64 // counts what happens, so that drain sees a pause
	busy   atomic.Int32 // writes under way
}

func (g *gate) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && to != nil {
			g.write(to, buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

func (g *gate) write(to io.Writer, p []byte) {
	g.busy.Add(1)
	defer g.busy.Add(-1)
	g.lock.Lock()
	defer g.lock.Unlock()
	g.moves.Add(1)
	if !g.closed {
		_, _ = to.Write(p) // an output that nobody can see does not stop the work
	}
}

func (g *gate) close() {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.closed = true
}

// drain waits until all output is there, or pauses for strayOutput.
func (g *gate) drain(ctx context.Context, done <-chan struct{}) {
	tick := time.NewTicker(strayOutput)
	defer tick.Stop()
	for last := g.moves.Load(); ; {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			now := g.moves.Load()
			if now == last && g.busy.Load() == 0 {
				return
			}
			last = now
		}
	}
}
